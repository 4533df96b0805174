"""Rules, alerts and service levels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.timezone import now

from aggregator import readouts
from monitoring import metrics, readings
from monitoring.acknowledging import acknowledge
from monitoring.alerts import burning
from monitoring.alerts.models import Alert, AlertRule, Measured, Slo
from monitoring.badges import GoesOn, Looked, severity_badge
from providers.admin.bases import ModelForm
from providers.admin.edits import Obeyed, log_change, who
from providers.wording import span

NOTHING = "\N{EN DASH}"
MOST_SHOWN = 3


def metric_choices(current: str = "") -> list[tuple[str, str]]:
    found = [
        (item.name, f"{item.title} ({item.unit or 'number'}){', forecast' * item.predictive}")
        for item in metrics.known()
    ]
    if current and metrics.get(current) is None:
        found.append((current, f"{current} (nobody measures it yet)"))
    return found


class RuleForm(ModelForm):
    metric = forms.ChoiceField(choices=metric_choices, help_text="What is measured, every minute.")

    class Meta:
        model = AlertRule
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "metric" in self.fields:
            choice: Any = self.fields["metric"]
            choice.choices = metric_choices(self.instance.metric)


@admin.register(AlertRule)
class AlertRuleAdmin(Obeyed):
    form = RuleForm
    forget: Callable[[], None] = staticmethod(readings.forget)
    list_display = ("name", "condition", "now_it_is", "severity", "enabled", "notify")
    list_editable = ("severity", "enabled", "notify")
    list_filter = ("severity", "enabled", "notify")
    search_fields = ("name", "metric", "scope")
    list_per_page = 100
    show_full_result_count = False
    readonly_fields = ("now_it_is",)
    fieldsets = (
        (None, {"fields": ("name", "enabled", "notify", "severity", "now_it_is")}),
        ("What", {"fields": ("metric", "scope")}),
        (
            "When",
            {"fields": ("direction", "threshold", "for_s", "clear_at", "clear_for_s")},
        ),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What is shipped is switched off; deleted, the next release would bring it back."""
        return super().has_delete_permission(request, obj) and not (obj and obj.slug)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertRule]:
        return super().get_queryset(request).prefetch_related("measured")

    @admin.display(description="condition")
    def condition(self, row: AlertRule) -> str:
        metric = metrics.get(row.metric)
        limit = metric.spell(row.threshold) if metric else f"{row.threshold:g}"
        title = metric.title if metric else row.metric
        lasts = f" for {span(row.for_s)}" if row.for_s else ""
        whose = f" of {row.scope}" if row.scope else ""
        forecast = "Forecast: " if metric and metric.predictive else ""
        if metric and metric.flag:
            return f"{title}{whose}{lasts}"
        return f"{forecast}{title}{whose} {row.direction} {limit}{lasts}"

    @admin.display(description="measured now")
    def now_it_is(self, row: AlertRule) -> str:
        if row.pk is None or not row.enabled:
            return NOTHING
        metric = metrics.get(row.metric)
        found = [one for one in row.measured.all() if one.value is not None]
        if metric is None or not found:
            notes = {one.note for one in row.measured.all() if one.note}
            return "; ".join(sorted(notes)) or "not looked yet"
        found.sort(key=lambda one: one.value or 0.0, reverse=row.direction == "above")
        shown = [_of(one, metric) for one in found[:MOST_SHOWN]]
        more = len(found) - len(shown)
        return "; ".join(shown) + (f"; {more} more" if more > 0 else "")


def _of(row: Measured, metric: metrics.Metric) -> str:
    whose = f"{row.scope} " if row.scope else ""
    fires = " (alert)" if row.firing else ""
    return f"{whose}{metric.spell(row.value or 0.0)}{fires}"


@admin.register(Alert)
class AlertAdmin(Looked):
    when_empty = "No figure was too high or too low for long enough."
    list_display = ("said", "how_it_is", "began_at", "ended_at", "at_worst", "forecast", "taken_by")
    list_filter = (GoesOn, "severity", "predictive")
    list_select_related = ("rule",)
    search_fields = ("said", "scope")
    actions = ("take",)

    @admin.display(description="state")
    def how_it_is(self, row: Alert) -> SafeString:
        return severity_badge(row.severity, is_open=row.is_open)

    @admin.display(description="at worst")
    def at_worst(self, row: Alert) -> str:
        metric = metrics.get(row.rule.metric)
        return metric.spell(row.worst) if metric else f"{row.worst:g}"

    @admin.display(description="forecast")
    def forecast(self, row: Alert) -> str:
        return "yes" if row.predictive else NOTHING

    @admin.display(description="taken by")
    def taken_by(self, row: Alert) -> str:
        return row.acknowledged_by or NOTHING

    def has_take_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("monitoring.change_alert"))

    @admin.action(description="Take: somebody is looking at it", permissions=["take"])
    def take(self, request: HttpRequest, rows: QuerySet[Alert]) -> None:
        taken = [row for row in rows if acknowledge(row, who(request), now())]
        log_change(request, taken, "Taken.")
        self.message_user(request, f"{len(taken)} taken: no more reminders of them.")


def bound_choices() -> list[tuple[float, str]]:
    return [(1000 * bound, f"{1000 * bound:,g} ms") for bound in readouts.BOUNDS_S]


def dataset_choices() -> list[tuple[str, str]]:
    return [("", "all in real time"), *((name, name) for name in readouts.data_routes())]


class SloForm(ModelForm):
    within_ms = forms.TypedChoiceField(
        label="Within", coerce=float, choices=bound_choices, initial=1000.0
    )
    dataset = forms.ChoiceField(
        choices=dataset_choices,
        required=False,
        help_text="In real time are /api/market and all below it; or one route of data.",
    )

    class Meta:
        model = Slo
        fields = "__all__"


@admin.register(Slo)
class SloAdmin(Obeyed):
    form = SloForm
    forget: Callable[[], None] = staticmethod(readings.forget)
    list_display = ("name", "promise", "kept", "budget", "burns", "enabled")
    list_editable = ("enabled",)
    readonly_fields = ("kept", "budget", "burns")
    fields = (
        *("name", "objective_percent", "within_ms", "dataset", "window_days", "enabled"),
        *("kept", "budget", "burns"),
    )

    @admin.display(description="promise")
    def promise(self, row: Slo) -> str:
        whose = f" of {row.dataset}" if row.dataset else ""
        return f"{row.objective_percent:g} %{whose} within {row.within_ms:g} ms"

    def _told(self, row: Slo) -> dict[str, burning.Tally]:
        known: dict[str, burning.Tally] | None = getattr(row, "_told", None)
        if known is None:
            known = burning.counts(row, now()) if row.pk else {}
            row._told = known  # type: ignore[attr-defined]
        return known

    @admin.display(description="kept")
    def kept(self, row: Slo) -> str:
        whole = self._told(row).get("all")
        if whole is None or whole.percent is None:
            return "nothing measured"
        return f"{whole.percent:.2f} % of {whole.total:,} requests in {row.window_days} days"

    @admin.display(description="budget left")
    def budget(self, row: Slo) -> str:
        whole = self._told(row).get("all")
        left = burning.budget_left(whole, row.objective_percent) if whole else None
        return NOTHING if left is None else f"{left:.0f} %"

    @admin.display(description="burn rate")
    def burns(self, row: Slo) -> str:
        told = self._told(row)
        rates = {
            name: burning.burn(told[name], row.objective_percent)
            for name in burning.WINDOWS
            if name in told
        }
        said = [f"{name} {rate:.1f}" for name, rate in rates.items() if rate is not None]
        return ", ".join(said) or "too few requests"
