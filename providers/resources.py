"""
What public lists name and no adapter of ours speaks, or not yet: known, searchable, and now and
then looked at, but not asked for answers.

A resource says nothing about being alive: what checks found of it stands in its `Health`, and
until somebody measured it, its status is unknown.
"""

from __future__ import annotations

import re
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models

ADDRESS = re.compile(r"(?:https?|wss?)://[^\s/@]+(?:/\S*)?")  # a {PLACEHOLDER} may stand in it


class Kind(models.TextChoices):
    API = "api", "API"
    NODE = "node", "node"
    FEED = "feed", "feed"
    LLM = "llm", "language models"
    MODEL = "model", "model"
    DATASET = "dataset", "data set"


class Source(models.TextChoices):
    """Who named it."""

    DATA_LISTS = "data_lists", "public lists of data providers"
    LLM_LISTS = "llm_lists", "public lists of LLM providers"
    HOUSE = "house", "this project"
    OPERATOR = "operator", "an administrator"


class Auth(models.TextChoices):
    NONE = "none", "no key"
    OPTIONAL = "optional", "a key, if one likes"
    REQUIRED = "required", "a key"
    UNKNOWN = "unknown", "unknown"


class KeyIn(models.TextChoices):
    QUERY = "query", "query parameter"
    HEADER = "header", "header"
    BEARER = "bearer", "Authorization: Bearer"
    PATH = "path", "path"


class Flag(models.TextChoices):
    RETIRED = "retired", "retired: it has ended"
    DEPRECATED = "deprecated", "deprecated: it is announced to end, or a newer version replaced it"
    SUSPECT = "suspect", "suspect: doubtful that it answers, or who does"
    PAID_ONLY = "paid_only", "paid only: nothing without a paid plan"
    TERMS_RISK = "terms_risk", "terms: its terms may forbid what you do"
    TESTNET = "testnet", "a test network"


def check_address(value: str) -> None:
    if not ADDRESS.fullmatch(value):
        raise ValidationError("Use an address such as https://api.example.org/v1, without a login.")


def check_addresses(values: Any) -> None:
    for value in check_words(values):
        check_address(value)


def check_words(values: Any) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(v, str) and v for v in values):
        raise ValidationError('Use a list of texts, such as ["ethereum"].')
    return values


def check_flags(values: Any) -> None:
    if strange := sorted(set(check_words(values)) - set(Flag.values)):
        raise ValidationError(f"No flag: {', '.join(strange)}. One of: {', '.join(Flag.values)}.")


def check_claims(values: Any) -> None:
    """What somebody says of its limits: kept to be read, and not enforced on anybody."""
    if not isinstance(values, list):
        raise ValidationError("Limits are a list of windows.")
    for window in values:
        figures = [window.get(n) for n in ("limit", "per_s")] if isinstance(window, dict) else [0]
        if not all(isinstance(f, int | float) and f is not True and f > 0 for f in figures):
            raise ValidationError("A window has a 'limit' and a 'per_s' above 0.")


class ResourceQuerySet(models.QuerySet["Resource"]):
    def flagged(self, flag: str) -> Self:
        """Those with `flag`. By hand, as SQLite cannot look into a list."""
        chosen = [pk for pk, flags in self.values_list("pk", "flags") if flag in flags]
        return self.filter(pk__in=chosen)


class Resource(models.Model):
    """An entry of the catalogue beside the providers; where some speak for it, it names them."""

    slug = models.SlugField(unique=True, max_length=60)
    title = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.API)
    category = models.CharField(max_length=30, db_index=True)
    topics = models.JSONField(
        default=list, blank=True, validators=[check_words], help_text="What else it has."
    )
    source = models.CharField(max_length=12, choices=Source, default=Source.OPERATOR)
    url = models.CharField(
        "address",
        max_length=300,
        blank=True,
        validators=[check_address],
        help_text="Of its API; a part of it that is yours stands in braces: {API_KEY}.",
    )
    addresses = models.JSONField(
        "further addresses", default=list, blank=True, validators=[check_addresses]
    )
    docs_url = models.CharField("its docs", max_length=300, blank=True, validators=[check_address])
    signup_url = models.CharField(
        "where to get a key", max_length=300, blank=True, validators=[check_address]
    )
    auth = models.CharField("what it wants", max_length=10, choices=Auth, default=Auth.UNKNOWN)
    key_in = models.CharField("where the key goes", max_length=10, choices=KeyIn, blank=True)
    key_name = models.CharField(
        "name of the parameter", max_length=60, blank=True, help_text="Its name, never the key."
    )
    key_env = models.JSONField(
        "variables that usually hold the key", default=list, blank=True, validators=[check_words]
    )
    chains = models.JSONField(default=list, blank=True, validators=[check_words])
    limits = models.JSONField(
        default=list,
        blank=True,
        validators=[check_claims],
        help_text="What is said of them, where and when; nobody here enforces them.",
    )
    priority = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(100)],
        help_text="0 to 100, how highly the lists think of it; empty: they do not say.",
    )
    flags = models.JSONField(default=list, blank=True, validators=[check_flags])
    probe_url = models.CharField(
        "address to look at",
        max_length=300,
        blank=True,
        validators=[check_address],
        help_text="The cheapest thing to ask whether it is there; empty: its address.",
    )
    probe_rpc = models.CharField(
        "JSON-RPC method to ask",
        max_length=60,
        blank=True,
        help_text="Asked of the address instead, by POST: eth_chainId.",
    )
    providers = models.JSONField(
        default=list,
        blank=True,
        validators=[check_words],
        help_text="Providers of ours that speak for it, by their names.",
    )
    notes = models.TextField(blank=True)

    objects = ResourceQuerySet.as_manager()

    class Meta:
        ordering = ["category", "slug"]

    def __str__(self) -> str:
        return self.slug

    @property
    def probe(self) -> str:
        """What may be asked without a key of ours; "" where there is nothing to ask."""
        address = (self.url if self.probe_rpc else self.probe_url) or self.url
        asked = address.startswith("http") and "{" not in address
        return address if asked and Flag.RETIRED not in self.flags else ""
