"""
More of what the documentation says an answer looks like: exchanges and aggregators that came
later, and those that want a key.
"""

from __future__ import annotations

from tests.providers.sandbox.samples import Sample

KEY = "sandbox-1"
BYBIT = "https://api.bybit.com/v5/market"
BITSTAMP = "https://www.bitstamp.net/api/v2"
BITFINEX = "https://api-pub.bitfinex.com/v2"
KUCOIN = "https://api.kucoin.com/api/v1"
GATE = "https://api.gateio.ws/api/v4/spot"
COINLORE = "https://api.coinlore.net/api"
COINCAP = "https://rest.coincap.io/v3"
CMC = "https://pro-api.coinmarketcap.com"
MIN_API = "https://min-api.cryptocompare.com"
DATA_API = "https://data-api.cryptocompare.com"
COINDESK = "https://data-api.coindesk.com"
YAHOO = "https://query1.finance.yahoo.com/v8/finance/chart"
LLAMA = "https://coins.llama.fi"
CLEAN = "https://really-amin-crypto-api-clean.hf.space"
DT_SOURCE = "https://crypto-dt-source.onrender.com/api/v1"

_BYBIT = {"retCode": 0, "retMsg": "OK", "retExtInfo": {}, "time": 167}
_STAMP = {
    "timestamp": "168", "open": "5.1", "high": "5.2", "low": "5.0", "last": "5.1", "volume": "3.1",
    "vwap": "5.1", "bid": "5.1", "ask": "5.2", "side": "0", "open_24": "5.0",
    "percent_change_24": "1.24", "market_type": "SPOT",
}  # fmt: skip
_KUCOIN = {
    "buy": "1.1", "sell": "1.2", "changeRate": "-0.0055", "changePrice": "-0.1", "high": "1.3",
    "low": "1.1", "vol": "2.2", "volValue": "2.4", "last": "1.1", "averagePrice": "1.2",
    "takerFeeRate": "0.001", "makerFeeRate": "0.001", "takerCoefficient": "1",
    "makerCoefficient": "1",
}  # fmt: skip
_LORE = {
    "id": "90", "symbol": "X", "name": "X", "nameid": "x", "rank": 1, "price_usd": "9.6",
    "percent_change_24h": "0.9", "percent_change_1h": "-0.2", "percent_change_7d": "6.4",
    "price_btc": "1.00", "market_cap_usd": "18.00", "volume24": 39.2, "volume24a": 44.3,
    "csupply": "19.00", "tsupply": "19", "msupply": "21",
}  # fmt: skip
_CAP = {
    "id": "x", "rank": "1", "symbol": "X", "name": "X", "supply": "19.1", "maxSupply": "21.1",
    "marketCapUsd": "20.1", "volumeUsd24Hr": "18.2", "priceUsd": "10.1",
    "changePercent24Hr": "-0.5", "vwap24Hr": "10.1", "explorer": "https://x.example/",
}  # fmt: skip
_STATUS = {
    "timestamp": "2026-01-01T00:00:00.000Z", "error_code": 0, "error_message": None, "elapsed": 4,
    "credit_count": 1, "notice": None,
}  # fmt: skip
_CMC_QUOTE = {
    "price": 3.7, "volume_24h": 5.4, "volume_change_24h": -0.1, "percent_change_1h": 0.2,
    "percent_change_24h": 1.0, "percent_change_7d": -0.3, "percent_change_30d": 1.0,
    "percent_change_60d": 1.0, "percent_change_90d": 1.0, "market_cap": 6.1,
    "market_cap_dominance": 40.1, "fully_diluted_market_cap": 9.1, "tvl": None,
    "last_updated": "2026-01-01T00:00:00.000Z",
}  # fmt: skip
_CMC_COIN = {
    "id": 1, "name": "X", "symbol": "X", "slug": "x", "num_market_pairs": 66,
    "date_added": "2013-04-28T00:00:00.000Z", "tags": ["x"], "max_supply": 21,
    "circulating_supply": 17, "total_supply": 17, "infinite_supply": False, "platform": None,
    "cmc_rank": 1, "self_reported_circulating_supply": None, "self_reported_market_cap": None,
    "tvl_ratio": None, "last_updated": "2026-01-01T00:00:00.000Z", "quote": {"USD": _CMC_QUOTE},
}  # fmt: skip
_HISTO = {
    "time": 15, "high": 3.9, "low": 3.6, "open": 3.6, "volumefrom": 12.5, "volumeto": 46.4,
    "close": 3.8, "conversionType": "direct", "conversionSymbol": "",
}  # fmt: skip
_CLEAN_ROW = {
    "id": "x", "symbol": "x", "name": "X", "image": "https://x", "current_price": 9.1,
    "market_cap": 9, "market_cap_rank": 1, "total_volume": 9, "high_24h": 9.1, "low_24h": 9.0,
    "price_change_24h": -0.1, "price_change_percentage_24h": -0.2, "circulating_supply": 9.0,
    "ath": 9.9, "ath_date": "2025-10-06T18:57:42.558Z", "last_updated": "2026-05-18T12:49:21Z",
}  # fmt: skip
_PERIOD = {"timezone": "EST", "start": 17, "end": 18, "gmtoffset": -18000}
_META = {
    "currency": "USD", "symbol": "X", "exchangeName": "NMS", "fullExchangeName": "NasdaqGS",
    "instrumentType": "EQUITY", "firstTradeDate": 34, "regularMarketTime": 17,
    "hasPrePostMarketData": True, "gmtoffset": -18000, "timezone": "EST",
    "exchangeTimezoneName": "America/New_York", "regularMarketPrice": 2.8,
    "fiftyTwoWeekHigh": 2.6, "fiftyTwoWeekLow": 1.6, "regularMarketDayHigh": 2.4,
    "regularMarketDayLow": 2.4, "regularMarketVolume": 32, "longName": "X", "shortName": "X",
    "chartPreviousClose": 7.4, "priceHint": 2,
    "currentTradingPeriod": {"pre": _PERIOD, "regular": _PERIOD, "post": _PERIOD},
    "dataGranularity": "1d", "range": "1mo", "validRanges": ["1d", "max"],
}  # fmt: skip
_COLUMN = [7.1, None]
_ARTICLE = {
    "TYPE": "121", "ID": 9, "GUID": "https://x", "PUBLISHED_ON": 17, "PUBLISHED_ON_NS": None,
    "IMAGE_URL": "https://x", "TITLE": "X", "SUBTITLE": None, "AUTHORS": "X", "URL": "https://x",
    "SOURCE_ID": 5, "BODY": "X", "KEYWORDS": "X|Y", "LANG": "EN", "UPVOTES": 0, "DOWNVOTES": 0,
    "SCORE": 0, "SENTIMENT": "POSITIVE", "STATUS": "ACTIVE", "CREATED_ON": 17, "UPDATED_ON": None,
    "SOURCE_DATA": {
        "TYPE": "120", "ID": 5, "SOURCE_KEY": "x", "NAME": "X", "IMAGE_URL": "https://x",
        "URL": "https://x", "LANG": "EN", "SOURCE_TYPE": "RSS", "LAUNCH_DATE": None,
        "SORT_ORDER": 0, "BENCHMARK_SCORE": 60, "STATUS": "ACTIVE", "LAST_UPDATED_TS": 17,
        "CREATED_ON": 15, "UPDATED_ON": 17,
    },
    "CATEGORY_DATA": [{"TYPE": "122", "ID": 14, "NAME": "BTC", "CATEGORY": "BTC"}],
}  # fmt: skip

