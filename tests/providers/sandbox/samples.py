"""
What the providers' documentation says an answer looks like, restated: address, and a document of
the same shape with values of our own. Maps and rows are explained in `shapes`.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Sample(NamedTuple):
    url: str
    document: Any
    maps: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()


GECKO = "https://api.coingecko.com/api/v3"
PAPRIKA = "https://api.coinpaprika.com/v1"
BINANCE = "https://data-api.binance.vision/api/v3"
COINBASE = "https://api.exchange.coinbase.com"
OKX = "https://www.okx.com/api/v5"
MEMPOOL = "https://mempool.space/api"

_GECKO_ROW = {
    "id": "x", "symbol": "x", "name": "X", "image": "https://x.example/x.png",
    "current_price": 5.5, "market_cap": 9, "market_cap_rank": 1, "fully_diluted_valuation": 9,
    "total_volume": 4, "high_24h": 6.1, "low_24h": 5.1, "price_change_24h": -0.2,
    "price_change_percentage_24h": -0.9, "market_cap_change_24h": -1.5,
    "market_cap_change_percentage_24h": -0.9, "circulating_supply": 2.0, "total_supply": 2.1,
    "max_supply": 2.2, "ath": 12.6, "ath_change_percentage": -38.3,
    "ath_date": "2025-10-06T18:57:42.558Z", "atl": 0.5, "atl_change_percentage": 114.2,
    "atl_date": "2013-07-06T00:00:00.000Z", "roi": None,
    "last_updated": "2026-05-18T12:49:21.599Z", "sparkline_in_7d": {"price": [5.0, 5.1]},
    "price_change_percentage_1h_in_currency": 0.5, "price_change_percentage_7d_in_currency": -4.0,
}  # fmt: skip
_PAPRIKA_COIN = {
    "id": "x-x", "name": "X", "symbol": "X", "rank": 1, "is_new": False, "is_active": True,
    "type": "coin",
}  # fmt: skip
_PAPRIKA_QUOTE = {
    "price": 7.5, "volume_24h": 3.1, "volume_24h_change_24h": -2.3, "market_cap": 15,
    "market_cap_change_24h": -0.9, "percent_change_15m": 0.0, "percent_change_30m": 0.0,
    "percent_change_1h": 0.5, "percent_change_6h": 0.9, "percent_change_12h": -0.1,
    "percent_change_24h": -0.9, "percent_change_7d": -4.0, "percent_change_30d": 1.9,
    "percent_change_1y": -25.2, "ath_price": 12.1, "ath_date": "2025-10-06T18:57:00Z",
    "percent_from_price_ath": -38.4,
}  # fmt: skip
_PAPRIKA_BAR = {
    "time_open": "2018-03-01T00:00:00Z", "time_close": "2018-03-01T23:59:59Z", "open": 8.1,
    "high": 8.8, "low": 8.0, "close": 8.7, "volume": 18, "market_cap": 83,
}  # fmt: skip
_TREND = {
    "id": "x", "coin_id": 2, "name": "X", "symbol": "X", "market_cap_rank": 10, "thumb": "https://",
    "small": "https://", "large": "https://", "slug": "x", "price_btc": 7.8e-11, "score": 0,
    "data": {
        "price": 5.9e-06, "price_btc": "0.0000000000078", "price_change_percentage_24h": {"usd": 1},
        "market_cap": "$521,967", "market_cap_btc": "6883.41", "total_volume": "$31,701",
        "total_volume_btc": "1.5", "sparkline": "https://x.svg", "content": None,
    },
}  # fmt: skip

SAMPLES = (
    Sample(f"{GECKO}/ping", {"gecko_says": "(V3) To the Moon!"}),
    Sample(
        f"{GECKO}/simple/price?ids=bitcoin&vs_currencies=usd&include_market_cap=true"
        "&include_24hr_vol=true&include_24hr_change=true&include_last_updated_at=true",
        {"x": {"usd": 7, "usd_market_cap": 1.5, "usd_24h_vol": 2.9, "usd_24h_change": -1.4,
               "last_updated_at": 1779092258}},
        ("",),
    ),
    Sample(f"{GECKO}/simple/supported_vs_currencies", ["usd", "btc"]),
    Sample(
        f"{GECKO}/coins/markets?vs_currency=usd&ids=bitcoin&sparkline=true"
        "&price_change_percentage=1h,7d",
        [_GECKO_ROW],
    ),
    Sample(f"{GECKO}/coins/list", [{"id": "x", "symbol": "x", "name": "X"}]),
    Sample(f"{GECKO}/coins/bitcoin/ohlc?vs_currency=usd&days=1", [[17, 1.1, 2, 1, 2]], (), ("[]",)),
    Sample(
        f"{GECKO}/coins/bitcoin/market_chart/range?vs_currency=usd&from=1794000000&to=1794500000",
        {"prices": [[17, 1.5]], "market_caps": [[17, 1.5]], "total_volumes": [[17, 1.5]]},
        (),
        ("prices[]", "market_caps[]", "total_volumes[]"),
    ),
    Sample(
        f"{GECKO}/search?query=ethereum",
        {"coins": [{"id": "x", "name": "X", "api_symbol": "x", "symbol": "X", "market_cap_rank": 2,
                    "thumb": "https://", "large": "https://"}],
         "exchanges": [], "icos": [], "categories": [], "nfts": []},
    ),
    Sample(
        f"{GECKO}/search/trending",
        {"coins": [{"item": _TREND}], "nfts": [], "categories": []},
        ("coins[].item.data.price_change_percentage_24h",),
    ),
    Sample(f"{BINANCE}/ping", {}),
    Sample(f"{BINANCE}/time", {"serverTime": 1565246363776}),
    Sample(
        f"{BINANCE}/ticker/price?symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D",
        [{"symbol": "X", "price": "7.10000000"}],
    ),
    Sample(
        f"{BINANCE}/ticker/24hr?type=MINI&symbols=%5B%22BTCUSDT%22%5D",
        [{"symbol": "X", "openPrice": "7.1", "highPrice": "7.2", "lowPrice": "7.0",
          "lastPrice": "7.1", "volume": "18.3", "quoteVolume": "146.1", "openTime": 149,
          "closeTime": 150, "firstId": 28385, "lastId": 28460, "count": 76}],
    ),
    Sample(
        "https://www.binance.com/bapi/composite/v1/public/cms/article/list/query"
        "?type=1&pageNo=1&pageSize=20",
        {"code": "000000", "message": None, "messageDetail": None, "success": True,
         "data": {"catalogs": [
             {"catalogId": 48, "parentCatalogId": None, "catalogName": "X", "total": 60,
              "articles": [{"id": 1, "code": "x", "title": "X", "type": 1,
                            "releaseDate": 1}]}]}},
    ),
    Sample(
        "https://api.kraken.com/0/public/OHLC?pair=XBTUSD&interval=60",
        {"error": [], "result": {"XXBTZUSD": [[16, "3.1", "3.2", "3.0", "3.1", "3.1", "3.3", 23]],
                                 "last": 16}},
        (),
        ("result.XXBTZUSD[]",),
    ),
    Sample(f"{COINBASE}/time", {"iso": "2026-06-19T16:43:33.188Z", "epoch": 1781887413.188}),
    Sample(
        f"{COINBASE}/products/BTC-USD/ticker",
        {"ask": "6.98", "bid": "6.97", "volume": "4.9", "trade_id": 10, "price": "6.97",
         "size": "0.007", "time": "2026-06-19T16:43:33.016274911Z", "rfq_volume": "31.6"},
    ),
    Sample(
        f"{COINBASE}/products/BTC-USD/stats",
        {"open": "6.5", "high": "6.3", "low": "6.1", "last": "6.2", "volume": "4.3",
         "volume_30day": "26.6", "rfq_volume_24hour": "31.6", "rfq_volume_30day": "23.0"},
    ),
    Sample(
        f"{COINBASE}/products/BTC-USD/candles?granularity=3600",
        [[17, 6.9, 7, 6.9, 7.1, 0.6]],
        (),
        ("[]",),
    ),
    Sample(
        f"{COINBASE}/products",
        [{"id": "X-USD", "base_currency": "X", "quote_currency": "USD", "quote_increment": "0.01",
          "base_increment": "0.001", "display_name": "X-USD", "min_market_funds": "1",
          "margin_enabled": False, "post_only": False, "limit_only": False, "cancel_only": False,
          "status": "online", "status_message": "", "trading_disabled": False,
          "fx_stablecoin": False, "max_slippage_percentage": "0.02", "auction_mode": False,
          "high_bid_limit_percentage": ""}],
    ),
    Sample(
        f"{PAPRIKA}/tickers/btc-bitcoin?quotes=USD",
        {"id": "x-x", "name": "X", "symbol": "X", "rank": 1, "total_supply": 2, "max_supply": 3,
         "beta_value": 0.7, "first_data_at": "2010-11-14T07:20:41Z",
         "last_updated": "2026-05-18T12:45:00Z", "quotes": {"USD": _PAPRIKA_QUOTE}},
    ),
    Sample(
        f"{PAPRIKA}/tickers/btc-bitcoin/historical?start=2026-11-01&interval=1d",
        [{"timestamp": "2026-01-01T00:00:00Z", "price": 8.2, "volume_24h": 18, "market_cap": 17}],
    ),
    Sample(f"{PAPRIKA}/coins/btc-bitcoin/ohlcv/latest", [_PAPRIKA_BAR]),
    Sample(f"{PAPRIKA}/coins/btc-bitcoin/ohlcv/today", [_PAPRIKA_BAR]),
    Sample(
        f"{PAPRIKA}/global",
        {"market_cap_usd": 43, "volume_24h_usd": 13, "bitcoin_dominance_percentage": 36.6,
         "cryptocurrencies_number": 15, "market_cap_ath_value": 83,
         "market_cap_ath_date": "2018-01-07T11:17:00Z", "volume_24h_ath_value": 71,
         "volume_24h_ath_date": "2018-01-04T17:17:00Z", "market_cap_change_24h": 1.9,
         "volume_24h_change_24h": 1.9, "last_updated": 1525089441},
    ),
    Sample(f"{PAPRIKA}/coins", [_PAPRIKA_COIN]),
    Sample(f"{PAPRIKA}/search?q=btc&c=currencies&limit=5", {"currencies": [_PAPRIKA_COIN]}),
    Sample(f"{OKX}/public/time", {"code": "0", "msg": "", "data": [{"ts": "1597026383085"}]}),
    Sample(
        f"{OKX}/market/candles?instId=BTC-USDT&bar=1H",
        {"code": "0", "msg": "", "data": [["15", "3", "3", "3", "3", "8", "22.3", "12.3", "0"]]},
        (),
        ("data[]",),
    ),
    Sample(
        f"{OKX}/market/ticker?instId=BTC-USDT",
        {"code": "0", "msg": "", "data": [
            {"instType": "SPOT", "instId": "X-USDT", "last": "7.1", "lastSz": "0.1",
             "askPx": "7.2", "askSz": "1.1", "bidPx": "7.1", "bidSz": "0.5", "open24h": "7.4",
             "high24h": "7.5", "low24h": "6.9", "volCcy24h": "53.1", "vol24h": "6.2",
             "sodUtc0": "7.6", "sodUtc8": "7.9", "ts": "1779092258085"}]},
    ),
    Sample(
        f"{OKX}/support/announcements?page=1",
        {"code": "0", "msg": "", "data": [
            {"details": [{"annType": "announcements-api", "title": "X", "url": "https://x",
                          "pTime": "17", "businessPTime": "17"}], "totalPage": "96"}]},
    ),
    Sample(
        "https://api.alternative.me/fng/?limit=1",
        {"name": "Fear and Greed Index",
         "data": [{"value": "12", "value_classification": "Extreme Fear", "timestamp": "178",
                   "time_until_update": "362"}],
         "metadata": {"error": None}},
    ),
    Sample(
        "https://eth.blockscout.com/api/v2/stats",
        {"average_block_time": 12000.0, "coin_price": "24.07",
         "coin_price_change_percentage": -1.2, "coin_image": "https://x",
         "gas_prices": {"slow": 0.41, "average": 0.5, "fast": 0.9}, "gas_prices_update_in": 8000,
         "gas_price_updated_at": "2026-05-18T12:45:00.000000Z", "gas_used_today": "108",
         "market_cap": "29.1", "network_utilization_percentage": 51.2, "static_gas_price": None,
         "total_addresses": "38", "total_blocks": "25", "total_gas_used": "0",
         "total_transactions": "29", "transactions_today": "15", "tvl": None},
    ),
    Sample(
        f"{MEMPOOL}/v1/fees/recommended",
        {"fastestFee": 6, "halfHourFee": 4, "hourFee": 3, "economyFee": 2, "minimumFee": 1},
    ),
    Sample(
        f"{MEMPOOL}/v1/fees/precise",
        {"fastestFee": 6.1, "halfHourFee": 4.2, "hourFee": 3.5, "economyFee": 2.0,
         "minimumFee": 1.0},
    ),
    Sample(
        f"{MEMPOOL}/v1/prices",
        {"time": 17, "USD": 4, "EUR": 4, "GBP": 3, "CAD": 5, "CHF": 3, "AUD": 6, "JPY": 62},
    ),
    Sample(
        f"{MEMPOOL}/v1/historical-price?currency=EUR&timestamp=1700000000",
        {"prices": [{"time": 14, "EUR": 19, "USD": 22}], "exchangeRates": {"USDEUR": 0.92}},
    ),
    Sample(
        f"{MEMPOOL}/mempool",
        {"count": 3, "vsize": 90, "total_fee": 12, "fee_histogram": [[53.0, 102131]]},
    ),
)  # fmt: skip
