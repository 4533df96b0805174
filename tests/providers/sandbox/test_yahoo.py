"""Yahoo's charts of coins and of everything else, and the instruments behind them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.sandbox.coins import load
from providers.sandbox.instruments import LISTED, Instruments
from providers.sandbox.market import DAY_S, HOUR_S, Market
from tests.providers.sandbox.asking import NOW, Asker
from tests.providers.sandbox.samples_markets import YAHOO

MARKET = Market(load())
INSTRUMENTS = Instruments(MARKET)
SYMBOLS = (*LISTED, "EURUSD=X", "JPY=X", "GBPJPY=X", "BTC-USD", "ETH-EUR", "PEPE24478-USD")
AGENT = "Mozilla/5.0 (X11; Linux x86_64)"
moments = st.integers(1_600_000_000, 2_000_000_000)


def chart(asker: Asker, symbol: str, **params: Any) -> dict[str, Any]:
    query = "&".join(f"{name}={value}" for name, value in params.items())
    answer = asker.get(f"{YAHOO}/{symbol}?{query}", user_agent=AGENT)
    found: dict[str, Any] = answer["chart"]["result"][0]
    return found


def column(result: dict[str, Any], name: str) -> list[float | None]:
    found: list[float | None] = result["indicators"]["quote"][0][name]
    return found


# -- Instruments -----------------------------------------------------------------------------


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_everything_has_a_price_that_moves(symbol: str) -> None:
    found, again = INSTRUMENTS.find(symbol), Instruments(Market(load())).find(symbol)
    assert found is not None
    assert again is not None
    opened = found.latest(NOW).opens
    prices = [found.price(opened + part * 600) for part in range(30)]
    assert min(prices) > 0
    assert len(set(prices)) > 20
    assert again.price(NOW) == found.price(NOW)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(SYMBOLS), moments)
def test_the_price_stands_still_when_nobody_trades(symbol: str, moment: int) -> None:
    found = INSTRUMENTS.find(symbol)
    assert found is not None
    session = found.latest(moment)
    assert session.opens <= moment
    if moment >= session.closes:
        assert found.price(moment) == found.price(session.closes)
    bar = found.day_bar(session, moment)
    assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
    assert bar.close == pytest.approx(found.price(moment), rel=1e-12)


def test_shares_rest_on_weekends_and_holidays_and_coins_never() -> None:
    share, coin = INSTRUMENTS.find("AAPL"), INSTRUMENTS.find("BTC-USD")
    assert share is not None
    assert coin is not None
    for day, trades in (
        (date(2026, 11, 18), True), (date(2026, 11, 21), False), (date(2026, 12, 25), False),
    ):  # fmt: skip
        assert (share.session(day) is not None) is trades
        assert coin.session(day) is not None


def test_an_exchange_keeps_its_own_time_in_summer_too() -> None:
    share = INSTRUMENTS.find("AAPL")
    assert share is not None
    for day, hour in ((date(2026, 7, 1), 13.5), (date(2026, 11, 18), 14.5)):
        session = share.session(day)
        assert session is not None
        assert session.opens % DAY_S == hour * HOUR_S
        assert session.closes - session.opens == 6.5 * HOUR_S


def test_a_session_is_the_sum_of_its_parts() -> None:
    share = INSTRUMENTS.find("^GSPC")
    assert share is not None
    session = share.session(date(2026, 11, 17))
    assert session is not None
    bars = [
        share.bar(session, at, min(at + 900, session.closes))
        for at in range(session.opens, session.closes, 900)
    ]
    whole = share.day_bar(session, NOW)
    assert (bars[0].open, bars[-1].close) == (whole.open, whole.close)
    assert max(bar.high for bar in bars) == whole.high
    assert min(bar.low for bar in bars) == whole.low


# -- Charts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("symbol", "kind", "currency"),
    [
        ("AAPL", "EQUITY", "USD"),
        ("%5EGSPC", "INDEX", "USD"),
        ("%5EN225", "INDEX", "JPY"),
        ("EURUSD=X", "CURRENCY", "USD"),
        ("JPY=X", "CURRENCY", "JPY"),
        ("GC=F", "FUTURE", "USD"),
        ("SPY", "ETF", "USD"),
        ("BTC-USD", "CRYPTOCURRENCY", "USD"),
        ("ETH-EUR", "CRYPTOCURRENCY", "EUR"),
    ],
)
def test_kinds_of_instruments(asker: Asker, symbol: str, kind: str, currency: str) -> None:
    meta = chart(asker, symbol, range="5d", interval="1d")["meta"]
    assert (meta["instrumentType"], meta["currency"]) == (kind, currency)
    assert meta["fiftyTwoWeekLow"] <= meta["regularMarketPrice"] <= meta["fiftyTwoWeekHigh"]
    assert (meta["regularMarketVolume"] == 0) == (kind in ("INDEX", "CURRENCY"))


def test_some_rows_are_nothing_but_nulls(asker: Asker) -> None:
    result = chart(asker, "BTC-USD", range="1y", interval="1d")
    names = ("open", "high", "low", "close", "volume")
    rows = list(zip(*(column(result, name) for name in names), strict=True))
    lost = [row for row in rows if None in row]
    assert 2 <= len(lost) <= 30
    assert {value for row in lost for value in row} == {None}
    assert result["indicators"]["adjclose"][0]["adjclose"] == column(result, "close")


def test_the_last_row_is_of_this_moment_while_there_is_trade(asker: Asker) -> None:
    for params in ({"range": "1d", "interval": "5m"}, {"range": "1mo", "interval": "1d"}):
        result = chart(asker, "BTC-USD", **params)
        *closed, last = result["timestamp"]
        assert last == int(NOW) == result["meta"]["regularMarketTime"]
        step = 300 if params["interval"] == "5m" else DAY_S
        assert {stamp % step for stamp in closed} == {0}
    # At this hour New York still sleeps.
    result = chart(asker, "AAPL", range="1d", interval="5m")
    assert result["timestamp"][-1] % 300 == 0
    assert len(result["timestamp"]) == 78


def test_weeks_and_months_add_up_days(asker: Asker) -> None:
    weeks = chart(asker, "AAPL", range="3mo", interval="1wk")["timestamp"]
    days = {datetime.fromtimestamp(stamp, UTC).weekday() for stamp in weeks[1:]}
    assert days == {0}
    months = chart(asker, "BTC-USD", range="1y", interval="1mo")["timestamp"]
    assert {datetime.fromtimestamp(stamp, UTC).day for stamp in months[1:]} == {1}


def test_shares_come_by_the_hour_when_half_hours_are_asked_for(asker: Asker) -> None:
    share = chart(asker, "AAPL", range="1d", interval="30m")["timestamp"]
    coin = chart(asker, "BTC-USD", range="1d", interval="30m")["timestamp"]
    assert share[1] - share[0] == HOUR_S
    assert coin[1] - coin[0] == HOUR_S // 2


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("NOPE1", 404, "Not Found"),
        ("NOPE-USD", 404, "Not Found"),
        ("AAPL?interval=2h", 400, "Bad Request"),
        ("AAPL?range=3d", 422, "Unprocessable Entity"),
        ("AAPL?range=1mo&interval=1m", 422, "Unprocessable Entity"),
        ("AAPL?range=6mo&interval=15m", 422, "Unprocessable Entity"),
        ("AAPL?period1=2&period2=1", 400, "Bad Request"),
    ],
)
def test_yahoo_says_what_is_wrong(asker: Asker, path: str, status: int, code: str) -> None:
    found, answer = asker.refused(f"{YAHOO}/{path}", user_agent=AGENT)
    assert (found, answer["chart"]["result"]) == (status, None)
    assert answer["chart"]["error"]["code"] == code


@pytest.mark.parametrize("agent", ["", "python-requests/2.32", "Python-urllib/3.11", "curl/8.5"])
def test_libraries_are_refused_in_plain_text(asker: Asker, agent: str) -> None:
    reply = asker.ask(f"{YAHOO}/AAPL", headers={"user-agent": agent})
    assert (reply.status, reply.content_type) == (429, "text/plain; charset=utf-8")
    assert "retry-after" not in reply.headers


def test_the_quote_wants_a_crumb(asker: Asker) -> None:
    url = "https://query2.finance.yahoo.com/v7/finance/quote?symbols=AAPL"
    assert asker.refused(url, user_agent=AGENT)[0] == 401
