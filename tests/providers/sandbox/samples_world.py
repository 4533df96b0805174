"""What the documentation says an answer looks like: news, statistics, fees and locked value."""

from __future__ import annotations

from tests.providers.sandbox.samples import Sample

KEY = "sandbox-1"
ETHERSCAN = "https://api.etherscan.io/v2/api"
FRED = f"https://api.stlouisfed.org/fred/{{}}?api_key={KEY}&file_type=json&{{}}"
WORLD_BANK = "https://api.worldbank.org/v2/country"
ALPHA = f"https://www.alphavantage.co/query?apikey={KEY}"
PANIC = f"https://cryptopanic.com/api/growth/v2/posts/?auth_token={KEY}"
NEWS_API = "https://newsapi.org/v2"
GDELT = "https://api.gdeltproject.org/api/v2/doc/doc"
TVL = "https://api.llama.fi/v2"

_TODAY = {"realtime_start": "2024-10-30", "realtime_end": "2024-10-30"}
_SERIES = {
    "id": "X", **_TODAY, "title": "X", "observation_start": "1947-01-01",
    "observation_end": "2024-07-01", "frequency": "Quarterly", "frequency_short": "Q",
    "units": "X", "units_short": "X", "seasonal_adjustment": "X",
    "seasonal_adjustment_short": "SA", "last_updated": "2024-10-30 07:54:01-05", "popularity": 93,
    "notes": "X",
}  # fmt: skip
_LIST = {"sort_order": "asc", "count": 3, "offset": 0, "limit": 10}
_FIGURES = {"1. open": "1.1", "2. high": "1.2", "3. low": "1.0", "4. close": "1.1"}

