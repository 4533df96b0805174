"""
What happened: the times in which something was ill, from the first sign to the last, for the feed
and for programs that read status pages. Pure, but for `lately`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.models import StateChange
from monitoring.readings import Board
from providers.standing import Status

SPAN = timedelta(days=14)
MOST = 200  # of the feed: who reads it has seen the older ones

GRAVEST = (Status.DOWN, Status.MISCONFIGURED, Status.DEGRADED, Status.RATE_LIMITED)
IMPACT = {Status.DOWN: "major", Status.MISCONFIGURED: "major"}


@dataclass(frozen=True)
class Update:
    id: int
    at: datetime
    status: str
    text: str


@dataclass(frozen=True)
class Happening:
    """`ended_at` is None while it goes on. `updates` are oldest first; the last tells the end."""

    id: int
    name: str  # of the endpoint
    status: Status  # the gravest it had
    began_at: datetime
    ended_at: datetime | None
    updates: Sequence[Update]

    @property
    def title(self) -> str:
        word = self.status.value.replace("_", " ")
        return f"{self.name}: {word}" if self.ended_at is None else f"{self.name}: was {word}"

    @property
    def impact(self) -> str:
        return IMPACT.get(self.status, "minor")

    @property
    def updated_at(self) -> datetime:
        return self.updates[-1].at


def lately(board: Board) -> list[Happening]:
    """Of what is watched, in two weeks; newest first."""
    watched = {i.endpoint.pk: i.name for i in board.readings.values() if i.is_watched}
    changes = StateChange.objects.between(board.at - SPAN, board.at).filter(endpoint__among=watched)
    found: dict[int, list[StateChange]] = {}
    for change in changes:
        found.setdefault(change.endpoint_id, []).append(change)
    every = [one for pk, rows in found.items() for one in of(watched[pk], rows)]
    return sorted(every, key=lambda one: (one.began_at, one.id), reverse=True)[:MOST]


def of(name: str, changes: Iterable[StateChange]) -> list[Happening]:
    """The happenings of one endpoint, of its states oldest first."""
    found: list[Happening] = []
    ill: list[StateChange] = []
    for change in changes:
        if Status(change.status) in GRAVEST:
            ill.append(change)
        elif ill:
            found.append(_told(name, ill, change))
            ill = []
    return [*found, _told(name, ill, None)] if ill else found


def _told(name: str, ill: Sequence[StateChange], end: StateChange | None) -> Happening:
    return Happening(
        id=ill[0].pk,
        name=name,
        status=min((Status(change.status) for change in ill), key=GRAVEST.index),
        began_at=ill[0].began_at,
        ended_at=None if end is None else end.began_at,
        updates=[_update(change) for change in (*ill, *([end] if end else []))],
    )


def _update(change: StateChange) -> Update:
    word = change.status.replace("_", " ").capitalize()
    text = f"{word}: {change.reason}." if change.reason else f"{word}."
    return Update(change.pk, change.began_at, change.status, printable(text))


def printable(text: str) -> str:
    """Without control characters, which no XML may hold."""
    return "".join(character for character in text if character.isprintable())
