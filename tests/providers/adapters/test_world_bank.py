from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from providers.adapters.base import Reply
from providers.adapters.world_bank import WorldBank
from providers.datasets import EconomicQuery, Observation
from providers.errors import Broken, Garbled, Missing, ProviderError, Throttled, Unsupported
from providers.http import decode
from tests.providers.adapters.conftest import PAYLOADS, adapt, encode

BODY = (PAYLOADS / "world_bank/economic.json").read_bytes()
ABOUT, ROWS = decode(BODY)


def ask(series: str = "US/NY.GDP.MKTP.CD", rows: Any = None, **about: Any) -> list[Observation]:
    adapter, _ = adapt(WorldBank, [ABOUT | about, ROWS if rows is None else rows])
    found: list[Observation] = adapter.economic(EconomicQuery(series))
    assert adapter.dropped == 0
    return found


def row(period: str, value: Any = 1, **changes: Any) -> dict[str, Any]:
    return {**ROWS[0], "date": period, "value": value, **changes}


def test_a_year_is_named_by_its_first_day_and_the_oldest_comes_first() -> None:
    rows = ask()
    assert rows[0] == Observation(
        date(1960, 1, 1), Decimal("541988586206.897"), "current US$", "annual"
    )
    assert [observation.date.year for observation in rows] == [1960, 2023, 2024, 2025]


def test_a_year_without_a_figure_is_a_gap() -> None:
    assert ask()[-1].value is None


def test_an_answer_may_begin_with_a_byte_order_mark() -> None:
    assert BODY.startswith(b"\xef\xbb\xbf")
    adapter, http = adapt(WorldBank, BODY)
    assert adapter.economic(EconomicQuery("us/NY.GDP.MKTP.CD")) == ask()
    assert http.asked == [
        ("/country/US/indicator/NY.GDP.MKTP.CD", {"format": "json", "per_page": 1000})
    ]


def test_no_rows_at_all_are_null_and_no_error() -> None:
    adapter, _ = adapt(WorldBank, [ABOUT | {"pages": 0, "total": 0}, None])
    assert adapter.economic(EconomicQuery("US/NY.GDP.MKTP.CD")) == []


@pytest.mark.parametrize(
    ("period", "first", "frequency"),
    [
        ("2024", date(2024, 1, 1), "annual"),
        ("2024Q1", date(2024, 1, 1), "quarterly"),
        ("2024Q4", date(2024, 10, 1), "quarterly"),
        ("2024M09", date(2024, 9, 1), "monthly"),
    ],
)
def test_a_period_says_its_own_frequency(period: str, first: date, frequency: str) -> None:
    [observation] = ask(rows=[row(period)])
    assert (observation.date, observation.frequency) == (first, frequency)


@pytest.mark.parametrize("period", ["2024Q5", "2024M13", "24", "2024-2025", "", 2024])
def test_what_is_no_period_is_garbled(period: Any) -> None:
    with pytest.raises(Garbled):
        ask(rows=[row(period)])


def test_units_stand_in_the_title_where_their_field_is_empty() -> None:
    about = {"id": "NY.GDP.MKTP.CD", "value": "Population, total"}
    assert ask(rows=[row("2024", indicator=about)])[0].units is None
    assert ask(rows=[row("2024", unit="people")])[0].units == "people"


def test_more_than_a_page_is_refused_rather_than_cut() -> None:
    with pytest.raises(Garbled):
        ask(pages=2)


@pytest.mark.parametrize("country", ["US", "usa"])
def test_a_country_is_known_by_both_its_codes(country: str) -> None:
    assert ask(f"{country}/NY.GDP.MKTP.CD") == ask()


@pytest.mark.parametrize("series", ["DE/NY.GDP.MKTP.CD", "US/SP.POP.TOTL"])
def test_rows_of_others_are_not_passed_on(series: str) -> None:
    with pytest.raises(Garbled):
        ask(series)


@pytest.mark.parametrize(
    "series", ["GDP", "all/NY.GDP.MKTP.CD", "US;CN/NY.GDP", "US/../x", "US/", "/X", "US/A?b=c", ""]
)
def test_what_is_no_country_and_indicator_is_asked_of_somebody_else(series: str) -> None:
    adapter, http = adapt(WorldBank, BODY)
    with pytest.raises(Unsupported):
        adapter.economic(EconomicQuery(series))
    assert http.asked == []


@pytest.mark.parametrize(
    ("code", "meant"), [("120", Missing), ("175", Missing), ("105", Broken), ("111", Garbled)]
)
def test_an_error_comes_inside_a_200(code: str, meant: type[ProviderError]) -> None:
    body = encode([{"message": [{"id": code, "key": "K", "value": "V"}]}])
    assert type(WorldBank.diagnose(Reply(200, {}, body))) is meant


def test_a_400_is_how_it_throttles() -> None:
    assert type(WorldBank.diagnose(Reply(400, {}, b"<html>"))) is Throttled


def test_an_answer_is_no_error() -> None:
    assert WorldBank.diagnose(Reply(200, {}, BODY)) is None
