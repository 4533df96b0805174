"""Re-encrypt everything that is encrypted with the first of ENCRYPTION_KEYS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from providers import secrets
from providers.encrypted import EncryptedTextField

BATCH = 500  # rows that are in memory, and locked, at once


class Command(BaseCommand):
    help = (
        "Re-encrypts every provider's key, and whatever else is kept encrypted, with the first "
        "of ENCRYPTION_KEYS. Put a new key first, run this, then take the old one out."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            number = sum(_rotate(model) for model in apps.get_models() if _holds_secrets(model))
        self.stdout.write(f"{number} keys re-encrypted.")
        for model, names in encrypted():
            self.stdout.write(f"{_rotated(model, names)} rows of {model._meta.label} re-encrypted.")


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


def encrypted() -> Iterator[tuple[type[models.Model], list[str]]]:
    """Every model with encrypted texts, and which of its fields they are."""
    for model in apps.get_models():
        names = [f.name for f in model._meta.fields if isinstance(f, EncryptedTextField)]
        if names:
            yield model, names


def _rotated(model: type[models.Model], names: list[str]) -> int:
    """How many rows; in batches, so that nobody waits long: run again it does all of them again."""
    keys = list(model._default_manager.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), BATCH):
        with transaction.atomic():
            batch = keys[start : start + BATCH]
            try:
                rows = list(model._default_manager.select_for_update().filter(pk__in=batch))
            except secrets.SecretUnreadable as error:
                raise CommandError(f"{model._meta.label}: {error}.") from None
            model._default_manager.bulk_update(rows, names)
    return len(keys)
