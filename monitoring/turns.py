"""
Whose turn it is to do what one alone may do: a row a job, claimed as endpoints are (see `leases`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q


class Turn(models.Model):
    """The last who had a job: until when, and with which token."""

    name = models.CharField(max_length=40, primary_key=True)
    token = models.BigIntegerField(default=0)
    until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


def claim(name: str, moment: datetime, length: timedelta) -> int | None:
    """A token that is newer than all before it, for so long; None while somebody else has one."""
    row, _ = Turn.objects.get_or_create(name=name)
    free = Turn.objects.filter(Q(until=None) | Q(until__lte=moment), name=name, token=row.token)
    taken = free.update(token=row.token + 1, until=moment + length)
    return row.token + 1 if taken else None


def is_mine(name: str, token: int) -> bool:
    return Turn.objects.filter(name=name, token=token).exists()


def release(name: str, token: int) -> None:
    Turn.objects.filter(name=name, token=token).update(until=None)


def queue_up(name: str) -> None:
    """
    Inside a transaction: whoever else comes here waits until it ends. The last thing that a
    transaction locks, so that nobody waits for each other.
    """
    Turn.objects.get_or_create(name=name)
    Turn.objects.filter(name=name).update(token=F("token") + 1)
