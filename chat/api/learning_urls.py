"""The routes of those who teach the chat. A trailing slash is optional everywhere."""

from __future__ import annotations

from django.urls import re_path

from chat.api import learning

PK = r"(?P<pk>[0-9]{1,18})"
ROUTES = [
    ("review", learning.ReviewsView, "chat-reviews"),
    (f"review/{PK}", learning.ReviewView, "chat-review"),
    ("datasets", learning.DatasetsView, "chat-datasets"),
    (r"datasets/(?P<number>[0-9]{1,9})\.jsonl", learning.DatasetFileView, "chat-dataset-file"),
    ("training-runs", learning.TrainingRunsView, "chat-training-runs"),
    (f"training-runs/{PK}", learning.TrainingRunView, "chat-training-run"),
    ("models", learning.ModelsView, "chat-models"),
    ("models/roll-back", learning.RollBackView, "chat-roll-back"),
    (
        r"models/(?P<code>[0-9a-f]{12})/(?P<verb>promote|shadow|retire)",
        learning.RoleView,
        "chat-model-role",
    ),
    ("experiments", learning.ExperimentsView, "chat-experiments"),
    (f"experiments/{PK}/stop", learning.StopView, "chat-experiment-stop"),
    ("analytics", learning.AnalyticsView, "chat-analytics"),
]

urlpatterns = [
    re_path(rf"^api/chat/{route}/?$", view.as_view(), name=name) for route, view, name in ROUTES
]