WORLD = (
    Sample(
        f"{ETHERSCAN}?chainid=1&module=gastracker&action=gasoracle&apikey={KEY}",
        {"status": "1", "message": "OK", "result": {
            "LastBlock": "23", "SafeGasPrice": "0.49", "ProposeGasPrice": "0.49",
            "FastGasPrice": "0.55", "suggestBaseFee": "0.48", "gasUsedRatio": "0.4,0.5"}},
    ),
    Sample(
        f"{ETHERSCAN}?chainid=1&module=stats&action=ethprice&apikey={KEY}",
        {"status": "1", "message": "OK", "result": {
            "ethbtc": "0.03", "ethbtc_timestamp": "17", "ethusd": "2.4", "ethusd_timestamp": "17"}},
    ),
    Sample(
        f"{ETHERSCAN}?chainid=1&module=proxy&action=eth_blockNumber&apikey={KEY}",
        {"jsonrpc": "2.0", "id": 83, "result": "0x1"},
    ),
    Sample(
        FRED.format("series/observations", "series_id=GDP"),
        {**_TODAY, "observation_start": "1600-01-01", "observation_end": "9999-12-31",
         "units": "lin", "output_type": 1, "file_type": "json", "order_by": "observation_date",
         **_LIST, "observations": [{**_TODAY, "date": "1946-01-01", "value": "."},
                                   {**_TODAY, "date": "1947-01-01", "value": "243.1"}]},
    ),
    Sample(FRED.format("series", "series_id=GDP"), {**_TODAY, "seriess": [_SERIES]}),
    Sample(
        FRED.format("series/search", "search_text=consumer+price"),
        {**_TODAY, "order_by": "search_rank", **_LIST, "seriess": [_SERIES]},
    ),
    Sample(
        FRED.format("releases", ""),
        {**_TODAY, "order_by": "release_id", **_LIST, "releases": [
            {"id": 10, **_TODAY, "name": "X", "press_release": True, "link": "http://x"}]},
    ),
    Sample(
        FRED.format("releases/dates", ""),
        {**_TODAY, "order_by": "release_date", **_LIST, "release_dates": [
            {"release_id": 10, "release_name": "X", "date": "2024-11-03"}]},
    ),
    Sample(
        f"{ALPHA}&function=CURRENCY_EXCHANGE_RATE&from_currency=BTC&to_currency=USD",
        {"Realtime Currency Exchange Rate": {
            "1. From_Currency Code": "X", "2. From_Currency Name": "X",
            "3. To_Currency Code": "USD", "4. To_Currency Name": "X", "5. Exchange Rate": "7.0",
            "6. Last Refreshed": "2026-05-18 12:45:01", "7. Time Zone": "UTC",
            "8. Bid Price": "7.0", "9. Ask Price": "7.1"}},
    ),
    Sample(
        f"{ALPHA}&function=DIGITAL_CURRENCY_DAILY&symbol=BTC&market=USD",
        {"Meta Data": {
            "1. Information": "X", "2. Digital Currency Code": "X",
            "3. Digital Currency Name": "X", "4. Market Code": "USD", "5. Market Name": "X",
            "6. Last Refreshed": "2026-05-18 00:00:00", "7. Time Zone": "UTC"},
         "Time Series (Digital Currency Daily)": {"2026-05-17": {**_FIGURES, "5. volume": "9.1"}}},
        ("Time Series (Digital Currency Daily)",),
    ),
    Sample(
        f"{ALPHA}&function=CPI&interval=monthly",
        {"name": "X", "interval": "monthly", "unit": "X",
         "data": [{"date": "2026-04-01", "value": "4.33"}]},
    ),
    Sample(
        PANIC,
        {"next": "https://x", "previous": None, "results": [
            {"id": 27, "slug": "x", "title": "X", "description": "X",
             "published_at": "2026-03-15T10:00:00Z", "created_at": "2026-03-15T10:00:05Z",
             "kind": "news",
             "source": {"title": "X", "region": "en", "domain": "x.com", "type": "feed"},
             "original_url": "https://x", "url": "https://x", "image": "https://x",
             "instruments": [{"code": "BTC", "title": "X", "slug": "x", "url": "https://x"}],
             "votes": {"negative": 0, "positive": 3, "important": 1, "liked": 2, "disliked": 0,
                       "lol": 0, "toxic": 0, "saved": 0, "comments": 0},
             "panic_score": None, "panic_score_1h": None, "author": None,
             "content": {"original": None, "clean": None}}]},
    ),
    Sample(
        f"{NEWS_API}/everything?q=sandbox&apiKey={KEY}",
        {"status": "ok", "totalResults": 77, "articles": [
            {"source": {"id": "x", "name": "X"}, "author": "X", "title": "X", "description": "X",
             "url": "https://x", "urlToImage": "https://x",
             "publishedAt": "2020-08-09T07:00:00Z", "content": "X"},
            {"source": {"id": None, "name": "X"}, "author": None, "title": "X",
             "description": "X", "url": "https://x", "urlToImage": None,
             "publishedAt": "2020-08-09T07:00:00Z", "content": "X"}]},
    ),
    Sample(
        f"{GDELT}?query=sandbox%20sourcelang:english&mode=artlist&format=json&timespan=24h",
        {"articles": [
            {"url": "https://x", "url_mobile": "", "title": "X", "seendate": "20260930T101500Z",
             "socialimage": "https://x", "domain": "x.com", "language": "English",
             "sourcecountry": "United States"}]},
    ),
    Sample(
        f"{TVL}/chains",
        [{"gecko_id": "x", "tvl": 6.1, "tokenSymbol": "X", "cmcId": "1027", "name": "X",
          "chainId": 1},
         {"gecko_id": None, "tvl": 6.1, "tokenSymbol": None, "cmcId": None, "name": "X",
          "chainId": None}],
    ),
    Sample(f"{TVL}/historicalChainTvl", [{"date": 15, "tvl": 0}]),
    Sample(f"{TVL}/historicalChainTvl/Ethereum", [{"date": 15, "tvl": 0}]),
)  # fmt: skip
