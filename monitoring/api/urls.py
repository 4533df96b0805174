"""The routes of monitoring. A trailing slash is optional everywhere."""

from __future__ import annotations

from django.urls import re_path

from monitoring.api import aimodels, happenings, views

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

# At most what a row's number may be: a longer one is no row, and no question to the database.
ID = r"(?P<id>[0-9]{1,15})"
HAPPENINGS = [
    ("incidents", happenings.IncidentsView, "incidents"),
    (f"incidents/{ID}", happenings.IncidentView, "incident"),
    (f"incidents/{ID}/ack", happenings.TakeIncidentView, "incident-ack"),
    ("alerts", happenings.AlertsView, "alerts"),
    (f"alerts/{ID}/ack", happenings.TakeAlertView, "alert-ack"),
]

# A model's id has a slash in it.
MODEL = r"(?P<model_id>[^/]+(?:/[^/]+)?)"
MODELS = [
    ("scan", aimodels.ScanView, "models-scan"),
    ("models", aimodels.ModelsView, "models"),
    ("models/available", aimodels.AvailableView, "models-available"),
    (f"models/{MODEL}/history", aimodels.HistoryView, "model-history"),
    (f"models/{MODEL}/stats", aimodels.ModelStatsView, "model-stats"),
    ("stats/summary", aimodels.SummaryView, "models-summary"),
    ("dashboard", aimodels.DashboardView, "models-dashboard"),
    ("agent/status", aimodels.AgentView, "models-agent"),
    ("agent/start", aimodels.StartView, "models-agent-start"),
    ("agent/stop", aimodels.StopView, "models-agent-stop"),
    ("health", aimodels.HealthView, "models-health"),
]

urlpatterns = [
    re_path(r"^metrics/?$", views.MetricsView.as_view(), name="metrics"),
    *(
        re_path(rf"^api/{route}/?$", view.as_view(), name=name)
        for route, view, name in [
            *((f"providers/{route}", view, name) for route, view, name in ROUTES),
            *HAPPENINGS,
            *((f"ai-models/{route}", view, name) for route, view, name in MODELS),
            ("system/status", views.SystemView, "system-status"),
        ]
    ),
]
