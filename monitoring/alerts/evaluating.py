"""
The worker's look at every rule: measure, judge, and write what changed of it, with the notices, in
one transaction. One worker at a time looks; a metric that fails harms no other.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction

from monitoring import metrics, turns
from monitoring.alerts.models import Alert, AlertRule, Measured
from monitoring.alerts.rules import Change, Rule, State, step
from monitoring.metrics import Figures, Metric
from monitoring.notices import outbox
from monitoring.notices.models import Event

logger = logging.getLogger("monitoring.alerts")

LENGTH = timedelta(seconds=50)  # of a turn: a task of the worker has 55 seconds
NO_METRIC = "no such metric yet: nothing measured"
MOST_SCOPES = 2000


def run(moment: datetime) -> str:
    """Look at every rule that is on; a sentence for the log."""
    token = turns.claim("alerts", moment, LENGTH)
    if token is None:
        return "another worker looks"
    try:
        figures: dict[str, Figures | None] = {}
        opened = closed = 0
        for rule in AlertRule.objects.filter(enabled=True):
            changes = _look(rule, figures, moment, token)
            opened += changes.count(Change.OPENED)
            closed += len(changes) - changes.count(Change.OPENED)
        closed += _close_those_of_no_rule(moment)
    finally:
        turns.release("alerts", token)
    return f"{opened} alerts opened, {closed} closed"


def _look(
    rule: AlertRule, figures: dict[str, Figures | None], moment: datetime, token: int
) -> list[Change]:
    metric = metrics.get(rule.metric)
    if metric is None:
        found: Figures | None = None
        note = NO_METRIC
    else:
        if rule.metric not in figures:
            figures[rule.metric] = _measured(metric, moment)
        found = figures[rule.metric]
        note = "" if found is not None else "it could not be measured: see the log"
    with transaction.atomic():
        if not turns.is_mine("alerts", token):
            return []
        return list(_judge(rule, metric, found, note, moment))


def _measured(metric: Metric, moment: datetime) -> Figures | None:
    """No transaction is held meanwhile."""
    try:
        return metric.measure(moment)
    except Exception:
        logger.exception("%s could not be measured", metric.name)
        return None


def _judge(
    rule: AlertRule, metric: Metric | None, found: Figures | None, note: str, moment: datetime
) -> Iterator[Change]:
    rows = {row.scope: row for row in Measured.objects.filter(rule=rule)}
    values = dict(found or {})
    if rule.scope:
        values = {rule.scope: values.get(rule.scope)}
    scopes = [*list(values)[:MOST_SCOPES], *(scope for scope in rows if scope not in values)]
    for scope in scopes or [rule.scope]:
        row = rows.get(scope) or Measured(rule=rule, scope=scope)
        value = values.get(scope)
        known = State(
            row.firing,
            row.at if row.value is not None or row.pk else None,
            row.over_since,
            row.calm_since,
        )
        after, change = step(known, value, moment, as_rule(rule))
        if value is not None or row.pk is None:
            row.at = moment
        row.value = value
        row.firing, row.over_since, row.calm_since = (
            after.firing,
            after.over_since,
            after.calm_since,
        )
        row.note = note or ("" if value is not None else "nothing measured")
        row.save()
        if value is not None and after.firing and change is None:
            _worsen(rule, scope, value)
        if change is not None:
            _take(change, rule, metric, scope, value, moment)
            yield change


def as_rule(row: AlertRule) -> Rule:
    return Rule(row.threshold, row.direction == "above", row.clear_at, row.for_s, row.clear_for_s)


def _worsen(rule: AlertRule, scope: str, value: float) -> None:
    alert = Alert.objects.filter(rule=rule, scope=scope, ended_at=None).first()
    if alert is not None and (worst := as_rule(rule).worse(alert.worst, value)) != alert.worst:
        Alert.objects.filter(pk=alert.pk).update(worst=worst)


def _take(
    change: Change,
    rule: AlertRule,
    metric: Metric | None,
    scope: str,
    value: float | None,
    moment: datetime,
) -> None:
    if change is Change.OPENED and metric is not None and value is not None:
        alert = Alert.objects.create(
            rule=rule,
            scope=scope,
            severity=rule.severity,
            predictive=metric.predictive,
            began_at=moment,
            value=value,
            worst=value,
            threshold=rule.threshold,
            said=sentence(rule, metric, scope, value),
        )
        logger.warning("alert: %s", alert.said)
        if rule.notify:
            outbox.tell(Event.OPENED, alert.severity, moment, alert=alert)
        return
    text = "" if change is Change.CLOSED else "It is measured no more."
    for alert in Alert.objects.filter(rule=rule, scope=scope, ended_at=None):
        _close(alert, rule, moment, text)


def _close(alert: Alert, rule: AlertRule, moment: datetime, text: str) -> None:
    alert.ended_at = moment
    alert.save(update_fields=["ended_at"])
    logger.info("alert over: %s", alert.said)
    if rule.notify:
        outbox.tell(Event.RESOLVED, alert.severity, moment, alert=alert, text=text)


def sentence(rule: AlertRule, metric: Metric, scope: str, value: float) -> str:
    """'kraken: Quota used: 84 % (alert above 80 %)', 'kraken: Provider down'."""
    whose = f"{scope}: " if scope else ""
    if metric.flag:
        return f"{whose}{metric.title}"[:300]
    limit = metric.spell(rule.threshold)
    said = f"{whose}{metric.title}: {metric.spell(value)} (alert {rule.direction} {limit})"
    return said[:300]


@transaction.atomic
def _close_those_of_no_rule(moment: datetime) -> int:
    """A rule that was switched off says nothing more."""
    rows = list(Alert.objects.filter(ended_at=None, rule__enabled=False).select_related("rule"))
    for alert in rows:
        _close(alert, alert.rule, moment, "Its rule was switched off.")
    Measured.objects.filter(rule__enabled=False).delete()
    return len(rows)
