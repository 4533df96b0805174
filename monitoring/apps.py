from __future__ import annotations

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        from monitoring.configured import CHECKS, ENDPOINTS
        from providers import tables

        tables.add(CHECKS, ENDPOINTS)
