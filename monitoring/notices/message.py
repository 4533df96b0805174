"""
A message: one or many notices as text. Plain text; what people and upstreams wrote is put in as it
is, and never read as a template, a format or a mark-up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitoring.notices import subjects
from monitoring.notices.models import Event, Notice
from monitoring.severities import Severity, gravest
from monitoring.texts import clean
from providers.wording import span

TITLE = 120
GOOD = (Event.RESOLVED, Event.TEST)


@dataclass(frozen=True)
class Line:
    """One notice. `key` is the same however often it arrives."""

    key: str
    event: str
    subject: str
    severity: str
    text: str
    began_at: datetime | None = None
    ended_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "event": self.event,
            "subject": self.subject,
            "severity": self.severity,
            "text": self.text,
            "began_at": _iso(self.began_at),
            "ended_at": _iso(self.ended_at),
        }


@dataclass(frozen=True)
class Message:
    """What goes out. `kind` is success, warning or failure."""

    key: str
    title: str
    kind: str
    lines: tuple[Line, ...]

    @property
    def body(self) -> str:
        return "\n".join(line.text for line in self.lines)

    def as_json(self) -> dict[str, Any]:
        return {
            "version": "1",
            "key": self.key,
            "title": self.title,
            "message": self.body,
            "type": self.kind,
            "events": [line.as_json() for line in self.lines],
        }


def compose(notices: Sequence[Notice]) -> Message:
    """One message of at least one notice."""
    lines = tuple(_line(row) for row in notices)
    first = lines[0]
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    title = clean(first.text, TITLE - len(more)) + more
    return Message(notices[0].message, title, _kind(lines), lines)


def _kind(lines: Sequence[Line]) -> str:
    ongoing = [line.severity for line in lines if line.event not in GOOD]
    if not ongoing:
        return "success"
    return "warning" if gravest(*ongoing) == Severity.MINOR else "failure"


def _line(row: Notice) -> Line:
    subject = row.incident or row.alert
    severity = subject.severity if subject else Severity.MINOR.value
    if subject is None:
        said = row.text
    else:
        what = row.incident.title if row.incident else row.alert.said  # type: ignore[union-attr]
        said = _said(row, what, subject.began_at)
    return Line(
        row.key.rpartition("-to-")[0] or row.key,
        row.event,
        subjects.name(row.incident, row.alert),
        severity,
        clean(said),
        subject.began_at if subject else None,
        subject.ended_at if subject else None,
    )


def _said(row: Notice, what: str, began_at: datetime) -> str:
    lasted = span(max(0.0, (row.created_at - began_at).total_seconds()))
    forecast = "Forecast: " if row.alert and row.alert.predictive else ""
    more = f" {row.text}" if row.text else ""
    match row.event:
        case Event.RESOLVED:
            return f"Over after {lasted}: {forecast}{what}"
        case Event.REMINDER:
            return f"Still, for {lasted}: {forecast}{what}"
        case Event.REOPENED:
            return f"Again: {what}.{more}"
        case Event.FLAPPING:
            return f"Comes and goes: {what}.{more}"
        case Event.GREW:
            return f"Grown: {what}.{more}"
        case Event.UPDATE:
            return f"Update, {what}:{more}"
    return f"{forecast}{what}.{more}"


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")
