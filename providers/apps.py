from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings


class ProvidersConfig(AppConfig):
    name = "providers"

    def ready(self) -> None:
        from providers import checks, registry  # noqa: F401 (registers the system checks)
        from providers.resilience.store import store

        registry.discover()
        if settings.REDIS_URL:
            store()  # by one thread: the modules of redis import each other in circles
