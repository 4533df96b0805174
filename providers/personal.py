"""
What we hold of people, and what they may ask of it: to see it, to have it erased, to have it gone
in time.

Each app registers what its models hold (`register`), or says of a model that looks like it why it
holds nothing of anybody (`holds_nobody`); a test finds the models that do neither. Who is erased
leaves a tombstone: a backup of before, restored later, is cleaned by it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, models, transaction
from django.utils.timezone import now

from providers.pruning import delete_in_chunks


@dataclass(frozen=True, slots=True)
class Subject:
    """
    Somebody of whom we hold something: a `client` by its number, a `pseudonym`, or whoever knows
    the id of one `conversation`.
    """

    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"

    @property
    def fingerprint(self) -> str:
        """Tells a subject that is met again, and tells nobody who it was."""
        return sha256(f"personal {self}".encode()).hexdigest()


def _delete(rows: models.QuerySet[Any]) -> None:
    rows.delete()


@dataclass(frozen=True)
class Holding:
    """What the rows of a model hold of people, why, and how long."""

    model: type[models.Model]
    why: str
    of: Callable[[Subject], models.QuerySet[Any]]
    show: Callable[[Any], dict[str, Any]]  # a row as its subject may read it; no secrets
    since: str = "at"  # the field that says when it came
    erase: Callable[[models.QuerySet[Any]], None] = _delete
    keep: Callable[[], timedelta] | None = None  # None: as long as what it hangs on
    unless: models.Q = field(default_factory=models.Q)  # old rows that are kept nevertheless
    subjects: Callable[[], Iterable[Subject]] = field(default=tuple)  # whoever has rows of it

    @property
    def name(self) -> str:
        return str(self.model._meta.verbose_name_plural)


_holdings: dict[str, Holding] = {}
_nobody: dict[str, str] = {}


def register(*holdings: Holding) -> None:
    """Parents before what hangs on them: who is erased is erased from the end."""
    for holding in holdings:
        _holdings[holding.model._meta.label] = holding


def holds_nobody(label: str, reason: str) -> None:
    """A model that looks as if it held something of somebody, and why it does not."""
    _nobody[label] = reason


def holdings() -> list[Holding]:
    return [*_holdings.values()]


def exempt() -> dict[str, str]:
    return dict(_nobody)


# -- Export, erasure, retention --------------------------------------------------------------


def export(subject: Subject) -> dict[str, list[dict[str, Any]]]:
    """Everything that is held of them, by the name of what it is."""
    return {
        holding.name: [holding.show(row) for row in holding.of(subject)] for holding in holdings()
    }


def erase(subject: Subject, moment: datetime | None = None) -> dict[str, int]:
    """
    Delete everything held of them until now, leave a tombstone, and return how many rows of what
    there were. All of it or nothing.
    """
    moment = moment or now()
    with transaction.atomic():
        gone = _erase(subject, moment)
        Tombstone.objects.create(fingerprint=subject.fingerprint, at=moment)
    _engrave(subject.fingerprint, moment)
    return gone


def _erase(subject: Subject, until: datetime) -> dict[str, int]:
    found = [(h, h.of(subject).filter(**{f"{h.since}__lte": until})) for h in holdings()]
    gone = {holding.name: rows.count() for holding, rows in found}
    for holding, rows in reversed(found):
        holding.erase(rows)
    return {name: number for name, number in gone.items() if number}


def retain(moment: datetime, sleep: Callable[[float], None] = time.sleep) -> dict[str, int]:
    """Delete what has had its time: how many rows of what."""
    gone = {}
    for holding in reversed(holdings()):
        if holding.keep is not None:
            before = models.Q(**{f"{holding.since}__lt": moment - holding.keep()})
            rows = holding.model._default_manager.filter(before)
            rows = rows.exclude(holding.unless) if holding.unless else rows
            gone[holding.name] = _gone(holding, rows, sleep)
    return gone


def _gone(holding: Holding, rows: models.QuerySet[Any], sleep: Callable[[float], None]) -> int:
    """Rows that others hang on go with those, some at a time."""
    if holding.erase is _delete and not holding.model._meta.related_objects:
        return delete_in_chunks(rows, sleep)
    total = 0
    while keys := list(rows.order_by().values_list("pk", flat=True)[:200]):
        holding.erase(holding.model._default_manager.filter(pk__in=keys))
        total += len(keys)
        sleep(0.05)
    return total


# -- Tombstones ------------------------------------------------------------------------------


class Tombstone(models.Model):
    """Somebody was erased at that moment: what a backup brings back of before goes again."""

    fingerprint = models.CharField(max_length=64, db_index=True)
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.fingerprint[:8]} {self.at:%Y-%m-%d}"


def _file() -> Path:
    return Path(settings.DATA_DIR) / "erased.jsonl"


def _engrave(fingerprint: str, moment: datetime) -> None:
    """Outside the database too, which a restored backup replaces."""
    line = json.dumps({"fingerprint": fingerprint, "at": moment.isoformat()}) + "\n"
    descriptor = os.open(_file(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "a") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def tombstones() -> dict[str, datetime]:
    """The latest erasure of each, from the file and from the database, where it has the table."""
    found = dict(_engraved())
    try:
        with transaction.atomic():
            rows = list(Tombstone.objects.values_list("fingerprint", "at"))
    except DatabaseError:
        rows = []
    for fingerprint, moment in rows:
        if fingerprint not in found or found[fingerprint] < moment:
            found[fingerprint] = moment
    return found


def _engraved() -> Iterator[tuple[str, datetime]]:
    """In the order of the file, so that the last of one wins; half a line of a crash is none."""
    try:
        lines = _file().read_text().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            entry = json.loads(line)
            yield str(entry["fingerprint"]), datetime.fromisoformat(entry["at"])
        except (ValueError, KeyError, TypeError):
            continue


def engrave() -> None:
    """Bring all tombstones into the file, before a restore replaces the database."""
    written = dict(_engraved())
    for fingerprint, moment in tombstones().items():
        if written.get(fingerprint) != moment:
            _engrave(fingerprint, moment)


def bury() -> int:
    """Erase again whoever has a tombstone, after a restore: how many rows went."""
    gone, known = 0, tombstones()
    with transaction.atomic():
        for subject in {one for holding in holdings() for one in holding.subjects()}:
            if moment := known.get(subject.fingerprint):
                gone += sum(_erase(subject, moment).values())
        there = set(Tombstone.objects.values_list("fingerprint", "at"))
        Tombstone.objects.bulk_create(
            Tombstone(fingerprint=fingerprint, at=moment)
            for fingerprint, moment in known.items()
            if (fingerprint, moment) not in there
        )
    return gone
