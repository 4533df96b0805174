from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings


class ProvidersConfig(AppConfig):
    name = "providers"

    def ready(self) -> None:
        from providers import checks, registry  # noqa: F401 (registers the system checks)
        from providers.redaction import hide
        from providers.resilience.store import store

        registry.discover()
        for key in settings.PROVIDER_KEYS.values():
            hide(key)
        if settings.REDIS_URL:
            store()  # by one thread: the modules of redis import each other in circles
