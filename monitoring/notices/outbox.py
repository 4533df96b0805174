"""
What is to be told, written down with what it tells of; and sent from there, at least once.

A channel is claimed by a conditional UPDATE that raises its token, an attempt is counted before it
is made, and what became of it is written only under the token that was claimed. So a notice is
lost by no crash, sent by one worker at a time, and told twice only when a worker dies between the
receiver's word and ours: `key` lets the receiver see that.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import F, Q
from django.utils.timezone import now as current_time

from monitoring import network
from monitoring.alerts.models import Alert
from monitoring.incidents.models import Incident
from monitoring.notices import rules, subjects, windows
from monitoring.notices.message import Message, compose
from monitoring.notices.models import Channel, Event, Fate, Notice
from monitoring.notices.rules import Waiting
from monitoring.notices.sending import Sent, send
from monitoring.severities import ORDER

logger = logging.getLogger("monitoring.notices")

COLLECT = timedelta(seconds=30)  # what happens meanwhile goes into the same message
LEASE = timedelta(seconds=120)  # longer than a message may take: see `sending`
PATIENCE_S = 20.0  # no message is begun after it: a task of the worker has 55 seconds
MOST = 50  # notices in one message

Sender = Callable[[Channel, Message], Sent]


def tell(
    event: Event,
    severity: str,
    moment: datetime,
    *,
    incident: Incident | None = None,
    alert: Alert | None = None,
    text: str = "",
    mark: str = "",
) -> int:
    """
    Write a notice for every channel that wants to hear of it, in the transaction of the caller: how
    many. `mark` tells one notice of an event from another; the same is never written twice.
    """
    subject = subjects.name(incident, alert)
    times = f"-{incident.opened}" if incident else ""
    mark = mark or (f"{moment.timestamp():.3f}" if event in _MANY else "")
    rows = [
        Notice(
            channel=channel,
            event=event,
            incident=incident,
            alert=alert,
            text=text[:500],
            key="-".join(filter(None, [f"{subject}{times}", event, mark, f"to-{channel.pk}"])),
            created_at=moment,
            due_at=moment + COLLECT,
        )
        for channel in _listening(severity, event)
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def test(channel: Channel, moment: datetime) -> None:
    """A notice that says nothing but that it arrives, by the way of all others, at once."""
    Notice.objects.create(
        channel=channel,
        event=Event.TEST,
        text="This is a test: notices of Aggregator arrive here.",
        key=f"test-{uuid4().hex}-to-{channel.pk}",
        created_at=moment,
        due_at=moment,
    )


_MANY = (Event.GREW, Event.UPDATE, Event.CHANNEL_OFF, Event.TEST)


def _listening(severity: str, event: Event) -> list[Channel]:
    heard = ORDER[: ORDER.index(severity) + 1]
    rows = Channel.objects.filter(enabled=True, switched_off_at=None, least_severity__in=heard)
    return list(rows.filter(reminders=True) if event is Event.REMINDER else rows)


# -- Sending -----------------------------------------------------------------------------------


@dataclass
class Drained:
    """How a round of sending went."""

    messages: int = 0
    failed: int = 0
    overtaken: int = 0

    def __str__(self) -> str:
        return f"{self.messages} messages sent, {self.failed} failed"


def drain(
    clock: Callable[[], datetime] = current_time,
    sender: Sender = send,
    rng: random.Random | None = None,
) -> Drained:
    """Send whatever is due."""
    remind(clock())
    done, began = Drained(), time.monotonic()
    due = Q(notices__fate=Fate.PENDING, notices__due_at__lte=clock())
    for channel in Channel.objects.filter(due, enabled=True, switched_off_at=None).distinct():
        if time.monotonic() > began + PATIENCE_S:
            break
        _serve(channel, clock, sender, rng, done)
    _bury()
    return done


def _serve(
    channel: Channel,
    clock: Callable[[], datetime],
    sender: Sender,
    rng: random.Random | None,
    done: Drained,
) -> None:
    if not _claim(channel, clock()):
        return
    batch = _gather(channel, clock())
    if not batch:
        _mine(channel).update(lease_until=None)
        return
    sent = sender(channel, compose(batch))
    if not _settle(channel, batch, sent, clock(), rng):
        done.overtaken += 1
        logger.warning("%s: overtaken by another run, nothing written", channel)
    elif sent.ok:
        done.messages += 1
    else:
        done.failed += 1


def _claim(channel: Channel, moment: datetime) -> bool:
    free = Q(lease_until=None) | Q(lease_until__lte=moment)
    rows = Channel.objects.filter(free, pk=channel.pk, lease_token=channel.lease_token)
    rows = rows.filter(enabled=True, switched_off_at=None)
    token, until = channel.lease_token + 1, moment + LEASE
    if not rows.update(lease_token=token, lease_until=until):
        return False
    channel.lease_token, channel.lease_until = token, until
    return True


def _mine(channel: Channel) -> Any:
    return Channel.objects.filter(pk=channel.pk, lease_token=channel.lease_token)


@transaction.atomic
def _gather(channel: Channel, moment: datetime) -> list[Notice]:
    """The notices of the next message, their attempt counted."""
    pending = (
        Notice.objects.filter(channel=channel, fate=Fate.PENDING, due_at__lte=moment)
        .select_related("incident", "alert__rule")
        .order_by("created_at", "pk")
    )
    again = pending.exclude(message="").first()
    if again is not None:  # as it was the last time, so that its receiver knows it
        batch = list(pending.filter(message=again.message))
    else:
        batch = _sifted(channel, list(pending[:MOST]), moment)
        message = uuid4().hex
        for row in batch:
            row.message = message
    keys = [row.pk for row in batch]
    rows = Notice.objects.filter(pk__in=keys)
    rows.update(message=batch[0].message if batch else "", attempts=F("attempts") + 1)
    for row in batch:
        row.attempts += 1
    return batch


def _sifted(channel: Channel, due: list[Notice], moment: datetime) -> list[Notice]:
    due = _put_off(due, moment)
    names = {row.pk: subjects.name(row.incident, row.alert) for row in due}
    waiting = [Waiting(row.pk, names[row.pk], row.event, row.held) for row in due]
    found = rules.sift(waiting, _told(channel, due))
    for fate, keys in ((Fate.MERGED, found.merged), (Fate.SILENCED, found.silenced)):
        Notice.objects.filter(pk__in=keys).update(fate=fate, settled_at=moment)
    return [row for row in due if row.pk in found.send]


def _put_off(due: list[Notice], moment: datetime) -> list[Notice]:
    """Without those of what is in a maintenance window: they are due when it ends."""
    silent_until = windows.silent_until(moment)
    kept = []
    for row in due:
        until = silent_until(subjects.providers(row)) if row.event not in _ALWAYS else None
        if until is None:
            kept.append(row)
        else:
            Notice.objects.filter(pk=row.pk).update(due_at=until, held=True)
    return kept


_ALWAYS = (Event.CHANNEL_OFF, Event.TEST)


def _told(channel: Channel, due: Sequence[Notice]) -> set[str]:
    """Of what is due, the subjects that this channel has heard of."""
    mine = Notice.objects.filter(channel=channel, fate=Fate.SENT)
    about = Q(incident__in=[row.incident_id for row in due if row.incident_id])
    about |= Q(alert__in=[row.alert_id for row in due if row.alert_id])
    return {subjects.name(row.incident, row.alert) for row in mine.filter(about)}


@transaction.atomic
def _settle(
    channel: Channel,
    batch: Sequence[Notice],
    sent: Sent,
    moment: datetime,
    rng: random.Random | None,
) -> bool:
    """Write what became of a message; False when another run has the channel by now."""
    if not _mine(channel).update(lease_until=None):
        return False
    rows = Notice.objects.filter(pk__in=[row.pk for row in batch])
    if sent.ok:
        rows.update(fate=Fate.SENT, settled_at=moment, error="")
        _mine(channel).update(last_sent_at=moment, failing_since=None, last_error="")
        return True
    error = sent.error[:200]
    attempts = max(row.attempts for row in batch)
    # Nobody is reached while our own network is out: that says nothing of a channel.
    is_ours = network.is_held(moment) and not sent.permanent and sent.wait_s is None
    pause_s = rules.pause_s(attempts, sent.wait_s, rng)
    if is_ours:
        pause_s = min(pause_s, rules.WHILE_OURS_S)
    failing_since = (None if is_ours else channel.failing_since) or moment
    _mine(channel).update(failing_since=failing_since, last_error=error)
    rows.update(error=error, due_at=moment + timedelta(seconds=pause_s))
    logger.warning("%s: not sent, attempt %d: %s", channel, attempts, error)
    if rules.is_hopeless(failing_since, attempts, moment, permanent=sent.permanent):
        switch_off(channel, error, moment)
    return True


def switch_off(channel: Channel, reason: str, moment: datetime) -> None:
    """A channel that fails for good: said in the admin, in the log, and to the other channels."""
    channel.switched_off_at, channel.switched_off_reason = moment, reason[:200]
    channel.save(update_fields=["switched_off_at", "switched_off_reason"])
    logger.error("the channel %s is switched off: %s", channel, reason)
    text = f"The channel {channel.name} is switched off, as it fails for good: {reason}"
    tell(Event.CHANNEL_OFF, ORDER[-1], moment, text=text, mark=f"{channel.pk}-{moment:%H%M%S}")


def _bury() -> None:
    """What waits for a channel that is switched off is never sent."""
    gone = Q(channel__enabled=False) | Q(channel__switched_off_at__isnull=False)
    waiting = Notice.objects.filter(gone, fate=Fate.PENDING)
    waiting.update(fate=Fate.DEAD, settled_at=current_time(), error="its channel is switched off")


# -- Reminders ---------------------------------------------------------------------------------


def remind(moment: datetime) -> None:
    """Write the reminders that are due of what is open and not acknowledged."""
    for row in Incident.objects.filter(ended_at=None, acknowledged_at=None):
        if number := rules.reminders(row.began_at, moment):
            tell(Event.REMINDER, row.severity, moment, incident=row, mark=str(number))
    for one in Alert.objects.filter(ended_at=None, acknowledged_at=None, rule__notify=True):
        if number := rules.reminders(one.began_at, moment):
            tell(Event.REMINDER, one.severity, moment, alert=one, mark=str(number))
