"""
Alpha Vantage: https://www.alphavantage.co/documentation/

One path, everything by `function`, and HTTP 200 whatever happens: errors are `Error Message`,
limits `Information` or `Note`, and the one about the day repeats the key. All figures are text.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from providers.sandbox import candles
from providers.sandbox.economy import BY_ID, DAILY, QUARTERLY, Economy
from providers.sandbox.instruments import Instrument
from providers.sandbox.limits import Budget
from providers.sandbox.market import DAY_S, FIAT, Bar
from providers.sandbox.wire import (
    KEY_PREFIX,
    Host,
    Refusal,
    Reply,
    Request,
    fixed,
    json_reply,
    route,
)

VENUE = "alphavantage"
DOCUMENTATION = "https://www.alphavantage.co/documentation/"
A_DAY = 25
COMPACT = 100  # rows
SUPPORT = "https://www.alphavantage.co/support/#api-key"
PREMIUM = "https://www.alphavantage.co/premium/"
NO_KEY = (
    "the parameter apikey is invalid or missing. Please claim your free API key on "
    f"({SUPPORT}). It should take less than 20 seconds."
)
DEMO = (
    "The **demo** API key is for demo purposes only. Please claim your free API key at "
    f"({SUPPORT}) to explore our full API offerings. It takes fewer than 20 seconds."
)
BURST = (
    "Thank you for using Alpha Vantage! Please consider spreading out your free API requests more "
    f"sparingly (1 request per second). Please visit {PREMIUM} for higher limits."
)
PREMIUM_ONLY = (
    "Thank you for using Alpha Vantage! This is a premium endpoint. You may subscribe to any of "
    f"the premium plans at {PREMIUM} to instantly unlock all premium endpoints."
)
SPENT = (
    "We have detected your API key as {key} and our standard API rate limit is 25 requests per "
    f"day. Please subscribe to any of the premium plans at {PREMIUM} to remove all daily limits."
)


class Indicator(NamedTuple):
    """`sources`: FRED's series for each interval, the usual one first."""

    title: str
    unit: str
    sources: dict[str, str]


INDICATORS = {
    "CPI": Indicator(
        "Consumer Price Index for all Urban Consumers", "index 1982-1984=100",
        {"monthly": "CPIAUCNS"},
    ),
    "FEDERAL_FUNDS_RATE": Indicator(
        "Effective Federal Funds Rate", "percent", {"monthly": "FEDFUNDS", "daily": "DFF"}
    ),
    "UNEMPLOYMENT": Indicator("Unemployment Rate", "percent", {"monthly": "UNRATE"}),
    "TREASURY_YIELD": Indicator(
        "{maturity} Treasury Constant Maturity Rate", "percent",
        {"monthly": "DGS10", "daily": "DGS10"},
    ),
    "REAL_GDP": Indicator(
        "Real Gross Domestic Product", "billions of dollars",
        {"annual": "GDPC1", "quarterly": "GDPC1"},
    ),
    "RETAIL_SALES": Indicator(
        "Advance Retail Sales: Retail Trade", "millions of dollars", {"monthly": "RSAFS"}
    ),
}  # fmt: skip
MATURITIES = {
    "2year": ("DGS2", "2-Year"), "10year": ("DGS10", "10-Year"), "30year": ("DGS30", "30-Year"),
}  # fmt: skip
PAID = ("TIME_SERIES_DAILY_ADJUSTED", "TIME_SERIES_INTRADAY", "FX_INTRADAY", "CRYPTO_INTRADAY")


