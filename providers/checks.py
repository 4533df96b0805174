"""System checks: what would fail later, said at the start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection

from providers import registry, secrets


@register(Tags.security)
def encryption_keys(
    *, app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """providers.E002: ENCRYPTION_KEYS cannot be used."""
    return secrets.encryption_keys_are_valid()


@register(Tags.database)
def rows_name_adapters(
    *,
    app_configs: Sequence[AppConfig] | None = None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """providers.E001: a row of the catalogue names an adapter that does not exist."""
    from providers.models import Provider

    # `migrate` checks before it makes the tables.
    if not databases or Provider._meta.db_table not in connection.introspection.table_names():
        return []
    known = [adapter.name for adapter in registry.all()] + [registry.DECLARED]
    return [
        Error(
            f"Provider {row.slug!r} names the adapter {row.adapter_name!r}, which does not exist",
            hint=f"Choose one of: {', '.join(known)}",
            id="providers.E001",
        )
        for row in Provider.objects.exclude(adapter_name__in=known)
    ]
