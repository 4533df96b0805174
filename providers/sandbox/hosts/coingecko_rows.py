"""The rows and documents of CoinGecko's answers, as functions of the market and a moment."""

from __future__ import annotations

import math
from typing import Any

from providers.sandbox.coins import Coin
from providers.sandbox.market import DAY_S, HOUR_S, Market, uniform
from providers.sandbox.wire import Request, iso, number

VENUE = "coingecko"
WINDOWS = {
    "1h": HOUR_S, "24h": DAY_S, "7d": 7 * DAY_S, "14d": 14 * DAY_S, "30d": 30 * DAY_S,
    "60d": 60 * DAY_S, "200d": 200 * DAY_S, "1y": 365 * DAY_S,
}  # fmt: skip
IMAGES = "https://coin-images.coingecko.com/coins/images"
CLASSES = ("Layer 1 (L1)", "Smart Contract Platform", "Decentralized Finance (DeFi)", "Meme")


def figure(value: float) -> float | int:
    """A price as it is shown: no decimals when large, six digits when small."""
    if value >= 10_000:
        return round(value)
    return number(value, 2 if value >= 1 else 5 - math.floor(math.log10(value)))


def shown(value: float, request: Request) -> float | int:
    """A price by the `precision` that was asked for."""
    precision = request.params.get("precision", "")
    if precision == "full":
        return value
    return number(value, int(precision)) if precision.isdigit() else figure(value)


def simple(
    market: Market, coin: Coin, at: float, quotes: list[str], request: Request
) -> dict[str, float | int]:
    found: dict[str, float | int] = {}
    for quote in quotes:
        price = market.price(coin, at, quote, VENUE)
        found[quote] = shown(price, request)
        if request.flag("include_market_cap"):
            found[f"{quote}_market_cap"] = coin.supply * price
        if request.flag("include_24hr_vol"):
            found[f"{quote}_24h_vol"] = market.volume(coin, at, quote)
        if request.flag("include_24hr_change"):
            found[f"{quote}_24h_change"] = market.change(coin, at, DAY_S, quote)
    if request.flag("include_last_updated_at"):
        found["last_updated_at"] = int(at)
    return found


def market_row(
    market: Market, coin: Coin, at: float, quote: str, request: Request
) -> dict[str, Any]:
    price, before = (market.price(coin, m, quote, VENUE) for m in (at, at - DAY_S))
    day = market.bar(coin, at - DAY_S, at, quote, VENUE)
    cap, change = coin.supply * price, (price / before - 1) * 100
    row: dict[str, Any] = {
        "id": coin.coingecko,
        "symbol": coin.symbol.lower(),
        "name": coin.name,
        "image": image(coin, "large"),
        "current_price": shown(price, request),
        "market_cap": round(cap),
        "market_cap_rank": market.rank(coin, at),
        "fully_diluted_valuation": round(cap * 1.05),
        "total_volume": round(market.volume(coin, at, quote)),
        "high_24h": shown(day.high, request),
        "low_24h": shown(day.low, request),
        "price_change_24h": number(price - before, 8),
        "price_change_percentage_24h": number(change, 5),
        "market_cap_change_24h": number(cap - coin.supply * before, 2),
        "market_cap_change_percentage_24h": number(change, 5),
        "circulating_supply": coin.supply,
        "total_supply": coin.supply * 1.05,
        "max_supply": 21_000_000.0 if coin.order == 1 else None,
        **extremes(market, coin, at, quote),
        "roi": None,
        "last_updated": updated(coin, at),
    }
    if request.flag("sparkline"):
        hours = range(int(at - 7 * DAY_S), int(at), HOUR_S)
        row["sparkline_in_7d"] = {"price": [market.price(coin, h, quote, VENUE) for h in hours]}
    for window in request.list("price_change_percentage"):
        if window in WINDOWS:
            change = market.change(coin, at, WINDOWS[window], quote)
            row[f"price_change_percentage_{window}_in_currency"] = change
    return row


