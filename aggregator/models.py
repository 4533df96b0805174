"""Rows of the gateway: answers on the durable shelf, and the clients who may ask."""

from __future__ import annotations

import hashlib
import secrets

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.timezone import now


class ShelvedAnswer(models.Model):
    """One answer, kept where a restart does not reach it. Times in seconds since the epoch."""

    key = models.CharField(max_length=64, primary_key=True)
    question = models.CharField(max_length=400)
    dataset = models.CharField(max_length=30, db_index=True)
    source = models.CharField(max_length=100)
    payload = models.TextField(help_text="A line of metadata, then the rows, both JSON.")
    fetched_at = models.FloatField()
    stale_until = models.FloatField(db_index=True)

    class Meta:
        ordering = ["-fetched_at"]

    def __str__(self) -> str:
        return self.question


KEY_PREFIX = "agg_"


class Client(models.Model):
    """A program that may ask. Its key is shown once, at creation, and kept as a hash."""

    name = models.CharField(max_length=100, unique=True)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    key_hint = models.CharField(max_length=12, editable=False, help_text="How the key begins.")
    enabled = models.BooleanField(default=True)
    per_minute = models.PositiveIntegerField(
        default=600,
        validators=[MinValueValidator(1)],
        help_text="Requests a minute; beyond it the client is answered 429.",
    )
    is_operator = models.BooleanField(
        "operator", default=False, help_text="It may start and stop scans, besides asking."
    )
    notes = models.TextField(blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def new_key(self) -> str:
        """Give the client a new key and return it: this is the only time it is known."""
        key = KEY_PREFIX + secrets.token_urlsafe(32)
        self.key_hash, self.key_hint = hash_key(key), key[:10]
        return key


def hash_key(key: str) -> str:
    """What is stored of a client's key. It is 256 random bits: a fast hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()
