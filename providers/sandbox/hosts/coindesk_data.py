"""
CoinDesk Data, formerly CryptoCompare: https://developers.coindesk.com/documentation/data-api

Since 2026-05-21 every host wants a key with a subscription. Five windows limit it, each told in
headers on every answer. Keys are upper-case; errors are `{"Data", "Err"}` with a 4xx.
"""

from __future__ import annotations

from typing import Any, ClassVar

from providers.sandbox import candles
from providers.sandbox.coins import Coin
from providers.sandbox.limits import Budget, Usage
from providers.sandbox.market import DAY_S, EARLIEST, HOUR_S, MINUTE_S
from providers.sandbox.stories import Outlet, Story, page, press
from providers.sandbox.wire import (
    KEY_PREFIX,
    Host,
    Refusal,
    Reply,
    Request,
    json_reply,
    route,
    whole,
)

VENUE = "cryptocompare"
# Window in seconds: calls in a burst, and calls on average (none for the month).
WINDOWS = (
    (1, 50, 1), (60, 2500, 3), (3600, 25_000, 139), (DAY_S, 50_000, 3334), (30 * DAY_S, 100_000, 0),
)  # fmt: skip
MONTHLY = WINDOWS[-1][1]
UNITS = {"minutes": ("MINUTE", MINUTE_S), "hours": ("HOUR", HOUR_S), "days": ("DAY", DAY_S)}
INDICES = ("cadli", "cchkex", "cd_mc")
MOST_ROWS = 2000
PORTAL = "please refer to the documentation at https://developers.coindesk.com/"
SENTIMENTS = {1: "POSITIVE", 0: "NEUTRAL", -1: "NEGATIVE"}
MESSAGES = {
    401: (2, f"API key required, {PORTAL}"),
    404: (1, "Path does not exist"),
    429: (99, "You are over your rate limit please upgrade your account!"),
}


class Subscribed(Host):
    """What all hosts of CoinDesk Data share: keys, limits and their headers."""

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        header = request.headers.get("authorization", "").removeprefix("Apikey ").strip()
        key = header or request.headers.get("x-api-key") or request.params.get("api_key", "")
        if not key.startswith(KEY_PREFIX):
            raise Refusal(self._unauthorized(bool(key)))
        return tuple(Budget(f"{VENUE} {key}", burst, seconds) for seconds, burst, _ in WINDOWS)

    def dress(self, request: Request, reply: Reply, usage: Usage) -> Reply:
        if usage.used:
            reply.headers |= _told(usage, self.meter.clock())
        reply.headers["cache-control"] = "public, max-age=300"
        reply.content_type = "application/json; charset=UTF-8"
        return reply

    def _unauthorized(self, sent: bool) -> Reply:
        text = f"The API key has no active subscription, {PORTAL}" if sent else MESSAGES[401][1]
        error = {"type": 2, "message": text, "http_status_code": 401}
        return json_reply({"Data": {}, "Err": error}, 401)


