from __future__ import annotations

from django.urls import re_path

from chat.openai import views

urlpatterns = [
    re_path("^v1/models/?$", views.model_list, name="openai-models"),
    re_path("^v1/models/(?P<name>.+?)/?$", views.one_model, name="openai-model"),
    re_path("^v1/chat/completions/?$", views.complete, name="openai-complete"),
    re_path("^v1(?:/.*)?$", views.unknown),
]
