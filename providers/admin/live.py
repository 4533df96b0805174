"""What is true of a provider at this moment, as the admin shows it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from providers.models import Provider
from providers.overview import ProviderNow, providers_now
from providers.resilience import Phase
from providers.standing import Status
from providers.wording import span

NOTHING = "\N{EN DASH}"

Shown = str | SafeString


class LiveChangeList(ChangeList):
    """Rows with `live`: ProviderNow, read for the whole page at once; None for a dangling name."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: Any = self.result_list
        found = by_slug(rows)
        for row in rows:
            row.live = found.get(row.slug)


def by_slug(rows: Any) -> dict[str, ProviderNow]:
    return {item.provider.slug: item for item in providers_now(rows)}


def now_of(provider: Provider) -> ProviderNow | None:
    return by_slug([provider]).get(provider.slug)


def status_of(item: ProviderNow | None) -> str:
    return str(item.status) if item else str(Status.MISCONFIGURED)


def badge(item: ProviderNow | None) -> SafeString:
    """Shape, word and reason."""
    status = status_of(item)
    reason = item.reason if item else "names an adapter that does not exist"
    word = status.replace("_", " ")
    mark = render_to_string("parts/status.html", {"status": status, "word": word})
    return format_html('{}<small class="reason">{}</small>', mark, reason)


class LiveColumns:
    """Columns of the list of providers."""

    @admin.display(description="status")
    def live_status(self, row: Any) -> SafeString:
        return badge(row.live)

    @admin.display(description="circuit")
    def live_circuit(self, row: Any) -> str:
        return circuit(row.live)

    @admin.display(description="budget left")
    def live_tokens(self, row: Any) -> str:
        left = row.live.tokens_left_percent if row.live else None
        return NOTHING if left is None else f"{left:.0f} %"

    @admin.display(description="succeeds")
    def live_success(self, row: Any) -> str:
        rate = row.live.success_rate_percent if row.live else None
        return NOTHING if rate is None else f"{rate:.1f} %"

    @admin.display(description="latency")
    def live_latency(self, row: Any) -> str:
        latency = row.live.latency_ms if row.live else None
        return NOTHING if latency is None else f"{latency:,.0f} ms"


def circuit(item: ProviderNow | None) -> str:
    if item is None:
        return NOTHING
    if item.phase is Phase.OPEN:
        return f"open, rests {span(item.resting_s)} more"
    return str(item.phase)