class CoinDeskData(Subscribed):
    names: ClassVar = ("data-api.cryptocompare.com", "data-api.coindesk.com")

    @route("/index/cc/v1/historical/{unit}")
    def historical(self, request: Request, unit: str) -> Any:
        if unit not in UNITS:
            raise Refusal(self.failure(404))
        market, coin, quote = self._instrument(request, "instrument")
        name, seconds = UNITS[unit]
        limit = self._whole(request, "limit", 30)
        seconds *= self._whole(request, "aggregate", 1)
        until = min(self._whole(request, "to_ts", int(request.now)), int(request.now))
        if not 1 <= limit <= MOST_ROWS:
            raise self._wrong("limit", limit, f"limit is between 1 and {MOST_ROWS}")
        if until < EARLIEST:
            raise self._too_early(market, f"{coin.symbol}-{quote.upper()}", until)
        spans = candles.window(seconds, request.now, limit=limit, end=until)
        rows = [self._bar(market, coin, quote, name, *span, request.now) for span in spans]
        return {"Data": rows, "Err": {}}

    @route("/index/cc/v1/latest/tick")
    def latest(self, request: Request) -> Any:
        market = self._market(request)
        asked = request.list("instruments")
        if not asked:
            raise self._wrong("instruments", "", "instruments is a mandatory parameter")
        found = {name: self._pair(name) for name in asked}
        known = {name: pair for name, pair in found.items() if pair}
        if not known:
            raise self._wrong("instruments", asked[0], "no such instrument", 404)
        rows = {n: self._tick(market, n, *pair, request.now) for n, pair in known.items()}
        return {"Data": rows, "Err": {}}

    @route("/news/v1/article/list")
    def articles(self, request: Request) -> Any:
        limit = self._whole(request, "limit", 10)
        if not 1 <= limit <= 100:
            raise self._wrong("limit", limit, "limit is between 1 and 100")
        if request.params.get("lang", "EN").upper() != "EN":
            return {"Data": [], "Err": {}}
        wanted = {word.upper() for word in request.list("categories")}
        sources = {word.lower() for word in request.list("source_ids")}
        until = min(self._whole(request, "to_ts", int(request.now)), int(request.now))
        found = [
            (outlet, story)
            for outlet, story in press(self.market, until)
            if (not wanted or {story.symbol, story.section.upper()} & wanted)
            and (not sources or outlet.key.lower() in sources)
        ]
        return {"Data": [_article(*read) for read in page(found, 0, limit)], "Err": {}}

    def failure(self, status: int, wait: float | None = None) -> Reply:
        if status == 401:
            return self._unauthorized(False)
        kind, text = MESSAGES.get(status, (999, "Internal server error"))
        return json_reply({"Data": {}, "Err": {"type": kind, "message": text}}, status)

    def _bar(
        self, market: str, coin: Coin, quote: str, unit: str, start: int, end: int, now: float
    ) -> dict[str, Any]:
        last = min(end - 1, int(now))
        bar = self.market.bar(coin, start, last + 1, quote, VENUE)
        worth, direct = bar.volume * (bar.open + bar.close) / 2, 0.1
        moments = {
            name: start + (end - start) * part // 3 for name, part in (("HIGH", 1), ("LOW", 2))
        }
        return {
            "UNIT": unit,
            "TIMESTAMP": start,
            "TYPE": "267" if quote == "usd" else "986",
            "MARKET": market,
            "INSTRUMENT": f"{coin.symbol}-{quote.upper()}",
            "OPEN": bar.open,
            "HIGH": bar.high,
            "LOW": bar.low,
            "CLOSE": bar.close,
            "FIRST_MESSAGE_TIMESTAMP": start,
            "LAST_MESSAGE_TIMESTAMP": last,
            "FIRST_MESSAGE_VALUE": bar.open,
            "HIGH_MESSAGE_VALUE": bar.high,
            "HIGH_MESSAGE_TIMESTAMP": min(moments["HIGH"], last),
            "LOW_MESSAGE_VALUE": bar.low,
            "LOW_MESSAGE_TIMESTAMP": min(moments["LOW"], last),
            "LAST_MESSAGE_VALUE": bar.close,
            "TOTAL_INDEX_UPDATES": (last - start) // 10 + 1,
            "VOLUME": bar.volume,
            "QUOTE_VOLUME": worth,
            "VOLUME_TOP_TIER": bar.volume / 2,
            "QUOTE_VOLUME_TOP_TIER": worth / 2,
            "VOLUME_DIRECT": bar.volume * direct,
            "QUOTE_VOLUME_DIRECT": worth * direct,
            "VOLUME_TOP_TIER_DIRECT": bar.volume * direct / 2,
            "QUOTE_VOLUME_TOP_TIER_DIRECT": worth * direct / 2,
        }

    def _tick(self, market: str, name: str, coin: Coin, quote: str, now: float) -> dict[str, Any]:
        day = self.market.bar(coin, now - DAY_S, now, quote, VENUE)
        today = self.market.bar(coin, now - now % DAY_S, now, quote, VENUE)
        row: dict[str, Any] = {
            "TYPE": "266",
            "MARKET": market,
            "INSTRUMENT": name,
            "CCSEQ": int(now) * 20,
            "VALUE": day.close,
            "VALUE_FLAG": "UP" if day.close >= today.open else "DOWN",
            "VALUE_LAST_UPDATE_TS": int(now),
            "VALUE_LAST_UPDATE_TS_NS": int(now % 1 * 1e9),
        }
        for prefix, bar in (("CURRENT_DAY", today), ("MOVING_24_HOUR", day)):
            row |= {
                f"{prefix}_VOLUME": bar.volume,
                f"{prefix}_QUOTE_VOLUME": bar.volume * (bar.open + bar.close) / 2,
                f"{prefix}_OPEN": bar.open,
                f"{prefix}_HIGH": bar.high,
                f"{prefix}_LOW": bar.low,
                f"{prefix}_CHANGE": bar.close - bar.open,
                f"{prefix}_CHANGE_PERCENTAGE": (bar.close / bar.open - 1) * 100,
            }
        return row

    def _instrument(self, request: Request, field: str) -> tuple[str, Coin, str]:
        market, name = self._market(request), request.params.get(field, "")
        pair = self._pair(name)
        if pair is None:
            text = f"the instrument {name} is not mapped on {market}"
            raise self._wrong(field, name, text, 404)
        return (market, *pair)

    def _market(self, request: Request) -> str:
        market = request.params.get("market", "")
        if market not in INDICES:
            raise self._wrong("market", market, f"market is one of {', '.join(INDICES)}")
        return market

    def _pair(self, name: str) -> tuple[Coin, str] | None:
        base, _, quote = name.lower().partition("-")
        known = base in self.market.by_symbol and quote in (*self.market.currencies, "usdt")
        return (self.market.by_symbol[base], quote) if known else None

    def _whole(self, request: Request, name: str, default: int) -> int:
        value = whole(request.params.get(name) or str(default))
        if value is None:
            raise self._wrong(name, request.params[name], f"{name} is not an integer")
        return value if value > 0 or name == "limit" else default

    def _too_early(self, market: str, name: str, moment: int) -> Refusal:
        text = (
            f"According to our records, {name} was not trading on {market} at {moment}. "
            f"Our earliest INDEX_UPDATE bucket timestamp is {EARLIEST}, please check the "
            "https://data-api.cryptocompare.com/index/cc/v1/markets/instruments endpoint."
        )
        more = {"instrument_status": "ACTIVE", "first": EARLIEST}
        return self._wrong("to_ts", moment, text, 404, **more)

    def _wrong(self, name: str, value: Any, text: str, status: int = 400, **more: Any) -> Refusal:
        other = {"param": name, "values": [value], **more}
        error = {"type": 1 if status == 404 else 2, "message": f"Invalid: {name} parameter. {text}"}
        return self.refuse({"Data": [], "Err": {**error, "other_info": other}}, status)


