"""The chat page. A trailing slash is optional."""

from __future__ import annotations

from django.urls import re_path

from chat import privacypage, views
from chat.api.urls import ID

urlpatterns = [
    re_path(r"^chat/?$", views.page, name="chat"),
    re_path(r"^chat/feedback/?$", views.feedback, name="chat-feedback"),
    re_path(r"^chat/privacy/?$", privacypage.page, name="chat-privacy"),
    re_path(r"^chat/privacy/my-data\.(?P<shape>json|csv)$", privacypage.export, name="chat-export"),
    re_path(rf"^chat/{ID}/?$", views.page, name="chat-of"),
]
