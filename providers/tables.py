"""
The rows an operator may edit, by names that mean the same on every installation.

What of a row is configuration is read off its model, so that a new column is upgraded, exported and
imported like the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import models

from providers.models import AiModel, Asset, Listing, Policy, Provider, Resource

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True)
class Table(Generic[M]):
    """
    The rows of one model, called by the value of the field `key`. Where `whole`, an export tells
    each of them; else those that differ from the catalogue. `left_out` are columns that an operator
    edits and that are no configuration, each with the reason.
    """

    name: str
    model: type[M]
    key: str
    whole: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict, hash=False)

    @cached_property
    def fields(self) -> dict[str, models.Field[Any, Any]]:
        """The columns that are configuration: those an operator may edit, but the name itself."""
        return {
            column.name: column
            for column in self.model._meta.concrete_fields
            if column.editable and not column.primary_key and not column.is_relation
            if column.name not in self.names and column.name not in self.left_out
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are the name of a row."""
        return (self.key,)

    @cached_property
    def needed(self) -> list[str]:
        """What a new row must say."""
        return [
            name
            for name, column in self.fields.items()
            if not column.has_default() and not column.blank and not column.null
        ]

    def defaults(self) -> dict[str, Any]:
        """What a row says where nobody said anything."""
        return {
            name: column.get_default()
            for name, column in self.fields.items()
            if name not in self.needed
        }

    def rows(self) -> dict[str, M]:
        return {self.name_of(row): row for row in self.model._default_manager.all()}

    def name_of(self, row: M) -> str:
        return str(getattr(row, self.key))

    def values(self, row: M) -> dict[str, Any]:
        return {name: getattr(row, name) for name in self.fields}

    def make(self, key: str) -> M:
        """A row of that name that is not saved yet; LookupError when it cannot be."""
        return self.model(**{self.key: key})

    def is_settled(self, row: M) -> bool:
        """Does the row say what a provider itself said? Then no list knows better."""
        return False

    def is_told(self, row: M) -> bool:
        """May an export tell the row? Not what makes itself anew wherever it is needed."""
        return not self.is_settled(row)


class Listings(Table[Listing]):
    """Listings are called ASSET/ADAPTER/QUOTE; the quote of a plain id is empty."""

    @property
    def names(self) -> tuple[str, ...]:
        return ("asset", "adapter_name", "quote", "learned_at")

    def rows(self) -> dict[str, Listing]:
        return {self.name_of(row): row for row in Listing.objects.select_related("asset")}

    def name_of(self, row: Listing) -> str:
        return f"{row.asset.slug}/{row.adapter_name}/{row.quote}"

    def make(self, key: str) -> Listing:
        slug, adapter, quote = self.parts(key)
        asset = Asset.objects.filter(slug=slug).first()
        if asset is None:
            raise LookupError(f"no asset is called {slug!r}")
        return Listing(asset=asset, adapter_name=adapter, quote=quote)

    def parts(self, key: str) -> tuple[str, str, str]:
        if key.count("/") != 2:
            raise LookupError("a listing is called ASSET/ADAPTER/QUOTE")
        slug, adapter, quote = key.split("/")
        return slug, adapter, quote

    def is_settled(self, row: Listing) -> bool:
        return row.learned_at is not None


PROVIDERS = Table("providers", Provider, "slug", whole=True)
POLICIES = Table("policies", Policy, "dataset", whole=True)
ASSETS = Table("assets", Asset, "slug")
LISTINGS = Listings("listings", Listing, "external_id")
RESOURCES = Table("resources", Resource, "slug")
AI_MODELS = Table("ai_models", AiModel, "model_id")
TABLES: tuple[Table[Any], ...] = (PROVIDERS, POLICIES, ASSETS, LISTINGS, RESOURCES, AI_MODELS)

ADDED: list[Table[Any]] = []  # those of apps above this one


def add(*tables: Table[Any]) -> None:
    """Have the rows of another app exported and imported too; for its `ready`."""
    known = {table.name for table in ADDED}
    ADDED.extend(table for table in tables if table.name not in known)
