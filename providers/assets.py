"""
What is traded, by an id of ours: coins, and what exchanges of another kind list.

What providers call an asset stands in its listings, and under which addresses chains know it in
its contracts. Which asset a word means is decided in `meaning`.
"""

from __future__ import annotations

import re

from django.db import models

from providers.querysets import AssetQuerySet


class Kind(models.TextChoices):
    """What sort of thing it is; a word that fits several means the first of these."""

    CRYPTO = "crypto", "crypto: a coin or token"
    EQUITY = "equity", "equity: a share or a fund"
    INDEX = "index", "index: counted in points"
    FX = "fx", "fx: one currency in another"
    COMMODITY = "commodity", "commodity: a raw material"
    RATE = "rate", "rate: a yield, in percent"


class Asset(models.Model):
    """Something with a price, by an id of ours."""

    slug = models.SlugField(unique=True)
    symbol = models.CharField(max_length=20, db_index=True)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.CRYPTO)
    currency = models.CharField(
        max_length=10,
        blank=True,
        help_text="What it is quoted in. Empty: anything (coins), or points of its own (indices).",
    )
    order = models.PositiveIntegerField(
        default=0,
        help_text="Among those of one symbol and kind without a market cap: lowest first.",
    )
    market_cap = models.DecimalField(
        max_digits=40,
        decimal_places=8,
        null=True,
        blank=True,
        editable=False,
        help_text="In USD, as a provider's ranking last said: of one symbol the largest is meant.",
    )
    ranked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = AssetQuerySet.as_manager()

    class Meta:
        ordering = ["order", "slug"]

    def __str__(self) -> str:
        return f"{self.symbol} ({self.name})"


class Listing(models.Model):
    """What the providers of one adapter call an asset, quoted in `quote` ("" for plain ids)."""

    asset = models.ForeignKey(Asset, models.CASCADE, related_name="listings")
    adapter_name = models.CharField(max_length=50)
    quote = models.CharField(max_length=10, blank=True)
    external_id = models.CharField(max_length=120)
    learned_at = models.DateTimeField(
        null=True, blank=True, help_text="When the provider's own list said so; empty: catalogue."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asset", "adapter_name", "quote"], name="one_listing_an_asset_and_quote"
            )
        ]
        indexes = [models.Index(fields=["adapter_name"])]

    def __str__(self) -> str:
        return f"{self.adapter_name}: {self.external_id}"


class Contract(models.Model):
    """Where an asset lives on one chain, as a provider's own list says; never written by hand."""

    asset = models.ForeignKey(Asset, models.CASCADE, related_name="contracts")
    chain = models.CharField(max_length=60)
    address = models.CharField(max_length=120, db_index=True)
    adapter_name = models.CharField(max_length=50, help_text="Whose list says so.")
    learned_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["adapter_name", "chain", "address"], name="one_asset_an_address"
            )
        ]

    def __str__(self) -> str:
        return f"{self.chain}: {self.address}"


def spelled(address: str) -> str:
    """An address as it is stored and looked for: hexadecimal ones are the same in any case."""
    return address.lower() if re.fullmatch(r"0[xX][0-9a-fA-F]+", address) else address
