"""The status pages. A trailing slash is optional."""

from __future__ import annotations

from django.urls import re_path

from monitoring import feedviews, views
from monitoring.incidents import views as incidents

urlpatterns = [
    re_path(r"^status/?$", views.overview, name="status-page"),
    re_path(r"^status/feed\.atom$", feedviews.atom, name="status-feed"),
    re_path(r"^status/summary\.json$", feedviews.summary, name="status-summary"),
    re_path(r"^badge/(?P<name>[^/]+)\.svg$", feedviews.badge, name="badge"),
    re_path(r"^status/incidents/?$", incidents.several, name="incidents-page"),
    re_path(r"^status/incidents/(?P<id>[0-9]{1,15})/?$", incidents.one, name="incident-page"),
    re_path(r"^status/models/?$", views.models, name="status-models"),
    re_path(r"^status/drawer/?$", views.drawer, name="status-drawer"),
    re_path(r"^status/(?P<name>[^/]+)/?$", views.one, name="status-of"),
]
