from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from providers.adapters.base import Reply
from providers.adapters.fred import Fred
from providers.datasets import EconomicQuery, Observation, PingQuery, Series, SeriesQuery
from providers.errors import BadKey, Garbled, Missing, ProviderError, Unsupported
from tests.providers.adapters.conftest import PAYLOADS, adapt

ABOUT, VALUES, FOUND = (
    (PAYLOADS / f"fred/{name}.json").read_bytes() for name in ("economic", "economic.2", "series")
)


def test_values_carry_the_units_and_frequency_of_their_series() -> None:
    adapter, http = adapt(Fred, ABOUT, VALUES)
    rows = adapter.economic(EconomicQuery("exampleq", date(2025, 1, 1), date(2026, 1, 1)))
    assert [path for path, _ in http.asked] == ["/series", "/series/observations"]
    assert all(params["series_id"] == "EXAMPLEQ" for _, params in http.asked)
    assert all(params["file_type"] == "json" for _, params in http.asked)
    assert str(http.asked[1][1]["observation_start"]) == "2025-01-01"
    assert rows[0] == Observation(
        date(2025, 4, 1), Decimal("30353.900"), "Billions of Dollars", "quarterly"
    )
    assert str(rows[0].value) == "30353.900"
    assert len(rows) == 4


def test_a_dot_is_a_value_that_there_is_not() -> None:
    adapter, _ = adapt(Fred, ABOUT, VALUES)
    first = adapter.economic(EconomicQuery("EXAMPLEQ"))[0]
    assert (first.date, first.value) == (date(1946, 10, 1), None)
    assert adapter.dropped == 0


def test_a_search_names_series_that_can_be_asked_for() -> None:
    adapter, http = adapt(Fred, FOUND)
    rows = adapter.series(SeriesQuery("examples", limit=2))
    assert http.asked[0][1]["search_text"] == "examples"
    assert rows[1] == Series(
        "EXAMPLEW",
        "Examples Shipped",
        "Percent",
        "weekly",
        "Not Seasonally Adjusted",
        date(1990, 1, 5),
        date(2004, 12, 31),
        datetime(2005, 1, 7, 21, 16, tzinfo=UTC),
    )
    assert adapter.series(SeriesQuery("examples", limit=1)) == rows[:1]


def test_another_series_than_was_asked_for_is_not_passed_on() -> None:
    adapter, _ = adapt(Fred, ABOUT, VALUES)
    with pytest.raises(Garbled):
        adapter.economic(EconomicQuery("GDP"))


def test_a_series_of_the_world_bank_is_not_asked_here() -> None:
    adapter, http = adapt(Fred, ABOUT)
    with pytest.raises(Unsupported):
        adapter.economic(EconomicQuery("US/NY.GDP.MKTP.CD"))
    assert http.asked == []


SAYS = b'{"error_code":400,"error_message":"Bad Request.  %s"}'
XML = b'<?xml version="1.0" encoding="utf-8" ?><error code="400" message="Bad Request.  %s" />'
KEY = b"The value for variable api_key is not registered.  Read https://fred.stlouisfed.org"
SERIES = b"The series does not exist."


@pytest.mark.parametrize("form", [SAYS, XML])
@pytest.mark.parametrize(("words", "meant"), [(KEY, BadKey), (SERIES, Missing)])
def test_the_words_of_a_400_tell_what_is_bad(
    form: bytes, words: bytes, meant: type[ProviderError]
) -> None:
    assert type(Fred.diagnose(Reply(400, {}, form % words))) is meant


def test_another_400_is_left_to_its_status_and_so_is_everything_else() -> None:
    assert Fred.diagnose(Reply(400, {}, SAYS % b"Variable limit is not between 1 and 7.")) is None
    assert Fred.diagnose(Reply(500, {}, KEY)) is None
    assert Fred.diagnose(Reply(200, {}, ABOUT)) is None


def test_observations_cost_two_of_the_two_calls_a_second() -> None:
    assert (Fred.cost(EconomicQuery("GDP")), Fred.cost(SeriesQuery("gdp"))) == (2, 1)
    assert Fred.cost(PingQuery()) == 1


def test_a_ping_asks_for_one_series() -> None:
    adapt(Fred, ABOUT.replace(b"EXAMPLEQ", b"GDP"))[0].ping()
    with pytest.raises(Garbled):
        adapt(Fred, ABOUT)[0].ping()
