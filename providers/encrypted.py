"""A text that is encrypted at rest with the first of `ENCRYPTION_KEYS`, as providers' keys are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldError
from django.db import models
from django.db.models.expressions import BaseExpression

from providers import secrets

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField  # which is generic for the type checker alone


class EncryptedTextField(_TextField):
    """
    Plain in Python, a token in the database; `manage.py rotatekeys` re-encrypts it.

    Fails closed: a token that no key decrypts raises `SecretUnreadable`. The same text has
    another token each time, so nothing but `isnull` can be looked up.
    """

    def get_prep_value(self, value: Any) -> Any:
        plain = super().get_prep_value(value)
        return None if plain is None else secrets.encrypt(plain)

    def from_db_value(self, value: Any, expression: BaseExpression, connection: Any) -> Any:
        return None if value is None else secrets.decrypt(value)

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is encrypted: it cannot be looked up by {lookup_name}.")
        return super().get_lookup(lookup_name)
