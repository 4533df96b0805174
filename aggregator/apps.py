from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AggregatorConfig(AppConfig):
    name = "aggregator"

    def ready(self) -> None:
        from aggregator import allowed, heartbeat, schedules

        allowed.watch()
        heartbeat.watch()
        # After django_q's own migration, so that its table is there.
        post_migrate.connect(schedules.sync, sender=self.apps_of_the_queue())

    def apps_of_the_queue(self) -> AppConfig:
        from django.apps import apps

        return apps.get_app_config("django_q")