class AlphaVantage(Host):
    names: ClassVar = ("www.alphavantage.co",)

    @cached_property
    def economy(self) -> Economy:
        return Economy(self.market)

    @route("/query")
    def query(self, request: Request) -> Any:
        name = request.params.get("function", "")
        if name in INDICATORS:
            return self._indicator(request, name)
        if name in PAID:
            raise self._said("Information", PREMIUM_ONLY)
        if name not in FUNCTIONS:
            raise self._said("Error Message", f"This API function ({name}) does not exist.")
        return FUNCTIONS[name](self, request)

    def failure(self, status: int, wait: float | None = None) -> Reply:
        if status == 429:
            return json_reply({"Note": BURST}, 429)
        return json_reply({"Error Message": "the service could not answer"}, status)

    def throttled(self, request: Request, wait: float) -> Reply:
        """A burst is a note; the end of the day's calls repeats the key."""
        if wait <= 1:
            return json_reply({"Note": BURST})
        return json_reply({"Information": SPENT.format(key=request.params["apikey"])})

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        key = request.params.get("apikey", "")
        if key == "demo":
            raise self._said("Information", DEMO)
        if not key.startswith(KEY_PREFIX):
            raise self._said("Error Message", NO_KEY)
        scope = f"alphavantage {key}"
        return (Budget(scope, 1, 1), Budget(scope, A_DAY, DAY_S))

    def exchange_rate(self, request: Request) -> Any:
        base, quote = self._pair(request, "from_currency", "to_currency")
        rate = self._rate(base, request.now) / self._rate(quote, request.now)
        stamp = f"{datetime.fromtimestamp(request.now, UTC):%Y-%m-%d %H:%M:%S}"
        row = {
            "1. From_Currency Code": base,
            "2. From_Currency Name": self._name(base),
            "3. To_Currency Code": quote,
            "4. To_Currency Name": self._name(quote),
            "5. Exchange Rate": fixed(rate, 8),
            "6. Last Refreshed": stamp,
            "7. Time Zone": "UTC",
            "8. Bid Price": fixed(rate * 0.99999, 8),
            "9. Ask Price": fixed(rate * 1.00001, 8),
        }
        return {"Realtime Currency Exchange Rate": row}

    def digital_daily(self, request: Request) -> Any:
        symbol, quote = self._pair(request, "symbol", "market")
        found = self.economy.instruments.find(f"{symbol}-{quote}")
        if found is None or found.coin is None:
            raise self._invalid(request)
        meta = {
            "1. Information": "Daily Prices and Volumes for Digital Currency",
            "2. Digital Currency Code": symbol,
            "3. Digital Currency Name": found.coin.name,
            "4. Market Code": quote,
            "5. Market Name": self._name(quote),
            "6. Last Refreshed": f"{_day(request.now)} 00:00:00",
            "7. Time Zone": "UTC",
        }
        market, first = self.market, request.now - 350 * DAY_S
        spans = candles.window(DAY_S, request.now, limit=350, start=first)
        rows = {
            str(_day(start)): _columns(
                market.bar(found.coin, start, min(end, request.now), quote.lower(), VENUE), 8
            )
            for start, end in reversed(spans)
        }
        return {"Meta Data": meta, "Time Series (Digital Currency Daily)": rows}

    def forex_daily(self, request: Request) -> Any:
        base, quote = self._pair(request, "from_symbol", "to_symbol")
        found = self.economy.instruments.find(f"{base}{quote}=X")
        if found is None:
            raise self._invalid(request)
        meta = {
            "1. Information": "Forex Daily Prices (open, high, low, close)",
            "2. From Symbol": base,
            "3. To Symbol": quote,
            "4. Output Size": "Compact",
            "5. Last Refreshed": str(_day(request.now)),
            "6. Time Zone": "UTC",
        }
        rows = self._sessions(found, request, 5)
        for row in rows.values():
            del row["5. volume"]
        return {"Meta Data": meta, "Time Series FX (Daily)": rows}

    def daily(self, request: Request) -> Any:
        found = self._share(request)
        meta = {
            "1. Information": "Daily Prices (open, high, low, close) and Volumes",
            "2. Symbol": found.symbol,
            "3. Last Refreshed": str(found.latest(request.now).day),
            "4. Output Size": "Compact",
            "5. Time Zone": "US/Eastern",
        }
        return {"Meta Data": meta, "Time Series (Daily)": self._sessions(found, request, 4)}

    def global_quote(self, request: Request) -> Any:
        found = self.economy.instruments.find(request.params.get("symbol", ""))
        if found is None or found.floor.days == 7:
            return {"Global Quote": {}}
        day = found.latest(request.now)
        bar, before = found.day_bar(day, request.now), found.price(day.opens - 1)
        change = bar.close - before
        row = {
            "01. symbol": found.symbol,
            "02. open": fixed(bar.open, 4),
            "03. high": fixed(bar.high, 4),
            "04. low": fixed(bar.low, 4),
            "05. price": fixed(bar.close, 4),
            "06. volume": fixed(bar.volume, 0),
            "07. latest trading day": str(day.day),
            "08. previous close": fixed(before, 4),
            "09. change": fixed(change, 4),
            "10. change percent": f"{change / before * 100:.4f}%",
        }
        return {"Global Quote": row}

    def _indicator(self, request: Request, name: str) -> Any:
        """Newest first; what is published more often than asked for is averaged."""
        title, unit, sources = INDICATORS[name]
        interval = request.params.get("interval") or next(iter(sources))
        maturity = request.params.get("maturity", "10year")
        if interval not in sources or maturity not in MATURITIES:
            raise self._invalid(request)
        key, years = MATURITIES[maturity]
        series = BY_ID[key if name == "TREASURY_YIELD" else sources[interval]]
        rows = self.economy.observations(series, request.now)
        if (interval, series.frequency) in (("monthly", DAILY), ("annual", QUARTERLY)):
            rows = _averaged(rows, interval)
        data = [
            {"date": str(day), "value": "." if value is None else fixed(value, series.decimals)}
            for day, value in reversed(rows)
        ]
        named = title.format(maturity=years)
        return {"name": named, "interval": interval, "unit": unit, "data": data}

    def _sessions(self, found: Instrument, request: Request, decimals: int) -> dict[str, Any]:
        now = request.now
        rows = [s for s in found.sessions(now - 200 * DAY_S, now) if s.closes <= now]
        return {
            str(session.day): _columns(found.day_bar(session, now), decimals)
            for session in reversed(rows[-COMPACT:])
        }

    def _share(self, request: Request) -> Instrument:
        found = self.economy.instruments.find(request.params.get("symbol", ""))
        if found is None or found.kind not in ("EQUITY", "ETF"):
            raise self._invalid(request)
        return found

    def _pair(self, request: Request, first: str, second: str) -> tuple[str, str]:
        base, quote = (request.params.get(name, "").upper() for name in (first, second))
        if not (self._known(base) and self._known(quote)):
            raise self._invalid(request)
        return base, quote

    def _known(self, code: str) -> bool:
        return code.lower() in FIAT or code.lower() in self.market.by_symbol

    def _name(self, code: str) -> str:
        coin = self.market.by_symbol.get(code.lower())
        return coin.name if coin and code.lower() not in FIAT else code

    def _rate(self, code: str, now: float) -> float:
        """Dollars for one; of a currency what it trades at."""
        if code == "USD":
            return 1.0
        if code.lower() in FIAT:
            found = self.economy.instruments.find(f"{code}USD=X")
            return found.price(now) if found else FIAT[code.lower()]
        return self.market.price(self.market.by_symbol[code.lower()], now, "usd", VENUE)

    def _invalid(self, request: Request) -> Refusal:
        text = "Invalid API call. Please retry or visit the documentation "
        name = request.params.get("function", "")
        return self._said("Error Message", f"{text}({DOCUMENTATION}) for {name}.")

    def _said(self, key: str, text: str) -> Refusal:
        return self.refuse({key: text}, 200)


