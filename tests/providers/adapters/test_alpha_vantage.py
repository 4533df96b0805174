from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from providers.adapters.alpha_vantage import HAVE_INTERVALS, SERIES, AlphaVantage
from providers.adapters.base import Reply
from providers.datasets import EconomicQuery, Observation
from providers.errors import BadKey, Garbled, PlanLimit, ProviderError, Throttled, Unsupported
from tests.providers.adapters.conftest import PAYLOADS, adapt, encode

BODY = (PAYLOADS / "alpha_vantage/economic.json").read_bytes()
THE_KEY = "ABCDEFGH12345678"


def test_a_series_of_fred_is_asked_for_by_its_function() -> None:
    adapter, http = adapt(AlphaVantage, BODY)
    rows = adapter.economic(EconomicQuery("dgs10", start=date(2026, 5, 14)))
    [(path, params)] = http.asked
    assert path == "/query"
    assert params == {"function": "TREASURY_YIELD", "interval": "daily", "maturity": "10year"}
    assert rows == [
        Observation(date(2026, 5, 14), None, "percent", "daily"),
        Observation(date(2026, 5, 15), Decimal("4.410"), "percent", "daily"),
    ]


def test_a_function_of_one_interval_is_not_told_it() -> None:
    body = BODY.replace(b'"daily"', b'"monthly"')
    adapter, http = adapt(AlphaVantage, body)
    adapter.economic(EconomicQuery("UNRATE"))
    assert http.asked == [("/query", {"function": "UNEMPLOYMENT"})]


def test_another_interval_than_was_asked_for_is_garbled() -> None:
    adapter, _ = adapt(AlphaVantage, BODY)
    with pytest.raises(Garbled):
        adapter.economic(EconomicQuery("GS10"))


@pytest.mark.parametrize("series", ["CPIAUCSL", "GDP", "US/NY.GDP.MKTP.CD", ""])
def test_a_series_it_does_not_repeat_is_not_asked(series: str) -> None:
    adapter, http = adapt(AlphaVantage, BODY)
    with pytest.raises(Unsupported):
        adapter.economic(EconomicQuery(series))
    assert http.asked == []


def test_each_series_is_another_question() -> None:
    assert len(set(SERIES.values())) == len(SERIES)
    alike = {
        f.name: {g.interval for g in SERIES.values() if g.name == f.name} for f in SERIES.values()
    }
    assert {name for name, intervals in alike.items() if len(intervals) > 1} <= HAVE_INTERVALS


@pytest.mark.parametrize(
    ("kind", "words", "meant"),
    [
        (
            "Information",
            f"We have detected your API key as {THE_KEY} and our standard API rate limit is 25 "
            "requests per day. Please subscribe to any of the premium plans to remove all limits.",
            Throttled,
        ),
        (
            "Note",
            "Thank you for using Alpha Vantage! Our standard API call frequency is 5 calls per "
            "minute. Visit the premium page to target a higher one.",
            Throttled,
        ),
        (
            "Information",
            "Please consider spreading out your free API requests more sparingly (1 request per "
            "second). Subscribe to a premium plan to lift the rate limit (25 requests per day).",
            Throttled,
        ),
        ("Information", "This is a premium endpoint. Please subscribe to unlock it.", PlanLimit),
        ("Information", "The **demo** API key is for demo purposes only.", BadKey),
        ("Error Message", "the parameter apikey is invalid or missing. Please claim one.", BadKey),
        ("Error Message", "Invalid API call. Please retry or visit the documentation.", Garbled),
    ],
)
def test_the_words_of_a_200_decide(kind: str, words: str, meant: type[ProviderError]) -> None:
    error = AlphaVantage.diagnose(Reply(200, {}, encode({kind: words})))
    assert type(error) is meant
    assert THE_KEY not in str(error)


def test_a_call_a_second_too_soon_may_be_repeated_soon() -> None:
    words = "Please consider spreading out your requests more sparingly (1 request per second)."
    error = AlphaVantage.diagnose(Reply(200, {}, encode({"Information": words})))
    assert error is not None
    assert error.wait == 1


def test_data_is_no_notice() -> None:
    assert AlphaVantage.diagnose(Reply(200, {}, BODY)) is None
