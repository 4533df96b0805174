from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from providers.adapters.fredgraph import FredGraph
from providers.datasets import EconomicQuery, Observation
from providers.errors import Garbled, Unsupported
from tests.providers.adapters.conftest import PAYLOADS, adapt

TABLE = (PAYLOADS / "fredgraph/economic.csv").read_bytes()


def read(body: bytes, query: EconomicQuery | None = None) -> tuple[list[Observation], FredGraph]:
    adapter, _ = adapt(FredGraph, body)
    return adapter.economic(query or EconomicQuery("DGS10")), adapter


def test_values_keep_their_digits_and_gaps_stay_gaps() -> None:
    rows, _ = read(TABLE)
    assert [(row.date.day, row.value) for row in rows] == [
        (11, Decimal("4.37")),
        (12, None),
        (13, Decimal("4.380")),
        (14, None),
        (15, Decimal("-0.41")),
    ]
    assert str(rows[2].value) == "4.380"


def test_units_are_not_told_here() -> None:
    assert {(row.units, row.frequency) for row in read(TABLE)[0]} == {(None, None)}


@pytest.mark.parametrize(
    "body",
    [
        TABLE.replace(b"observation_date", b"DATE"),
        TABLE.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + TABLE,
    ],
)
def test_older_and_other_spellings_of_the_table_mean_the_same(body: bytes) -> None:
    assert read(body)[0] == read(TABLE)[0]


def test_a_line_that_was_cut_off_is_no_smaller_value() -> None:
    rows, adapter = read(TABLE + b"2026-05-18,4.")
    assert rows == read(TABLE)[0]
    assert adapter.dropped == 1


@pytest.mark.parametrize(
    "body", [b"<!DOCTYPE html>\n<html>\n", b"", b"observation_date,GDP\n", b"date,DGS10\n", b"\xff"]
)
def test_what_is_no_table_of_the_series_is_garbled(body: bytes) -> None:
    with pytest.raises(Garbled):
        read(body)


def test_the_span_is_asked_for_and_held_to() -> None:
    adapter, http = adapt(FredGraph, TABLE)
    rows = adapter.economic(EconomicQuery("dgs10", date(2026, 5, 12), date(2026, 5, 13)))
    assert [row.date.day for row in rows] == [12, 13]
    [(path, params)] = http.asked
    assert path == "/fredgraph.csv"
    assert {name: str(value) for name, value in params.items()} == {
        "id": "DGS10",
        "cosd": "2026-05-12",
        "coed": "2026-05-13",
    }


def test_it_does_not_pretend_to_be_a_browser() -> None:
    assert "user-agent" not in {name.lower() for name in FredGraph.headers}


def test_what_can_be_no_series_of_fred_is_not_asked() -> None:
    adapter, http = adapt(FredGraph, TABLE)
    with pytest.raises(Unsupported):
        adapter.economic(EconomicQuery("US/NY.GDP.MKTP.CD"))
    assert http.asked == []


def test_a_ping_reads_the_head_of_a_short_table() -> None:
    adapter, http = adapt(FredGraph, TABLE.replace(b"DGS10", b"FEDFUNDS"))
    adapter.ping()
    assert str(http.asked[0][1]["cosd"]) == "2026-01-18"
    with pytest.raises(Garbled):
        adapt(FredGraph, TABLE)[0].ping()
