"""
CryptoCompare's legacy API: https://min-api.cryptocompare.com/documentation

Errors are HTTP 200 with `"Response": "Error"`, a limit too. A histo* answer has one row more than
its limit, and zeros from before a coin was listed. Of several symbols an unknown one is silently
absent, and a coin without trades has no RAW.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from providers.sandbox import candles
from providers.sandbox.coins import Coin
from providers.sandbox.hosts.coindesk_data import VENUE, WINDOWS, Subscribed
from providers.sandbox.limits import Budget, Usage
from providers.sandbox.market import DAY_S, EARLIEST, FIAT, HOUR_S, MINUTE_S, Bar
from providers.sandbox.stories import Outlet, Story, page, press
from providers.sandbox.wire import Refusal, Reply, Request, json_reply, number, route, whole

# Two ids are documented; the others are invented.
KNOWN = {"BTC": 1182, "ETH": 7605}
# Kind of history: seconds, rows without a limit, and how far back it goes.
HISTORIES = {
    "minute": (MINUTE_S, 1440, 7 * DAY_S), "hour": (HOUR_S, 168, None), "day": (DAY_S, 30, None),
}  # fmt: skip
MOST_ROWS, MOST_LISTED, MOST_NEWS = 2000, 100, 50
LONGEST = {"fsyms": 300, "tsyms": 100}
OVER = "You are over your rate limit please upgrade your account!"
SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "BTC": "Ƀ"}
PERIODS = ("second", "minute", "hour", "day", "month")


class CryptoCompare(Subscribed):
    names: ClassVar = ("min-api.cryptocompare.com",)

    @route("/data/price")
    def price(self, request: Request) -> Any:
        coin, quotes = self._symbol(request, "fsym"), self._quotes(request)
        return {q: self._figure(self._price(coin, q, request.now)) for q in quotes}

    @route("/data/pricemulti")
    def price_multi(self, request: Request) -> Any:
        coins, quotes = self._symbols(request), self._quotes(request)
        return {
            coin.symbol: {q: self._figure(self._price(coin, q, request.now)) for q in quotes}
            for coin in coins
        }

    @route("/data/pricemultifull")
    def price_multi_full(self, request: Request) -> Any:
        coins, quotes = self._symbols(request), self._quotes(request)
        raw = {coin.symbol: {q: self._raw(coin, q, request.now) for q in quotes} for coin in coins}
        display = {s: {q: _display(row) for q, row in rows.items()} for s, rows in raw.items()}
        return {"RAW": raw, "DISPLAY": display}

    @route("/data/top/mktcapfull")
    def top(self, request: Request) -> Any:
        limit, first = (self._whole(request, *f) for f in (("limit", 10), ("page", 0)))
        quote = request.params.get("tsym", "").upper()
        if not self._known(quote):
            raise self._wrong("tsym", "tsym param is invalid.")
        if not 1 <= limit <= MOST_LISTED:
            raise self._wrong("limit", f"limit is larger than max value. (max value {MOST_LISTED})")
        ranked = self.market.ranked(int(request.now // MINUTE_S))
        if request.params.get("ascending", "").lower() == "true":
            ranked = ranked[::-1]
        rows = [
            self._listed(coin, quote, request.now)
            for coin in ranked[first * limit : (first + 1) * limit]
        ]
        return {
            "Message": "Success",
            "Type": 100,
            "MetaData": {"Count": len(ranked)},
            "SponsoredData": [],
            "Data": rows,
            "RateLimit": {},
            "HasWarning": False,
        }

    @route("/data/v2/histo{kind}")
    def history(self, request: Request, kind: str) -> Any:
        rows, aggregated = self._history(request, kind)
        for row in rows:
            row |= {"conversionType": "direct", "conversionSymbol": ""}
        data = {
            "Aggregated": aggregated,
            "TimeFrom": rows[0]["time"],
            "TimeTo": rows[-1]["time"],
            "Data": rows,
        }
        return {**_success(), "Data": data}

    @route("/data/histo{kind}")
    def history_v1(self, request: Request, kind: str) -> Any:
        rows, aggregated = self._history(request, kind)
        order = ("time", "close", "high", "low", "open", "volumefrom", "volumeto")
        return {
            "Response": "Success",
            "Type": 100,
            "Aggregated": aggregated,
            "Data": [{name: row[name] for name in order} for row in rows],
            "TimeTo": rows[-1]["time"],
            "TimeFrom": rows[0]["time"],
            "FirstValueInArray": True,
            "ConversionType": {"type": "direct", "conversionSymbol": ""},
        }

    @route("/data/v2/news")
    def news(self, request: Request) -> Any:
        until = min(self._whole(request, "lTs", int(request.now)), int(request.now))
        wanted, feeds = ({w.lower() for w in request.list(f)} for f in ("categories", "feeds"))
        found = [
            (outlet, story)
            for outlet, story in press(self.market, until)
            if (not wanted or {story.symbol.lower(), story.section.lower()} & wanted)
            and (not feeds or outlet.key.lower() in feeds)
        ]
        rows = [
            _article(*read) for read in page(found, 0, self._whole(request, "limit", MOST_NEWS))
        ]
        return {
            "Type": 100,
            "Message": "News list successfully returned",
            "Promoted": [],
            "Data": rows,
            "RateLimit": {},
            "HasWarning": False,
        }

    @route("/data/all/coinlist")
    def coin_list(self, request: Request) -> Any:
        return {
            "Response": "Success",
            "Message": "Coin list succesfully returned!",
            "BaseImageUrl": "https://www.cryptocompare.com",
            "BaseLinkUrl": "https://www.cryptocompare.com",
            "DefaultWatchlist": {"CoinIs": "1182,7605", "Sponsored": ""},
            "Data": {coin.symbol: _described(coin) for coin in reversed(self.market.coins)},
            "Type": 100,
        }

    @route("/stats/rate/limit")
    def rate_limit(self, request: Request) -> Any:
        used = self.meter.spend(self.budgets(request)).used
        made = dict(zip(PERIODS, used, strict=True))
        left = {
            period: max(0, burst - count)
            for (period, count), (_, burst, _) in zip(made.items(), WINDOWS, strict=True)
        }
        return {**_success(), "Data": {"calls_made": made, "calls_left": left}}

    def failure(self, status: int, wait: float | None = None) -> Reply:
        if status == 401:
            return self._unauthorized(False)
        if status == 429:
            return json_reply(_error(OVER, 99), 429)
        return json_reply(_error("Path does not exist", 1), status)

    def throttled(self, request: Request, wait: float) -> Reply:
        most = {period: burst for period, (_, burst, _) in zip(PERIODS, WINDOWS, strict=True)}
        calls = {"calls_made": most, "max_calls": most}
        return json_reply({**_error(OVER, 99), "RateLimit": calls}, 200)

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        """To ask what is left costs nothing."""
        budgets = super().budgets(request)
        free = request.path.startswith("/stats/")
        return tuple(replace(budget, cost=0) for budget in budgets) if free else budgets

    def dress(self, request: Request, reply: Reply, usage: Usage) -> Reply:
        reply = super().dress(request, reply, usage)
        reply.headers["cache-control"] = "public, max-age=29"
        return reply

    def _history(self, request: Request, kind: str) -> tuple[list[dict[str, Any]], bool]:
        """One row more than the limit, ascending, up to the one that holds `toTs`."""
        if kind not in HISTORIES:
            raise Refusal(self.failure(404))
        coin, (quote,) = self._symbol(request, "fsym"), self._quotes(request, "tsym", 1)
        seconds, rows, reach = HISTORIES[kind]
        limit, aggregate = (
            self._whole(request, *field) for field in (("limit", rows), ("aggregate", 1))
        )
        if not 1 <= limit <= MOST_ROWS:
            raise self._wrong("limit", f"limit is larger than max value. (max value {MOST_ROWS})")
        length = seconds * max(1, aggregate)
        until = min(self._whole(request, "toTs", int(request.now)), int(request.now))
        if reach and until < request.now - reach:
            raise self._wrong("toTs", "minute data is kept for 7 days only.")
        last = candles.opening(until, length, 0)
        starts = range(last - limit * length, last + 1, length)
        found = [self._row(coin, quote, start, length, request.now) for start in starts]
        return found, aggregate > 1

    def _row(self, coin: Coin, quote: str, start: int, length: int, now: float) -> dict[str, Any]:
        if start < EARLIEST:
            bar = Bar(0, 0, 0, 0, 0)
        else:
            end = min(start + length, now)
            bar = self.market.bar(coin, start, end, quote.lower(), VENUE)
        return {
            "time": start,
            "high": self._figure(bar.high),
            "low": self._figure(bar.low),
            "open": self._figure(bar.open),
            "volumefrom": number(bar.volume, 4),
            "volumeto": number(bar.volume * (bar.open + bar.close) / 2, 2),
            "close": self._figure(bar.close),
        }

    def _raw(self, coin: Coin, quote: str, now: float) -> dict[str, Any]:
        bars = {
            name: self.market.bar(coin, now - span, now, quote.lower(), VENUE)
            for name, span in (("24HOUR", DAY_S), ("DAY", now % DAY_S), ("HOUR", now % HOUR_S))
        }
        price, supply = bars["24HOUR"].close, int(coin.supply)
        volume = self.market.volume(coin, now, quote.lower())
        row: dict[str, Any] = {
            "TYPE": "5", "MARKET": "CCCAGG", "FROMSYMBOL": coin.symbol, "TOSYMBOL": quote,
            "FLAGS": "2052", "PRICE": self._figure(price), "LASTUPDATE": int(now) - 3,
            "MEDIAN": self._figure(price), "LASTVOLUME": 0.00187562, "LASTVOLUMETO": 111.65,
            "LASTTRADEID": str(int(now)), "LASTMARKET": "Coinbase",
        }  # fmt: skip
        for name, bar in bars.items():
            change, mean = bar.close - bar.open, (bar.open + bar.close) / 2
            row |= {f"VOLUME{name}": bar.volume, f"VOLUME{name}TO": bar.volume * mean}
            for part in ("open", "high", "low"):
                row[f"{part.upper()}{name}"] = self._figure(getattr(bar, part))
            row |= {f"CHANGE{name}": change, f"CHANGEPCT{name}": change / bar.open * 100}
        row |= {
            "TOPTIERVOLUME24HOUR": row["VOLUME24HOUR"] * 0.9,
            "TOPTIERVOLUME24HOURTO": row["VOLUME24HOURTO"] * 0.9,
            "CONVERSIONTYPE": "direct", "CONVERSIONSYMBOL": "", "SUPPLY": supply,
            "MKTCAP": supply * price, "MKTCAPPENALTY": 0, "CIRCULATINGSUPPLY": supply,
            "CIRCULATINGSUPPLYMKTCAP": supply * price, "TOTALVOLUME24H": volume / price,
            "TOTALVOLUME24HTO": volume, "TOTALTOPTIERVOLUME24H": volume * 0.9 / price,
            "TOTALTOPTIERVOLUME24HTO": volume * 0.9, "IMAGEURL": _image(coin),
        }  # fmt: skip
        return row

    def _listed(self, coin: Coin, quote: str, now: float) -> dict[str, Any]:
        row: dict[str, Any] = {
            "CoinInfo": {
                "Id": _id(coin),
                "Name": coin.symbol,
                "FullName": coin.name,
                "Internal": coin.symbol,
                "ImageUrl": _image(coin),
                "Url": f"/coins/{coin.symbol.lower()}/overview",
                "Algorithm": "SHA-256" if coin.order == 1 else "N/A",
            }
        }
        if coin is not self.market.coins[-1]:
            raw = self._raw(coin, quote, now)
            row |= {"RAW": {quote: raw}, "DISPLAY": {quote: _display(raw)}}
        return row

    def _price(self, coin: Coin, quote: str, now: float) -> float:
        return self.market.price(coin, now, quote.lower(), VENUE)

    def _figure(self, value: float) -> float | int:
        return number(value, 2 if value >= 1000 else 6 if value >= 0.01 else 12)

    def _symbol(self, request: Request, field: str) -> Coin:
        name = request.params.get(field, "")
        if not name:
            raise self._wrong(field, f"{field} param is empty or null.")
        coin = self.market.by_symbol.get(name.lower())
        if coin is None:
            text = f"CCCAGG market does not exist for this coin pair ({name}-*)"
            raise self._wrong(field, text)
        return coin

    def _symbols(self, request: Request) -> list[Coin]:
        names = request.list("fsyms")
        self._short(request, "fsyms")
        found = [self.market.by_symbol.get(name.lower()) for name in names]
        coins = [coin for coin in found if coin]
        if not coins:
            raise self._wrong(
                "fsyms", f"There is no data for any of the symbols {','.join(names)} ."
            )
        return coins

    def _quotes(self, request: Request, field: str = "tsyms", most: int = 50) -> list[str]:
        self._short(request, field)
        quotes = [word.upper() for word in request.list(field)]
        known = [quote for quote in quotes if self._known(quote)][:most]
        if not known:
            raise self._wrong(
                field, f"There is no data for any of the toSymbols {','.join(quotes)} ."
            )
        return known

    def _known(self, quote: str) -> bool:
        name = quote.lower()
        return name in FIAT or name in self.market.by_symbol

    def _short(self, request: Request, field: str) -> None:
        text = request.params.get(field, "")
        if not text:
            raise self._wrong(field, f"{field} param is empty or null.")
        if len(text) > LONGEST.get(field, 30):
            most = LONGEST.get(field, 30)
            raise self._wrong(field, f"{field} param is invalid. ({field} length over {most})")

    def _whole(self, request: Request, name: str, default: int) -> int:
        value = whole(request.params.get(name) or str(default))
        if value is None:
            raise self._wrong(name, f"{name} param is not an integer.")
        return default if value < 0 else value

    def _wrong(self, name: str, text: str) -> Refusal:
        return self.refuse({**_error(text, 2), "ParamWithError": name}, 200)


def _success() -> dict[str, Any]:
    return {"Response": "Success", "Message": "", "HasWarning": False, "Type": 100, "RateLimit": {}}


def _error(text: str, kind: int) -> dict[str, Any]:
    return {
        "Response": "Error",
        "Message": text,
        "HasWarning": False,
        "Type": kind,
        "RateLimit": {},
        "Data": {},
    }


def _display(raw: Mapping[str, Any]) -> dict[str, str]:
    """The same for people to read."""
    sign, own = SIGNS.get(raw["TOSYMBOL"], raw["TOSYMBOL"]), raw["FROMSYMBOL"]
    shown = {name: f"{sign} {raw[name]:,}" for name in ("PRICE", "OPEN24HOUR", "HIGH24HOUR")}
    return {
        "FROMSYMBOL": SIGNS.get(own, own),
        "TOSYMBOL": sign,
        "MARKET": "CryptoCompare Index",
        **shown,
        "LASTUPDATE": "Just now",
        "CHANGEPCT24HOUR": f"{raw['CHANGEPCT24HOUR']:.2f}",
        "MKTCAP": f"{sign} {raw['MKTCAP'] / 1e9:,.2f} B",
    }


def _described(coin: Coin) -> dict[str, Any]:
    return {
        "Id": _id(coin),
        "Url": f"/coins/{coin.symbol.lower()}/overview",
        "ImageUrl": _image(coin),
        "Name": coin.symbol,
        "Symbol": coin.symbol,
        "CoinName": coin.name,
        "FullName": f"{coin.name} ({coin.symbol})",
        "Algorithm": "SHA256" if coin.order == 1 else "N/A",
        "ProofType": "PoW" if coin.order == 1 else "N/A",
        "FullyPremined": "0",
        "TotalCoinSupply": str(int(coin.supply)),
        "PreMinedValue": "N/A",
        "TotalCoinsFreeFloat": "N/A",
        "SortOrder": str(coin.order),
        "Sponsored": False,
    }


def _article(outlet: Outlet, story: Story) -> dict[str, Any]:
    key, link = outlet.key.lower(), outlet.link(story)
    image = f"https://images.cryptocompare.com/news/default/{key}.png"
    return {
        "id": str(outlet.number(story)),
        "guid": link,
        "published_on": story.at,
        "imageurl": image,
        "title": story.title,
        "url": link,
        "source": key,
        "body": story.markup,
        "tags": f"{story.section}|{story.symbol}",
        "categories": f"{story.symbol}|{story.section}",
        "upvotes": "0",
        "downvotes": "0",
        "lang": "EN",
        "source_info": {"name": outlet.name, "lang": "EN", "img": image},
    }


def _image(coin: Coin) -> str:
    return f"/media/{_id(coin)}/{coin.symbol.lower()}.png"


def _id(coin: Coin) -> str:
    return str(KNOWN.get(coin.symbol, 900_000 + coin.order))
