"""The catalogue's vocabulary: filters that read aloud, and annotations. Reads only."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Self

from django.db.models import Avg, Count, F, FilteredRelation, FloatField, Q, QuerySet, Value
from django.db.models.functions import Cast, NullIf
from django.utils.timezone import now

from providers import registry
from providers.datasets import Dataset

if TYPE_CHECKING:
    from providers.models import Asset, Call, Credential, Provider  # noqa: F401

# Outcomes that say nothing about how well a provider does its work: we did not call, it knew
# no such symbol, or our own key or quota was at fault.
NO_VERDICT = (
    *("missing", "unserved", "plan_limit", "bad_key", "throttled", "loading", "cancelled"),
    *("not_allowed", "quota_spent", "no_credit", "rejected", "declined", "model_gone", "busy"),
)


class ProviderQuerySet(QuerySet["Provider"]):
    def enabled(self) -> Self:
        return self.filter(enabled=True)

    def offering(self, dataset: Dataset) -> Self:
        declared = Q(adapter_name=registry.DECLARED, mapping__datasets__has_key=dataset.name)
        return self.filter(Q(adapter_name__in=registry.offering(dataset)) | declared)

    def with_record(self, *, since: datetime | None = None) -> Self:
        """
        Annotate `calls`, `successes`, `success_rate` (0..1, None without calls) and `latency_s`
        (mean of the successful, or None) over the last day.
        """
        day = Q(calls_made__at__gte=since or now() - timedelta(days=1))
        good = Q(recent__outcome="ok")
        return self.annotate(
            recent=FilteredRelation("calls_made", condition=day),  # or the whole week is read
            calls=Count("recent"),
            successes=Count("recent", filter=good),
            success_rate=Cast(F("successes"), FloatField())
            / NullIf(Count("recent", filter=~Q(recent__outcome__in=NO_VERDICT)), Value(0)),
            latency_s=Avg("recent__seconds", filter=good),
        )


class CredentialQuerySet(QuerySet["Credential"]):
    def usable(self) -> Self:
        """Enabled, and not set aside because the provider refused them."""
        return self.filter(enabled=True, set_aside_at=None)

    def stored(self) -> Self:
        """Those whose key is in the database, not in an environment variable."""
        return self.filter(env_name="")


class AssetQuerySet(QuerySet["Asset"]):
    def coins(self) -> Self:
        return self.filter(kind="crypto")


class CallQuerySet(QuerySet["Call"]):
    def since(self, moment: datetime) -> Self:
        return self.filter(at__gte=moment)

    def ok(self) -> Self:
        return self.filter(outcome="ok")

    def latency(self, share: float) -> float | None:
        """The percentile `share` (0..1) of the seconds of successful calls, nearest rank."""
        seconds = self.ok().order_by("seconds").values_list("seconds", flat=True)
        count = seconds.count()
        if not count:
            return None
        return float(seconds[max(0, ceil(count * share) - 1)])
