"""
The worker's look at every rule: measure, judge, and write what changed of it, with the notices, in
one transaction. One worker at a time looks; a metric that fails harms no other.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterator, Sequence
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
FLAPPING_TIMES, FLAP_WINDOW = 3, timedelta(hours=1)
FLAPPING = "Nothing more is said of it while it does so more than twice an hour."


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
    places = dict(list(values.items())[:MOST_SCOPES]) or {rule.scope: None}
    seen = []
    for scope in [*places, *(scope for scope in rows if scope not in places)]:
        row = rows.get(scope) or Measured(rule=rule, scope=scope, at=moment)
        value = places.get(scope)
        change = _look_at(row, value, moment, rule)
        row.note = note or ("" if value is not None else "nothing measured")
        seen.append(row)
        if change is not None:
            _take(change, rule, metric, scope, value, moment)
            yield change
        elif row.firing and value is not None:
            _worsen(rule, scope, value)
    _keep(seen, places)


def _look_at(
    row: Measured, value: float | None, moment: datetime, rule: AlertRule
) -> Change | None:
    """The row after one more look, not yet written, and what changed by it."""
    before = State(row.firing, row.at, row.over_since, row.calm_since)
    after, change = step(before, value, moment, as_rule(rule))
    row.at = after.at or row.at
    row.value, row.firing = value, after.firing
    row.over_since, row.calm_since = after.over_since, after.calm_since
    return change


def _keep(rows: Sequence[Measured], places: Container[str]) -> None:
    """In one statement each, as there may be a thousand; who is gone and fires no more goes too."""
    kept = [row for row in rows if row.scope in places or row.firing]
    Measured.objects.bulk_create(
        kept,
        update_conflicts=True,
        unique_fields=["rule", "scope"],
        update_fields=["at", "value", "over_since", "calm_since", "firing", "note"],
    )
    gone = [row.pk for row in rows if row not in kept]
    if gone:
        Measured.objects.filter(pk__in=gone).delete()


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
            _tell_of(alert, moment)
        return
    text = "" if change is Change.CLOSED else "It is measured no more."
    for alert in Alert.objects.filter(rule=rule, scope=scope, ended_at=None):
        _close(alert, rule, moment, text)


def _tell_of(alert: Alert, moment: datetime) -> None:
    """What opens for the third time in an hour says that it flaps, and then it is quiet."""
    same = Alert.objects.filter(rule=alert.rule_id, scope=alert.scope)
    times = same.filter(began_at__gt=moment - FLAP_WINDOW).count()
    if times < FLAPPING_TIMES:
        outbox.tell(Event.OPENED, alert.severity, moment, alert=alert)
    elif times == FLAPPING_TIMES:
        outbox.tell(Event.FLAPPING, alert.severity, moment, alert=alert, text=FLAPPING)


def _close(alert: Alert, rule: AlertRule, moment: datetime, text: str) -> None:
    alert.ended_at = moment
    alert.save(update_fields=["ended_at"])
    logger.info("alert over: %s", alert.said)
    if rule.notify:
        outbox.tell(Event.RESOLVED, alert.severity, moment, alert=alert, text=text)


def sentence(rule: AlertRule, metric: Metric, scope: str, value: float) -> str:
    """'kraken: Quota used: 84 % (alert above 80 %)', 'gpt2: AI model down; nobody stands in'."""
    whose = f"{scope}: " if scope else ""
    said = f"{whose}{metric.title}"
    if not metric.flag:
        limit = metric.spell(rule.threshold)
        said += f": {metric.spell(value)} (alert {rule.direction} {limit})"
    if metric.remark is not None and (more := metric.remark(scope)):
        said += f"; {more}"
    return said[:300]


@transaction.atomic
def _close_those_of_no_rule(moment: datetime) -> int:
    """A rule that was switched off says nothing more."""
    rows = list(Alert.objects.filter(ended_at=None, rule__enabled=False).select_related("rule"))
    for alert in rows:
        _close(alert, alert.rule, moment, "Its rule was switched off.")
    Measured.objects.filter(rule__enabled=False).delete()
    return len(rows)
