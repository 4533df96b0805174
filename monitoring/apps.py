from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        from monitoring.alerts import defaults, figures  # noqa: F401 (it registers metrics)
        from monitoring.configured import CHECKS, ENDPOINTS
        from providers import tables

        tables.add(CHECKS, ENDPOINTS)
        post_migrate.connect(defaults.sync, sender=self)
