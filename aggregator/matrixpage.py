"""The admin's page of the capability matrix: who answers which dataset, and how well it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from aggregator import capabilities
from providers import roster
from providers.datasets import Dataset
from providers.models import Policy, Provider
from providers.roster import Roster

DATASETS = tuple(query.dataset for query in capabilities.ASKED)
ANY = ("", "any")


@dataclass(frozen=True)
class Column:
    """A dataset, and where its policy is edited; no address for those who may not look at it."""

    dataset: Dataset
    address: str


@dataclass(frozen=True)
class Row:
    """A provider with a cell of `capabilities.matrix` for each column, in their order."""

    provider: Provider
    cells: Sequence[Mapping[str, Any]]

    @property
    def lacks_key(self) -> bool:
        return any(cell["key_needed"] and not cell["has_key"] for cell in self.cells)


class Filters(forms.Form):
    """Which part of the matrix is shown: all of it unless something is chosen."""

    category = forms.ChoiceField(required=False)
    dataset = forms.ChoiceField(
        required=False, choices=[ANY, *((dataset.name, dataset.title) for dataset in DATASETS)]
    )
    enabled = forms.ChoiceField(
        required=False, choices=[ANY, ("yes", "switched on"), ("no", "switched off")]
    )

    def __init__(self, catalogue: Roster, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = sorted({provider.category for provider in catalogue.providers} - {""})
        self.fields["category"] = forms.ChoiceField(
            required=False, choices=[ANY, *((name, name) for name in known)]
        )

    def clean(self) -> dict[str, Any]:
        """A misspelled filter would show everything as if it had matched."""
        unknown = sorted(set(self.data) - set(self.fields))
        if unknown:
            names = ", ".join(self.fields)
            raise forms.ValidationError(f"No filter is called {unknown[0]!r}. There are: {names}.")
        return self.cleaned_data

    def admits(self, row: Row) -> bool:
        """Of one dataset, only those who offer it are shown."""
        chosen = self.cleaned_data
        return (
            chosen["category"] in ("", row.provider.category)
            and chosen["enabled"] in ("", "yes" if row.provider.enabled else "no")
            and (not chosen["dataset"] or any(cell["supported"] for cell in row.cells))
        )


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    if not admin.site.get_model_admin(Provider).has_view_permission(request):
        raise PermissionDenied
    catalogue = roster.current()
    filters = Filters(catalogue, request.GET)
    if not filters.is_valid():
        return _page(request, filters)
    shown = filters.cleaned_data["dataset"]
    datasets = [dataset for dataset in DATASETS if shown in ("", dataset.name)]
    return _page(
        request,
        filters,
        columns=[Column(dataset, _policy(request, catalogue, dataset)) for dataset in datasets],
        rows=list(filter(filters.admits, _rows(catalogue, datasets))),
        total=len(catalogue.providers),
    )


def _rows(catalogue: Roster, datasets: Sequence[Dataset]) -> list[Row]:
    wanted = {dataset.name for dataset in datasets}
    cells: dict[str, list[dict[str, Any]]] = {}
    for cell in capabilities.matrix():
        if cell["dataset"] in wanted:
            cells.setdefault(cell["provider"], []).append(cell | {"state": _state(cell)})
    # One that came or went between the two readings is left to the next.
    known = (provider for provider in catalogue.providers if provider.slug in cells)
    return [Row(provider, cells[provider.slug]) for provider in known]


def _state(cell: Mapping[str, Any]) -> str:
    """Whether it is asked; who is switched off would not be asked with a key either."""
    if not cell["supported"]:
        return "no"
    if not cell["enabled"]:
        return "off"
    return "keyless" if cell["key_needed"] and not cell["has_key"] else "yes"


def _policy(request: HttpRequest, catalogue: Roster, dataset: Dataset) -> str:
    """Where its policy is, or where one is added."""
    policies, policy = admin.site.get_model_admin(Policy), catalogue.policies.get(dataset.name)
    if policy and policies.has_view_permission(request):
        return reverse("admin:providers_policy_change", args=[policy.pk])
    if not policy and policies.has_add_permission(request):
        return f"{reverse('admin:providers_policy_add')}?{urlencode({'dataset': dataset.name})}"
    return ""


def _page(request: HttpRequest, filters: Filters, **context: Any) -> HttpResponse:
    site = admin.site.each_context(request)
    return render(
        request,
        "admin/matrix.html",
        {**site, "title": "Capability matrix", "filters": filters, **context},
        status=200 if filters.is_valid() else 400,
    )
