"""Assets, and what the providers of each adapter call them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from providers.admin.bases import ModelForm
from providers.admin.edits import Obeyed
from providers.admin.fields import listing_choices
from providers.admin.labels import TabularInline
from providers.admin.resources import NOTHING
from providers.models import Asset, Listing


class ListingForm(ModelForm):
    class Meta:
        model = Listing
        fields = ("adapter_name", "quote", "external_id")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["adapter_name"] = forms.ChoiceField(
            choices=listing_choices(self.instance.adapter_name), label="Adapter"
        )
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{field.label} of this listing"


class ListingInline(TabularInline):
    model = Listing
    form = ListingForm
    fields = ("adapter_name", "quote", "external_id", "learned_at")
    readonly_fields = ("learned_at",)
    ordering = ("adapter_name", "quote")
    extra = 0
    verbose_name_plural = "what providers call it"


@admin.register(Asset)
class AssetAdmin(Obeyed):
    list_display = ("symbol", "name", "short_kind", "slug", "capitalisation", "listing_count")
    list_filter = ("kind",)
    readonly_fields = ("market_cap", "ranked_at", "contract_list")
    search_fields = ("=symbol", "name", "slug")
    inlines = (ListingInline,)
    list_per_page = 100
    show_full_result_count = False
    fieldsets = (
        (
            None,
            {
                "description": (
                    "Something with a price, by an id of ours. Visitors may name it by id, "
                    "contract address, symbol or name. Of several with one symbol a coin is meant "
                    "before a share, then the largest by market cap, then the lowest order; "
                    "answers call the others by their id."
                ),
                "fields": ("symbol", "name", "slug", "kind", "currency", "order"),
            },
        ),
        (
            "What providers told us",
            {
                "description": "Refreshed every day; nobody writes it by hand.",
                "fields": ("market_cap", "ranked_at", "contract_list"),
            },
        ),
    )

    @admin.display(description="market cap, USD", ordering="market_cap")
    def capitalisation(self, row: Asset) -> str:
        return NOTHING if row.market_cap is None else f"{row.market_cap:,.0f}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Asset]:
        rows: QuerySet[Asset] = super().get_queryset(request)
        return rows.annotate(listing_count=Count("listings"))

    @admin.display(description="kind", ordering="kind")
    def short_kind(self, row: Asset) -> str:
        return row.kind

    @admin.display(description="contracts")
    def contract_list(self, row: Any) -> str:
        places = {f"{contract.chain}: {contract.address}" for contract in row.contracts.all()}
        return ", ".join(sorted(places)) or "none is known"

    @admin.display(description="listings", ordering="listing_count")
    def listing_count(self, row: Any) -> int:
        count: int = row.listing_count
        return count
