"""Records to JSON and back: whatever a record is made of comes back as it was."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.encoding import encode, is_record, load
from providers.datasets import QUERIES, Consensus, Observation, Quoted

EXACT = st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
NAMES = st.text("abc_", min_size=1, max_size=8)
QUOTED = st.builds(Quoted, NAMES, EXACT, EXACT, st.booleans(), st.none() | MOMENTS)
CONSENSUS = st.builds(
    Consensus,
    NAMES,
    NAMES,
    EXACT,
    EXACT,
    st.lists(NAMES, max_size=3).map(tuple),
    st.lists(QUOTED, max_size=4).map(tuple),
)
OBSERVED = st.builds(Observation, st.dates(), st.none() | EXACT, st.none() | NAMES, st.none())


@given(st.lists(CONSENSUS, max_size=3))
def test_records_inside_records_come_back_as_they_were(rows: list[Consensus]) -> None:
    found = load(Consensus, encode(rows))
    assert found == rows
    assert [f"{q.price:f}" for row in found for q in row.prices] == [
        f"{q.price:f}" for row in rows for q in row.prices
    ]


@given(st.lists(OBSERVED, max_size=3))
def test_days_and_gaps_come_back_as_they_were(rows: list[Observation]) -> None:
    assert load(Observation, encode(rows)) == rows


@pytest.mark.parametrize("record", [query.record for query in QUERIES])
def test_a_record_of_every_dataset_comes_back(record: Any) -> None:
    row = _sample(record)
    (found,) = load(record, encode([row]))
    assert found == row


SAMPLES: dict[Any, Any] = {
    str: "x",
    int: 7,
    float: 0.25,
    bool: True,
    Decimal: Decimal("0.10"),
    datetime: datetime(2026, 5, 18, tzinfo=UTC),
    date: date(2026, 5, 18),
    Any: "x",
}


def _sample(hint: Any) -> Any:
    """Of what a field is made of, something."""
    if is_record(hint):
        return hint(**{name: _sample(inner) for name, inner in get_type_hints(hint).items()})
    if get_origin(hint) is tuple:
        return (_sample(get_args(hint)[0]),)
    if get_origin(hint) is dict:
        return {"x": _sample(get_args(hint)[1])}
    return _sample(get_args(hint)[0]) if get_args(hint) else SAMPLES[hint]
