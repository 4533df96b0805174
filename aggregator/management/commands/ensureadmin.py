"""The administrator of a new installation, with a password that is shown once."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

NAME = "admin"


class Command(BaseCommand):
    help = f"Creates the user {NAME!r} with a random password, when there is no superuser yet."

    def handle(self, *args: Any, **options: Any) -> None:
        users = get_user_model().objects
        if users.filter(is_superuser=True).exists():
            return
        if users.filter(username=NAME).exists():
            self.stderr.write(
                f"There is no superuser, but a user named {NAME}: run `manage.py createsuperuser`."
            )
            return
        password = secrets.token_urlsafe(15)
        users.create_superuser(NAME, password=password)
        self.stdout.write(
            f"Administrator: {NAME}, password: {password}\n"
            f"It is shown this once; `manage.py changepassword {NAME}` sets another."
        )
