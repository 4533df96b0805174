"""The shared cells: circuits, budgets and leases as they are stored. For superusers, to look at."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib import admin

from providers.admin.edits import BoundedPaginator, ForSuperusers
from providers.models import Cell


@admin.register(Cell)
class CellAdmin(ForSuperusers):
    list_display = ("key", "version", "expires")
    fields = ("key", "value", "version", "expires")
    readonly_fields = ("expires",)
    search_fields = ("key",)
    ordering = ("key",)
    paginator = BoundedPaginator
    show_full_result_count = False
    actions = None

    @admin.display(description="expires", ordering="expires_at")
    def expires(self, row: Cell) -> datetime:
        return datetime.fromtimestamp(row.expires_at, UTC)
