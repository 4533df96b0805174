"""Filters of the list of providers: how they are now, and what they may be asked."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from providers.admin import live
from providers.datasets import DATASETS
from providers.models import Provider
from providers.standing import Status


class StatusFilter(admin.SimpleListFilter):
    """As its column says; a provider whose adapter is gone is misconfigured."""

    title, parameter_name = "status", "status"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(status.value, status.value.replace("_", " ")) for status in Status]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Provider]) -> QuerySet[Provider]:
        if not self.value():
            return queryset
        rows = list(Provider.objects.all())
        found = live.by_slug(rows)
        of_it = [row.pk for row in rows if live.status_of(found.get(row.slug)) == self.value()]
        return queryset.filter(pk__in=of_it)


class DatasetFilter(admin.SimpleListFilter):
    """What its adapter offers, be it switched off."""

    title, parameter_name = "offers", "dataset"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(d.name, d.title) for d in DATASETS.values() if not d.derived]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Provider]) -> QuerySet[Provider]:
        if not self.value():
            return queryset
        able = [row.pk for row in Provider.objects.all() if self.value() in offered(row)]
        return queryset.filter(pk__in=able)


def offered(row: Provider) -> set[str]:
    """The names of the datasets that its adapter offers."""
    try:
        return {query.dataset.name for query in row.adapter_class.offers}
    except KeyError:
        return set()  # no adapter is called so