def _told(usage: Usage, now: float) -> dict[str, str]:
    """The headers: of the month first, then of every window."""
    limits, left, resets = [], [], []
    for (seconds, burst, average), used in zip(WINDOWS, usage.used, strict=True):
        policy = f'window={seconds};burst={burst};policy="fixed window"'
        monthly = f'{MONTHLY};window={seconds};policy="fixed window"'
        limits.append(f"{average};{policy}" if average else monthly)
        left.append(f"{max(0, burst - used)};window={seconds}")
        resets.append(f"{seconds - int(now) % seconds};window={seconds}")
    remaining, reset = (text[-1].partition(";")[0] for text in (left, resets))
    return {
        "x-ratelimit-limit": ", ".join([str(MONTHLY), *limits]),
        "x-ratelimit-remaining": remaining,
        "x-ratelimit-remaining-all": ", ".join([remaining, *left]),
        "x-ratelimit-reset": reset,
        "x-ratelimit-reset-all": ", ".join([reset, *resets]),
    }


def _article(outlet: Outlet, story: Story) -> dict[str, Any]:
    link, key = outlet.link(story), outlet.key.lower()
    return {
        "TYPE": "121",
        "ID": outlet.number(story),
        "GUID": link,
        "PUBLISHED_ON": story.at,
        "PUBLISHED_ON_NS": None,
        "IMAGE_URL": f"https://images.cryptocompare.com/news/default/{key}.png",
        "TITLE": story.title,
        "SUBTITLE": None,
        "AUTHORS": "Some One",
        "URL": link,
        "SOURCE_ID": 5,
        "BODY": story.markup,
        "KEYWORDS": f"{story.section}|{story.symbol}",
        "LANG": "EN",
        "UPVOTES": 0,
        "DOWNVOTES": 0,
        "SCORE": 0,
        "SENTIMENT": SENTIMENTS[story.tone],
        "STATUS": "ACTIVE",
        "CREATED_ON": story.at + 5,
        "UPDATED_ON": None,
        "SOURCE_DATA": _source(outlet),
        "CATEGORY_DATA": [
            {"TYPE": "122", "ID": number, "NAME": name, "CATEGORY": name}
            for number, name in enumerate((story.symbol, story.section.upper()), 14)
        ],
    }


def _source(outlet: Outlet) -> dict[str, Any]:
    key = outlet.key.lower()
    return {
        "TYPE": "120",
        "ID": 5,
        "SOURCE_KEY": key,
        "NAME": outlet.name,
        "IMAGE_URL": f"https://images.cryptocompare.com/news/default/{key}.png",
        "URL": f"{outlet.site}/feed",
        "LANG": "EN",
        "SOURCE_TYPE": "RSS",
        "LAUNCH_DATE": None,
        "SORT_ORDER": 0,
        "BENCHMARK_SCORE": 60,
        "STATUS": "ACTIVE",
        "LAST_UPDATED_TS": 1_760_000_000,
        "CREATED_ON": 1_500_000_000,
        "UPDATED_ON": 1_760_000_000,
    }
