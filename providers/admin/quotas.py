"""Columns of the list of keys, and what a page says of one: plan, usage, forecast and state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from providers.keyring import KeyNow, keys_now
from providers.models import Credential
from providers.quota import Quota
from providers.resilience import Tokens, Window
from providers.usage import Subject, quotas_of, sentence
from providers.wording import span

NOTHING = "\N{EN DASH}"


class KeyList(ChangeList):
    """Rows with `now`: KeyNow, counted for the whole page at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: Any = self.result_list
        found = keys_now(rows)
        for row in rows:
            row.now = found[row.pk]


def now_of(row: Credential) -> KeyNow:
    """As the list has it, or counted for this one."""
    known: KeyNow | None = vars(row).get("now")
    if known is None:
        known = vars(row)["now"] = keys_now([row])[row.pk]
    return known


class KeyColumns:
    """What may be known of a key without knowing it."""

    @admin.display(description="from", ordering="created_at")
    def set_on(self, row: Credential) -> str:
        if row.env_name:
            return f"the environment: {row.env_name}"
        return f"set on {row.created_at:%Y-%m-%d}" if row.secret else "not set"

    @admin.display(description="state")
    def state(self, row: Credential) -> str:
        return now_of(row).state if row.pk else NOTHING

    @admin.display(description="plan")
    def plan_told(self, row: Credential) -> str:
        """What its provider told of it; else the limits are those of the provider's row."""
        if not row.plan_limits:
            return NOTHING
        limits = (f"{limit['limit']:,.0f} in {span(limit['per_s'])}" for limit in row.plan_limits)
        said = " and ".join(limits)
        return f"{row.plan}: {said}" if row.plan else said

    @admin.display(description="used")
    def used(self, row: Credential) -> str:
        quota = now_of(row).tightest
        if quota is None:
            return NOTHING
        return f"{quota.used:,.0f} of {quota.limit:,.0f} in {span(quota.per_s)}"

    @admin.display(description="%")
    def percent(self, row: Credential) -> str:
        quota = now_of(row).tightest
        if quota is None:
            return NOTHING
        said = f"{quota.share * 100:.0f}\N{NO-BREAK SPACE}%"
        return f"{said} (!)" if quota.is_warned_of else said

    @admin.display(description="forecast")
    def forecast(self, row: Credential) -> str:
        return forecast(now_of(row).tightest)

    @admin.display(description="limits")
    def every_window(self, row: Credential) -> SafeString | str:
        """Each window in words: what may go out now of a rate, what is used of a quota."""
        if not row.pk:
            return NOTHING
        quotas = {quota.per_s: quota for quota in now_of(row).quotas}
        standing = row.guard.standing()
        said = [
            sentence(quotas[window.per_s])
            if window.per_s in quotas
            else _rate(window, standing.tokens.get(window.name), row.guard.clock())
            for window in row.windows
        ]
        return _lines(said) if said else "Nothing is counted for it."


def _rate(window: Window, tokens: Tokens | None, now: float) -> str:
    level = window.learned(tokens).refill(tokens, now).level
    return f"{window.limit:,.0f} in {span(window.per_s)}: {max(0.0, level):,.0f} may go out now"


def forecast(quota: Quota | None) -> str:
    """When it ends at today's pace, in words."""
    if quota is None:
        return NOTHING
    ends = quota.ends_in_s
    if ends is None:
        return "lasts" if quota.pace else "lasts: not used today"
    return f"ends in {span(ends)}" if ends else "nothing is left"


def of_address(subject: Subject) -> list[str]:
    """What a provider's own quotas are at, a sentence each."""
    found: Mapping[str, Iterable[Quota]] = quotas_of([subject])
    return [f"{sentence(quota)}." for quota in found.get(subject.name, ())]


def _lines(sentences: Iterable[str]) -> SafeString:
    begun = ((f"{said[:1].upper()}{said[1:]}.",) for said in sentences)
    return format_html_join("", "<div>{}</div>", begun)
