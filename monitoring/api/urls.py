"""The routes about providers. A trailing slash is optional everywhere."""

from __future__ import annotations

from django.urls import re_path

from monitoring.api import views

NAME = r"(?P<name>[^/]+)"
ROUTES = [
    ("status", views.StatusesView, "providers-status"),
    (f"status/{NAME}", views.StatusOfView, "provider-status"),
    ("best", views.BestView, "providers-best"),
    ("history", views.HistoriesView, "providers-history"),
    (f"history/{NAME}", views.HistoryOfView, "provider-history"),
    ("export/csv", views.ExportView, "providers-export"),
    ("health", views.WatchView, "providers-health"),
    ("check", views.CheckView, "providers-check"),
    (f"{NAME}/stats", views.StatsView, "provider-stats"),
]

urlpatterns = [
    re_path(rf"^api/providers/{route}/?$", view.as_view(), name=name)
    for route, view, name in ROUTES
]
