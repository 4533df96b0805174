from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class MonitoringConfig(AppConfig):
    name = "monitoring"

    def ready(self) -> None:
        from monitoring import configured
        from monitoring.alerts import defaults, figures  # noqa: F401 (it registers metrics)
        from providers import tables

        tables.add(configured.CHECKS, configured.ENDPOINTS, configured.SCANS)
        tables.add(configured.RULES, configured.SERVICE_LEVELS)
        post_migrate.connect(defaults.sync, sender=self)
