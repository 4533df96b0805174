"""Re-encrypt every stored key with the first of ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from providers import secrets


class Command(BaseCommand):
    help = (
        "Re-encrypts every provider's key with the first of ENCRYPTION_KEYS. Put a new key first, "
        "run this, then take the old one out."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            number = sum(_rotate(model) for model in apps.get_models() if _holds_secrets(model))
        self.stdout.write(f"{number} keys re-encrypted.")


def _holds_secrets(model: type[models.Model]) -> bool:
    """Also what other apps encrypt: an address of a channel holds passwords."""
    return bool(getattr(model, "is_encrypted", False))


def _rotate(model: Any) -> int:
    rows = list(model._default_manager.exclude(secret=""))
    for row in rows:
        try:
            row.secret = secrets.rotate(row.secret)
        except secrets.SecretUnreadable as error:
            raise CommandError(f"{row}: {error}. Nothing was changed.") from None
    model._default_manager.bulk_update(rows, ["secret"])
    return len(rows)