def extremes(market: Market, coin: Coin, at: float, quote: str) -> dict[str, Any]:
    """The highest and lowest price ever, and how far off they are."""
    course, rate = market.courses[coin.id], market.rate(quote, at)
    price = market.price(coin, at, quote)
    top, bottom = course.ceiling / rate, course.floor / rate
    return {
        "ath": figure(top),
        "ath_change_percentage": number((price / top - 1) * 100, 5),
        "ath_date": iso(1_600_000_000 + coin.order * 777_777, 3),
        "atl": figure(bottom),
        "atl_change_percentage": number((price / bottom - 1) * 100, 5),
        "atl_date": iso(1_510_000_000 + coin.order * 777_777, 3),
    }


def updated(coin: Coin, at: float) -> str:
    """A coin is refreshed some time in the minute before."""
    return iso(at - uniform(coin.order, int(at)) * 55, 3)


def image(coin: Coin, size: str) -> str:
    return f"{IMAGES}/{coin.order}/{size}/{coin.slug}.png?1696501400"


def totals(market: Market, at: float) -> dict[str, Any]:
    cap, before = (sum(market.cap(c, m) for c in market.coins) for m in (at, at - DAY_S))
    volume, earlier = (sum(market.volume(c, m) for c in market.coins) for m in (at, at - DAY_S))
    rates = {quote: market.rate(quote, at) for quote in market.currencies}
    largest = market.ranked(int(at // 60))[:10]
    return {
        "data": {
            "active_cryptocurrencies": len(market.coins),
            "upcoming_icos": 0,
            "ongoing_icos": 49,
            "ended_icos": 3376,
            "markets": 4,
            "total_market_cap": {quote: cap / rate for quote, rate in rates.items()},
            "total_volume": {quote: volume / rate for quote, rate in rates.items()},
            "market_cap_percentage": {
                coin.symbol.lower(): market.cap(coin, at) / cap * 100 for coin in largest
            },
            "market_cap_change_percentage_24h_usd": (cap / before - 1) * 100,
            "volume_change_percentage_24h_usd": (volume / earlier - 1) * 100,
            "updated_at": int(at),
        }
    }


def search(market: Market, asked: str, now: float) -> dict[str, Any]:
    found = [
        coin
        for coin in market.ranked(int(now // 60))
        if asked in coin.name.lower() or asked in coin.symbol.lower() or asked in coin.coingecko
    ]
    return {
        "coins": [
            {
                "id": coin.coingecko,
                "name": coin.name,
                "api_symbol": coin.coingecko,
                "symbol": coin.symbol,
                "market_cap_rank": market.rank(coin, now),
                "thumb": image(coin, "thumb"),
                "large": image(coin, "large"),
            }
            for coin in found
        ],
        "exchanges": [],
        "icos": [],
        "categories": [],
        "nfts": [],
    }


def trending(market: Market, at: float) -> dict[str, Any]:
    """The coins that moved most in a day."""
    moved = sorted(market.coins, key=lambda coin: -abs(market.change(coin, at, DAY_S)))
    items = [_trend(market, coin, at, score) for score, coin in enumerate(moved[:15])]
    return {"coins": [{"item": item} for item in items], "nfts": [], "categories": []}


def _trend(market: Market, coin: Coin, at: float, score: int) -> dict[str, Any]:
    in_btc = market.price(coin, at, "btc", VENUE)
    return {
        "id": coin.coingecko,
        "coin_id": coin.order,
        "name": coin.name,
        "symbol": coin.symbol,
        "market_cap_rank": market.rank(coin, at),
        "thumb": image(coin, "thumb"),
        "small": image(coin, "small"),
        "large": image(coin, "large"),
        "slug": coin.coingecko,
        "price_btc": in_btc,
        "score": score,
        "data": {
            "price": market.price(coin, at, "usd", VENUE),
            "price_btc": f"{in_btc:.14f}",
            "price_change_percentage_24h": {
                quote: market.change(coin, at, DAY_S, quote) for quote in ("btc", "eur", "usd")
            },
            "market_cap": f"${market.cap(coin, at):,.0f}",
            "market_cap_btc": f"{market.cap(coin, at, 'btc'):.6f}",
            "total_volume": f"${market.volume(coin, at):,.0f}",
            "total_volume_btc": f"{market.volume(coin, at, 'btc'):.6f}",
            "sparkline": f"https://www.coingecko.com/coins/{coin.order}/sparkline.svg",
            "content": None,
        },
    }


def coin_document(market: Market, coin: Coin, at: float, request: Request) -> dict[str, Any]:
    """Everything about one coin; the flags leave parts of it out."""
    address = coin.contract
    chain = "ethereum" if address else None
    place = {"decimal_place": 18 if chain else None, "contract_address": address}
    up = round(50 + 45 * uniform(coin.order, int(at // DAY_S)), 2)
    many_votes = coin.order <= 90
    return {
        "id": coin.coingecko,
        "symbol": coin.symbol.lower(),
        "name": coin.name,
        "web_slug": coin.coingecko,
        "asset_platform_id": chain,
        "platforms": {chain or "": address},
        "detail_platforms": {chain or "": place},
        "block_time_in_minutes": 10 if coin.order == 1 else 0,
        "hashing_algorithm": "SHA-256" if coin.order == 1 else None,
        "categories": ["Cryptocurrency", CLASSES[coin.order % len(CLASSES)]],
        "preview_listing": False,
        "public_notice": None,
        "additional_notices": [],
        **({"localization": {"en": coin.name}} if request.flag("localization", True) else {}),
        "description": {"en": _description(coin)},
        "links": _links(coin),
        "image": {size: image(coin, size) for size in ("thumb", "small", "large")},
        "country_origin": "",
        "genesis_date": "2009-01-03" if coin.order == 1 else None,
        **({"contract_address": address} if chain else {}),
        "sentiment_votes_up_percentage": up if many_votes else None,
        "sentiment_votes_down_percentage": round(100 - up, 2) if many_votes else None,
        "watchlist_portfolio_users": 1_600_000 // coin.order,
        "market_cap_rank": market.rank(coin, at),
        **_parts(market, coin, at, request),
        "status_updates": [],
        "last_updated": updated(coin, at),
    }


def past_document(market: Market, coin: Coin, at: float) -> dict[str, Any]:
    """One coin as it was at 00:00 UTC of a day."""
    prices = {quote: market.price(coin, at, quote, VENUE) for quote in market.currencies}
    return {
        "id": coin.coingecko,
        "symbol": coin.symbol.lower(),
        "name": coin.name,
        "image": {size: image(coin, size) for size in ("thumb", "small")},
        "market_data": {
            "current_price": prices,
            "market_cap": {quote: coin.supply * price for quote, price in prices.items()},
            "total_volume": {q: market.volume(coin, at, q) for q in market.currencies},
        },
        "community_data": _without(_community(), "telegram_channel_user_count"),
        "developer_data": _without(_developers(), "last_4_weeks_commit_activity_series"),
        "public_interest_stats": {"alexa_rank": None, "bing_matches": None},
    }


def _parts(market: Market, coin: Coin, at: float, request: Request) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    if request.flag("market_data", True):
        parts["market_data"] = _market_data(market, coin, at, request)
    if request.flag("community_data", True):
        parts["community_data"] = _community()
    if request.flag("developer_data", True):
        parts["developer_data"] = _developers()
    if request.flag("tickers", True):
        parts["tickers"] = [_exchange_ticker(market, coin, at)]
    return parts


def _market_data(market: Market, coin: Coin, at: float, request: Request) -> dict[str, Any]:
    quotes = [quote for quote in market.currencies if quote != "bits"]
    one = {q: market_row(market, coin, at, q, Request("GET", "", "")) for q in quotes}
    changes = {
        name: {quote: market.change(coin, at, seconds, quote) for quote in quotes}
        for name, seconds in WINDOWS.items()
    }
    spread = ("ath", "ath_change_percentage", "ath_date", "atl", "atl_change_percentage",
              "atl_date", "market_cap", "fully_diluted_valuation", "total_volume", "high_24h",
              "low_24h")  # fmt: skip
    usd = one["usd"]
    data: dict[str, Any] = {
        "current_price": {quote: row["current_price"] for quote, row in one.items()},
        "total_value_locked": None,
        "mcap_to_tvl_ratio": None,
        "fdv_to_tvl_ratio": None,
        "roi": None,
        **{name: {quote: row[name] for quote, row in one.items()} for name in spread},
        "market_cap_rank": usd["market_cap_rank"],
        "market_cap_fdv_ratio": 0.95,
        "price_change_24h": usd["price_change_24h"],
        **{f"price_change_percentage_{n}": c["usd"] for n, c in changes.items() if n != "1h"},
        "market_cap_change_24h": usd["market_cap_change_24h"],
        "market_cap_change_percentage_24h": usd["market_cap_change_percentage_24h"],
        **{f"price_change_percentage_{name}_in_currency": c for name, c in changes.items()},
        "total_supply": usd["total_supply"],
        "max_supply": usd["max_supply"],
        "max_supply_infinite": usd["max_supply"] is None,
        "circulating_supply": usd["circulating_supply"],
        "last_updated": updated(coin, at),
    }
    for name in ("price_change_24h", "market_cap_change_24h", "market_cap_change_percentage_24h"):
        data[f"{name}_in_currency"] = {quote: row[name] for quote, row in one.items()}
    if request.flag("sparkline"):
        hours = range(int(at - 7 * DAY_S), int(at), HOUR_S)
        data["sparkline_7d"] = {"price": [market.price(coin, h, "usd", VENUE) for h in hours]}
    return data


def _without(document: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != name}


def _description(coin: Coin) -> str:
    """With the markup and line ends that the provider's own texts have."""
    site = f'<a href="https://{coin.slug}.example">{coin.name}</a>'
    return f"{site} is a coin of the sandbox.\r\n\r\nIts prices are invented &amp; move."


def _links(coin: Coin) -> dict[str, Any]:
    site = f"https://{coin.slug}.example"
    return {
        "homepage": [f"{site}/", "", ""],
        "whitepaper": f"{site}/paper.pdf" if coin.order % 2 else "",
        "blockchain_site": [f"{site}/explorer", "", ""],
        "official_forum_url": ["", "", ""],
        "chat_url": ["", "", ""],
        "announcement_url": ["", ""],
        "snapshot_url": None,
        "twitter_screen_name": coin.slug,
        "facebook_username": "",
        "bitcointalk_thread_identifier": None,
        "telegram_channel_identifier": "",
        "subreddit_url": "https://www.reddit.com",
        "repos_url": {"github": [f"https://github.com/{coin.slug}/{coin.slug}"], "bitbucket": []},
    }


def _community() -> dict[str, Any]:
    return {
        "facebook_likes": None,
        "reddit_average_posts_48h": 0,
        "reddit_average_comments_48h": 0,
        "reddit_subscribers": 0,
        "reddit_accounts_active_48h": 0,
        "telegram_channel_user_count": None,
    }


def _developers() -> dict[str, Any]:
    return {
        "forks": 36426,
        "stars": 73168,
        "subscribers": 3967,
        "total_issues": 7743,
        "closed_issues": 7380,
        "pull_requests_merged": 11215,
        "pull_request_contributors": 846,
        "code_additions_deletions_4_weeks": {"additions": 1570, "deletions": -1948},
        "commit_count_4_weeks": 108,
        "last_4_weeks_commit_activity_series": [],
    }


def _exchange_ticker(market: Market, coin: Coin, at: float) -> dict[str, Any]:
    price, volume = market.price(coin, at, "usd", "binance"), market.volume(coin, at) * 0.3
    rates = {quote: market.rate(quote, at) for quote in ("btc", "eth", "usd")}
    stamp = iso(at).replace("Z", "+00:00")
    return {
        "base": coin.symbol,
        "target": "USDT",
        "market": {"name": "Binance", "identifier": "binance", "has_trading_incentive": False},
        "last": figure(price),
        "volume": number(volume / price, 5),
        "converted_last": {quote: price / rate for quote, rate in rates.items()},
        "converted_volume": {quote: round(volume / rate) for quote, rate in rates.items()},
        "trust_score": "green",
        "bid_ask_spread_percentage": 0.010014,
        "timestamp": stamp,
        "last_traded_at": stamp,
        "last_fetch_at": stamp,
        "is_anomaly": False,
        "is_stale": False,
        "trade_url": "https://www.binance.com/en/trade/",
        "token_info_url": None,
        "coin_id": coin.coingecko,
        "target_coin_id": "tether",
    }
