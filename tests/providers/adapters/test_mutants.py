"""
Answers that lie: every mutant of a payload is refused, or its bad row is dropped and counted.

Never another exception, and never a value that the upstream did not mean.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import PurePath
from typing import Any, NamedTuple

import pytest

from providers.adapters.base import UNREADABLE, Adapter
from providers.datasets import PriceRow
from providers.errors import ProviderError
from providers.http import decode
from tests.providers.adapters.conftest import Case, cases, encode

ALL = [case for case in cases() if Adapter in case.adapter.__bases__]  # no mere tiers
NAMES = sorted({case.adapter.name for case in ALL})
SHORT = 200  # mutants of one adapter in `make test`
XML = {"rss"}  # has mutants of the whole body only; its own tests tear it apart

Path = tuple[Any, ...]
GONE = object()

HTML = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"
BODIES = [HTML, b"", b" ", b"null", b"[]", b"{}", b"42", b'"text"', b"NaN", b"[NaN]", b"\xff\xfe"]
BODIES += [b"[" * 5000, b'{"data":' * 5000, b"[[[[]]]]", b"[null]", b"[{}]", b'[""]', b"[true]"]


def places(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every place inside a decoded answer, with what stands there."""
    if path:
        yield path, value
    if isinstance(value, dict):
        items: Any = value.items()
    else:
        items = enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


def numeric(value: Any) -> bool:
    if isinstance(value, str):
        try:
            Decimal(value)
        except InvalidOperation:
            return False
        return True
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def lies(value: Any) -> list[Any]:
    """What may stand in the place of `value` without meaning the same or anything sensible."""
    found: list[Any] = [GONE, None, [], {}, [[]], {"a": 1}]
    if not isinstance(value, bool):
        found += [True, False]
    if numeric(value):
        text = isinstance(value, str)
        found += ["NaN", "Infinity", "", "1,5", "many", "sNaN", "0E-99999"]
        found += ["-" + value if text else -value] if Decimal(value) > 0 else []
        huge = ["1e400", "1e-400", "1" * 60]
        found += huge if text else map(Decimal, huge)
    elif value not in (None, "", "."):  # where nothing is, anything would be plausible
        found += [7, Decimal("0.5"), -1, ""]
        found += [] if isinstance(value, str) else ["text"]
    return found


def replaced(value: Any, path: Path, lie: Any) -> Any:
    """A copy of `value` with `lie` at `path`."""
    key, *rest = path
    if isinstance(value, dict):
        copy: Any = dict(value)
    else:
        copy = list(value)
    if rest:
        copy[key] = replaced(value[key], tuple(rest), lie)
    elif lie is GONE:
        del copy[key]
    else:
        copy[key] = lie
    return copy


class Mutant(NamedTuple):
    """`what` was done, and the body of call `number` that came of it; does it merely say less?"""

    case: Case
    what: str
    number: int
    body: Callable[[], bytes]
    says_less: bool

    def run(self) -> tuple[Any, list[Any]]:
        bodies = list(self.case.bodies)
        bodies[self.number] = self.body()
        return self.case.run(*bodies)


def mutants(case: Case) -> Iterator[Mutant]:
    """Everything that may be done to the payload of a case."""
    for number, (path, body) in enumerate(zip(case.files, case.bodies, strict=True)):
        cut = (body[:length] for length in range(1, len(body), len(body) // 100 + 1))
        for other in [*BODIES, *cut, body + b"]", HTML + body]:
            what = f"{path.name} is {other[:20]!r}"
            says_less = other == b"[]" or path.suffix != ".json"
            yield Mutant(case, what, number, partial(bytes, other), says_less)
        answer = parsed(path, body)
        for place, value in places(answer):
            for lie in lies(value):
                what = f"{path.name}: {place} is {'gone' if lie is GONE else repr(lie)[:20]}"
                body_of = partial(lied, path, answer, place, lie)
                yield Mutant(case, what, number, body_of, says_less=lie is GONE or lie == [])


def parsed(path: PurePath, body: bytes) -> Any:
    """A decoded answer, or the cells of a table; None where only the whole body can lie."""
    if path.suffix == ".csv":
        return [line.split(",") for line in body.decode().splitlines()]
    return decode(body) if path.suffix == ".json" else None


def lied(path: PurePath, answer: Any, place: Path, lie: Any) -> bytes:
    found = replaced(answer, place, lie)
    if path.suffix != ".csv":
        return encode(found)
    lines = (",".join(map(str, row)) if isinstance(row, list) else str(row) for row in found)
    return "".join(f"{line}\n" for line in lines).encode()


def honest(row: Any, originals: Sequence[Any]) -> bool:
    """Is `row` one of the originals, or one of them with less in it?"""
    return any(
        type(row) is type(one)
        and all(
            _less(name, mine, theirs)
            for name, mine, theirs in zip(row._fields, row, one, strict=True)
        )
        for one in originals
    )


def _less(name: str, mine: Any, theirs: Any) -> bool:
    if mine is None or repr(mine) == repr(theirs):  # digit by digit: 1.0 is not 1
        return True
    if isinstance(mine, tuple | dict):
        return set(mine) < set(theirs)
    # A change, or the value of a series, may be negative: a flipped sign is as plausible.
    signed = "change" in name or (name == "value" and isinstance(mine, Decimal))
    return signed and theirs is not None and mine == -theirs


def check(mutant: Mutant, originals: Sequence[Any]) -> None:
    try:
        adapter, rows = mutant.run()
    except (ProviderError, *UNREADABLE):
        return  # the client calls garbled what an adapter trips over
    for row in rows:
        assert honest(row, originals), f"{mutant.case}, {mutant.what}: {row}"
    lost = len(originals) - len(rows)
    if rows and not mutant.says_less:
        # One lie costs one row at most, the others survive, and a lost one was counted.
        assert lost <= min(adapter.dropped, 1), f"{mutant.case}, {mutant.what}: lost rows"


def of(adapter: str) -> list[tuple[Mutant, Sequence[Any]]]:
    """The mutants of every payload of an adapter, with what the payload itself says."""
    mine = [(case, case.run()[1]) for case in ALL if case.adapter.name == adapter]
    return [(mutant, rows) for case, rows in mine for mutant in mutants(case)]


@pytest.mark.parametrize("adapter", NAMES)
def test_no_lie_gets_through(adapter: str) -> None:
    found = of(adapter)
    assert len(found) >= SHORT or adapter in XML
    for mutant, originals in random.Random(adapter).sample(found, min(SHORT, len(found))):
        check(mutant, originals)


@pytest.mark.slow
@pytest.mark.parametrize("adapter", NAMES)
def test_no_lie_of_all_gets_through(adapter: str) -> None:
    for mutant, originals in of(adapter):
        check(mutant, originals)


@pytest.mark.parametrize(
    ("row", "original"),
    [
        (PriceRow("BTC", Decimal(2), "USD"), PriceRow("BTC", Decimal(1), "USD")),
        (PriceRow("ETH", Decimal(1), "USD"), PriceRow("BTC", Decimal(1), "USD")),
        (PriceRow("BTC", Decimal(1), "USDT"), PriceRow("BTC", Decimal(1), "USD")),
    ],
)
def test_a_wrong_value_would_be_noticed(row: PriceRow, original: PriceRow) -> None:
    assert not honest(row, [original])
    assert honest(original, [original])
