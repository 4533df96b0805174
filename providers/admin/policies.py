"""How long answers are kept, and whom a dataset asks first."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from providers.admin.edits import Obeyed
from providers.datasets import DATASETS, OHLC
from providers.models import Policy
from providers.wording import effect, span


@admin.register(Policy)
class PolicyAdmin(Obeyed):
    list_display = ("titled", "asked", "fresh", "stale", "effect")
    fieldsets = (
        (
            None,
            {
                "description": (
                    "Edits hold for answers that come from now on; what is on the shelf keeps the "
                    "times it was shelved with."
                ),
                "fields": ("dataset", "effect", "fresh_s", "stale_s", "strategy"),
            },
        ),
    )
    readonly_fields = ("effect",)
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, "dataset") if obj else self.readonly_fields

    @admin.display(description="dataset", ordering="dataset")
    def titled(self, row: Policy) -> SafeString:
        return format_html("{}<small>{}</small>", row.get_dataset_display(), row.dataset)

    @admin.display(description="asked first", ordering="strategy")
    def asked(self, row: Policy) -> str:
        return row.get_strategy_display().partition(":")[0]

    @admin.display(description="fresh for", ordering="fresh_s")
    def fresh(self, row: Policy) -> str:
        if row.fresh_s is not None:
            return span(row.fresh_s)
        dataset = DATASETS.get(row.dataset)
        if dataset is OHLC:
            return "by interval"
        return span(dataset.fresh_s) if dataset else "\N{EN DASH}"

    @admin.display(description="then served stale for", ordering="stale_s")
    def stale(self, row: Policy) -> str:
        if row.stale_s is not None:
            return span(row.stale_s)
        dataset = DATASETS.get(row.dataset)
        return span(dataset.stale_s) if dataset else "\N{EN DASH}"

    @admin.display(description="what this means")
    def effect(self, row: Policy) -> str:
        if not row.dataset:
            return "Choose a dataset and save to see."
        return effect(row.dataset, row.fresh_s, row.stale_s)