MARKETS = (
    Sample(
        f"{BYBIT}/tickers?category=spot&symbol=BTCUSDT",
        {**_BYBIT, "result": {"category": "spot", "list": [
            {"symbol": "X", "bid1Price": "2.6", "bid1Size": "2", "ask1Price": "2.7",
             "ask1Size": "1.8", "lastPrice": "2.3", "prevPrice24h": "2.8", "price24hPcnt": "0.0068",
             "highPrice24h": "2.2", "lowPrice24h": "2.9", "turnover24h": "24.5",
             "volume24h": "11.7", "usdIndexPrice": "2.2"}]}},
    ),
    Sample(
        f"{BYBIT}/kline?category=spot&symbol=BTCUSDT&interval=60",
        {**_BYBIT, "result": {"symbol": "X", "category": "spot",
                              "list": [["167", "17", "17", "17", "17.5", "26", "15.7"]]}},
        (),
        ("result.list[]",),
    ),
    Sample(f"{BITSTAMP}/ticker/btcusd/", _STAMP),
    Sample(f"{BITSTAMP}/ticker/", [{**_STAMP, "pair": "X/USD", "market": "X/USD"}]),
    Sample(
        f"{BITSTAMP}/ohlc/btcusd/?step=60&limit=10",
        {"data": {"pair": "X/USD", "ohlc": [
            {"high": "9.7", "timestamp": "159", "volume": "18.4", "low": "9.8", "close": "9.7",
             "open": "9.8"}]}},
    ),
    Sample(
        f"{BITSTAMP}/markets/",
        [{"name": "X/USD", "market_symbol": "xusd", "base_currency": "X", "base_decimals": 8,
          "counter_currency": "USD", "counter_decimals": 0, "minimum_order_value": "10",
          "trading": "Enabled", "instant_order_counter_decimals": 2,
          "instant_and_market_orders": "Enabled", "description": "X", "market_type": "SPOT"}],
    ),
    Sample(
        f"{BITFINEX}/tickers?symbols=tBTCUSD,tETHUSD",
        [["tXUSD", 7.6, 38.6, 7.7, 32.1, 1.6, 0.0175, 7.2, 19.8, 7, 7.1]],
        (),
        ("[]",),
    ),
    Sample(f"{BITFINEX}/ticker/tBTCUSD", [7.6, 38.6, 7.7, 32.1, 1.6, 0.01, 7.2, 19, 7, 7.1]),
    Sample(
        f"{BITFINEX}/candles/trade:1h:tBTCUSD/hist", [[159, 2.5, 2.5, 2.5, 2.5, 1.9]], (), ("[]",)
    ),
    Sample(
        f"{KUCOIN}/market/allTickers",
        {"code": "200000", "data": {"time": 16, "ticker": [
            {"symbol": "X-USDT", "symbolName": "X-USDT", **_KUCOIN}]}},
    ),
    Sample(
        f"{KUCOIN}/market/stats?symbol=BTC-USDT",
        {"code": "200000", "data": {"time": 16, "symbol": "X-USDT", **_KUCOIN}},
    ),
    Sample(
        f"{KUCOIN}/market/candles?symbol=BTC-USDT&type=1hour",
        {"code": "200000", "data": [["159", "2.8", "2.9", "2.4", "2.4", "18.9", "4.7"]]},
        (),
        ("data[]",),
    ),
    Sample(
        f"{GATE}/tickers?currency_pair=BTC_USDT",
        [{"currency_pair": "X_USDT", "last": "7.2", "lowest_ask": "7.2", "highest_bid": "7.2",
          "change_percentage": "-1.18", "base_volume": "12.0", "quote_volume": "88.4",
          "high_24h": "7.2", "low_24h": "7.0"}],
    ),
    Sample(
        f"{GATE}/candlesticks?currency_pair=BTC_USDT&interval=1h",
        [["166", "62.0", "1.3", "1.3", "1.3", "1.3", "46.9", "true"]],
        (),
        ("[]",),
    ),
    Sample(
        f"{COINLORE}/tickers/?start=0&limit=9",
        {"data": [{**_LORE, "msupply": "", "tsupply": None}, _LORE],
         "info": {"coins_num": 14, "time": 17}},
    ),
    Sample(f"{COINLORE}/ticker/?id=90", [_LORE]),
    Sample(
        f"{COINLORE}/global/",
        [{"coins_count": 14, "active_markets": 40, "total_mcap": 25.6, "total_volume": 97.1,
          "btc_d": "59.50", "eth_d": "11.20", "mcap_change": "-0.40", "volume_change": "5.10",
          "avg_change_percent": "0.30", "volume_ath": 40, "mcap_ath": 44}],
    ),
    Sample(f"{COINCAP}/assets?ids=bitcoin&apiKey={KEY}", {"timestamp": 17, "data": [_CAP]}),
    Sample(f"{COINCAP}/assets/bitcoin?apiKey={KEY}", {"timestamp": 17, "data": _CAP}),
    Sample(
        f"{COINCAP}/assets/bitcoin/history?interval=d1&apiKey={KEY}",
        {"timestamp": 17,
         "data": [{"priceUsd": "10.1", "time": 17, "date": "2025-05-11T00:00:00.000Z"}]},
    ),
    Sample(
        f"{CMC}/v1/cryptocurrency/listings/latest?limit=1&CMC_PRO_API_KEY={KEY}",
        {"status": {**_STATUS, "total_count": 9}, "data": [_CMC_COIN]},
    ),
    Sample(
        f"{CMC}/v1/cryptocurrency/quotes/latest?symbol=BTC&CMC_PRO_API_KEY={KEY}",
        {"status": _STATUS, "data": {"BTC": _CMC_COIN}},
    ),
    Sample(
        f"{CMC}/v2/cryptocurrency/quotes/latest?symbol=BTC&CMC_PRO_API_KEY={KEY}",
        {"status": _STATUS, "data": {"BTC": [_CMC_COIN]}},
    ),
    Sample(
        f"{CMC}/v2/cryptocurrency/quotes/latest?id=1&CMC_PRO_API_KEY={KEY}",
        {"status": _STATUS, "data": {"1": _CMC_COIN}},
    ),
    Sample(
        f"{CMC}/v3/cryptocurrency/quotes/latest?id=1&CMC_PRO_API_KEY={KEY}",
        {"status": _STATUS, "data": [_CMC_COIN]},
    ),
    Sample(
        f"{MIN_API}/data/v2/histoday?fsym=BTC&tsym=USD&limit=2&api_key={KEY}",
        {"Response": "Success", "Message": "", "HasWarning": False, "Type": 100, "RateLimit": {},
         "Data": {"Aggregated": False, "TimeFrom": 15, "TimeTo": 15, "Data": [_HISTO]}},
    ),
    Sample(
        f"{MIN_API}/data/v2/news/?lang=EN&api_key={KEY}",
        {"Type": 100, "Message": "X", "Promoted": [], "RateLimit": {}, "HasWarning": False,
         "Data": [{"id": "67", "guid": "https://x", "published_on": 15, "imageurl": "https://x",
                   "title": "X", "url": "https://x", "source": "x", "body": "X", "tags": "X",
                   "categories": "BTC|Market", "upvotes": "0", "downvotes": "0", "lang": "EN",
                   "source_info": {"name": "X", "lang": "EN", "img": "https://x"}}]},
    ),
    Sample(
        f"{MIN_API}/stats/rate/limit?api_key={KEY}",
        {"Response": "Success", "Message": "", "HasWarning": False, "Type": 100, "RateLimit": {},
         "Data": {"calls_made": {"second": 1, "minute": 1, "hour": 1, "day": 1, "month": 1},
                  "calls_left": {"second": 1, "minute": 1, "hour": 1, "day": 1, "month": 1}}},
    ),
    Sample(f"{COINDESK}/news/v1/article/list?limit=5&api_key={KEY}",
           {"Data": [_ARTICLE], "Err": {}}),
    Sample(
        f"{YAHOO}/AAPL?range=1y&interval=1d",
        {"chart": {"result": [{"meta": _META, "timestamp": [15], "indicators": {
            "quote": [dict.fromkeys(("open", "high", "low", "close", "volume"), _COLUMN)],
            "adjclose": [{"adjclose": _COLUMN}]}}], "error": None}},
    ),
    Sample(
        f"{LLAMA}/chart/coingecko:bitcoin?span=3&period=1d",
        {"coins": {"x": {"symbol": "X", "confidence": 0.99,
                         "prices": [{"timestamp": 17, "price": 7.1}]}}},
        ("coins",),
    ),
    Sample(f"{LLAMA}/percentage/coingecko:bitcoin", {"coins": {"x": -1.2}}, ("coins",)),
    Sample(
        f"{LLAMA}/batchHistorical?coins=%7B%22coingecko:bitcoin%22:%5B1700000000%5D%7D",
        {"coins": {"x": {"symbol": "X",
                         "prices": [{"timestamp": 17, "price": 7.1, "confidence": 0.99}]}}},
        ("coins",),
    ),
    Sample(
        f"{CLEAN}/api/coins/top?limit=3",
        {"coins": [_CLEAN_ROW], "total": 3, "timestamp": "2025-12-12T19:22:38Z"},
    ),
    Sample(
        f"{CLEAN}/api/trending",
        {"coins": [{"id": "x", "name": "X", "symbol": "X", "market_cap_rank": 206, "thumb": "x",
                    "price_btc": 7.7e-08}], "total": 10, "timestamp": "2025-12-12T19:22:38"},
    ),
    Sample(
        f"{CLEAN}/api/market",
        {"total_market_cap": 31.0, "total_volume": 14.2,
         "market_cap_percentage": {"btc": 57.0, "eth": 11.7},
         "market_cap_change_percentage_24h": -1.0, "active_cryptocurrencies": 19, "markets": 14,
         "timestamp": "2025-12-12T19:22:38Z"},
    ),
    Sample(
        f"{CLEAN}/api/sentiment/global?timeframe=7D",
        {"fear_greed_index": 29, "sentiment": "fear", "market_mood": "bearish", "confidence": 0.85,
         "history": [{"timestamp": 17, "sentiment": 29, "classification": "Fear"}],
         "timestamp": "2025-12-12T19:22:38", "source": "alternative.me"},
    ),
    Sample(
        f"{DT_SOURCE}/coingecko/price?symbols=BTC",
        {"success": True, "source": "coingecko", "timestamp": 17, "data": [
            {"symbol": "X", "name": "X", "price": 9.0, "change24h": -0.8,
             "changePercent24h": -0.7, "volume24h": 69, "marketCap": 18, "source": "coingecko",
             "timestamp": 17}]},
    ),
    Sample(
        f"{DT_SOURCE}/binance/klines?symbol=BTC&timeframe=1h&limit=3",
        {"success": True, "symbol": "X", "timeframe": "1h", "count": 3, "source": "binance",
         "timestamp": 17, "data": [{"timestamp": 17, "open": 9.1, "high": 9.4, "low": 8.9,
                                    "close": 9.0, "volume": 5.3}]},
    ),
    Sample(
        f"{DT_SOURCE}/alternative/fng?limit=1",
        {"success": True, "metadata": {}, "source": "alternative.me", "timestamp": 17, "data": [
            {"value": 29, "value_classification": "Fear", "timestamp": 17,
             "time_until_update": "16", "source": "alternative.me"}]},
    ),
    Sample(
        f"{DT_SOURCE}/rss/feed?feed_name=coindesk&limit=3",
        {"success": True, "feed_name": "x", "feed_url": "https://x", "count": 3, "source": "rss",
         "timestamp": 17, "data": [
             {"title": "X", "link": "https://x", "summary": "X", "author": "X",
              "published": "Fri, 12 Dec 2025 18:00:00 +0000", "source": "x",
              "feed_url": "https://x"}]},
    ),
)  # fmt: skip
