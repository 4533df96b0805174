"""Settings that are one row: a plan, a policy."""

from __future__ import annotations

from typing import Any, Self

from django.db import models


class OnlyRow(models.Model):
    """There is one, whoever saves it; before the first edit it is as its fields begin."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pk = 1
        super().save(*args, **kwargs)

    @classmethod
    def current(cls) -> Self:
        """As it is now, without a row too."""
        return cls._default_manager.first() or cls()
