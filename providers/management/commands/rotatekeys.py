"""Re-encrypt every stored key with the first of ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from providers import secrets
from providers.models import Credential


class Command(BaseCommand):
    help = (
        "Re-encrypts every provider's key with the first of ENCRYPTION_KEYS. Put a new key first, "
        "run this, then take the old one out."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            credentials = list(Credential.objects.stored().select_related("provider"))
            for credential in credentials:
                try:
                    credential.secret = secrets.rotate(credential.secret)
                except secrets.SecretUnreadable as error:
                    raise CommandError(f"{credential}: {error}. Nothing was changed.") from None
            Credential.objects.bulk_update(credentials, ["secret"])
        self.stdout.write(f"{len(credentials)} keys re-encrypted.")