FUNCTIONS: dict[str, Callable[[AlphaVantage, Request], Any]] = {
    "CURRENCY_EXCHANGE_RATE": AlphaVantage.exchange_rate,
    "DIGITAL_CURRENCY_DAILY": AlphaVantage.digital_daily,
    "FX_DAILY": AlphaVantage.forex_daily,
    "TIME_SERIES_DAILY": AlphaVantage.daily,
    "GLOBAL_QUOTE": AlphaVantage.global_quote,
}


def _columns(bar: Bar, decimals: int) -> dict[str, str]:
    names = ("1. open", "2. high", "3. low", "4. close")
    prices = {name: fixed(price, decimals) for name, price in zip(names, bar, strict=False)}
    return {**prices, "5. volume": fixed(bar.volume, 0 if decimals == 4 else 8)}


def _day(moment: float) -> date:
    return datetime.fromtimestamp(moment, UTC).date()


def _averaged(
    rows: list[tuple[date, float | None]], interval: str
) -> list[tuple[date, float | None]]:
    """By month or by year, ascending, without those that have no value."""
    found: dict[date, list[float]] = {}
    for day, value in rows:
        first = day.replace(day=1) if interval == "monthly" else day.replace(month=1, day=1)
        if value is not None:
            found.setdefault(first, []).append(value)
    return [(first, sum(values) / len(values)) for first, values in found.items()]
