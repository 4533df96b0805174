"""The routes of the chat. A trailing slash is optional."""

from __future__ import annotations

from django.urls import re_path

from chat.api import privacy, views

ID = r"(?P<id>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})"

urlpatterns = [
    re_path(r"^api/privacy/consent/?$", privacy.ConsentView.as_view(), name="consent"),
    re_path(r"^api/privacy/export/?$", privacy.ExportView.as_view(), name="export"),
    re_path(r"^api/privacy/erase/?$", privacy.EraseView.as_view(), name="erase"),
    re_path(r"^api/chat/?$", views.ChatView.as_view(), name="chat-api"),
    re_path(r"^api/chat/feedback/?$", views.FeedbackView.as_view(), name="chat-feedback-api"),
    re_path(
        r"^api/chat/conversations/(?P<id>[^/]+)/?$",
        views.ConversationView.as_view(),
        name="conversation",
    ),
]
