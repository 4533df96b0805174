"""The book of calls: who was asked what, and how it went."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from providers.admin.edits import BoundedPaginator, ReadOnly
from providers.datasets import DATASETS, PING
from providers.errors import Failed, ProviderError
from providers.models import Call
from providers.wording import outcome


class _Fixed(admin.SimpleListFilter):
    """A filter whose choices are known: looking for them in a huge table takes seconds."""

    field: str

    def queryset(self, request: HttpRequest, queryset: QuerySet[Call]) -> QuerySet[Call]:
        return queryset.filter(**{self.field: self.value()}) if self.value() else queryset


class OutcomeFilter(_Fixed):
    title = parameter_name = field = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(code, code) for code in ("ok", *sorted(_codes(Failed)))]


def _codes(kind: type[ProviderError]) -> set[str]:
    """Codes that stand in the book: of `kind` and all below it."""
    return {kind.code}.union(*(_codes(below) for below in kind.__subclasses__()))


class DatasetFilter(_Fixed):
    title = parameter_name = field = "dataset"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(name, name) for name in (*DATASETS, PING.name)]


@admin.register(Call)
class CallAdmin(ReadOnly):
    when_empty = "Nobody was asked yet."
    list_display = (
        "when",
        "provider",
        "dataset",
        "outcome",
        "took",
        "rows",
        "bytes",
        "purpose",
        "detail",
    )
    list_filter = ("provider", OutcomeFilter, DatasetFilter, ("at", admin.DateFieldListFilter))
    list_select_related = ("provider",)
    list_per_page = 50
    sortable_by = ()
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = None
    fields = (
        "at",
        "provider",
        "credential",
        "dataset",
        "purpose",
        "in_words",
        "detail",
        "took",
        "rows",
        "dropped",
        "bytes",
        "cost",
    )
    readonly_fields = ("took", "in_words")

    @admin.display(description="when (UTC)")
    def when(self, row: Call) -> str:
        return f"{row.at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="took")
    def took(self, row: Call) -> str:
        return f"{row.seconds * 1000:,.0f} ms"

    @admin.display(description="outcome")
    def in_words(self, row: Call) -> str:
        return f"{row.outcome}: {outcome(row.outcome)}"
