from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import catalogue
from providers.tagging import ORDINARY, SHORT, TAKEN, symbols_in

EVERYTHING = {a.symbol: a.name for a in reversed(catalogue.load().assets)}
ASSETS = {a.symbol: a.name for a in catalogue.load().assets if a.kind == "crypto"}
SYMBOLS = st.sampled_from(sorted(ASSETS))
PLAIN = st.sampled_from(sorted(s for s in ASSETS if len(s) > SHORT and s not in TAKEN))
LETTERS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=4)
TEXTS = st.lists(
    st.sampled_from([*ASSETS, *ASSETS.values(), "$", "(", ")", " ", "-", "rallies", "THE"])
    | st.text(max_size=5)
).map("".join)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bitcoin's hash rate rises", ["BTC"]),
        ("bitcoin and ETHEREUM", ["BTC", "ETH"]),
        ("Bitcoin Cash rallies as BTC dips", ["BCH", "BTC"]),
        ("Ethereum Classic (ETC) forks", ["ETC"]),
        ("Ether slides below its moving average", ["ETH"]),
        ("ETH/BTC at a year's low", ["ETH", "BTC"]),
        ("SOL-backed notes", ["SOL"]),
        ("Wrapped  Bitcoin", ["WBTC"]),
        ("yearn.finance votes", ["YFI"]),
        ("An avalanche of selling after a stellar week", []),
        ("AVAX and XLM", ["AVAX", "XLM"]),
        ("Near a record, the sky is the limit", []),
        ("NEAR Protocol ships", ["NEAR"]),
        ("Trump speaks", []),
        ("Regulators open the sandbox", []),
        ("The link is dead, a dot remains", []),
        ("LINK and DOT", ["LINK", "DOT"]),
        ("S&P 500 (SPX) closes higher, SPX too", ["SPX"]),
        ("SPX closes higher", []),
        ("SPX6900 doubles", ["SPX"]),
        ("carbon copy: CC", []),
        ("$CC doubles", ["CC"]),
        ("BITCOIN NEAR A RECORD AS LINK BREAKS", ["BTC"]),
        ("BUY $LINK, THEY SAID", ["LINK"]),
        ("BTCUSD, wBTC and BTCs", []),
        ("$bitcoin", []),
        ("sui generis; Sui upgrades", ["SUI"]),
        ("", []),
    ],
)
def test_headlines(text: str, expected: list[str]) -> None:
    assert list(symbols_in(text, ASSETS)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Apple and Tesla beat forecasts as AMZN slips", ["AAPL", "TSLA", "AMZN"]),
        ("An apple a day: apple harvest", []),
        ("Apple Inc. and Microsoft Corporation settle", ["AAPL", "MSFT"]),
        ("An Alphabet soup of regulators", []),
        ("Alphabet Inc. (GOOG) reports", ["GOOG"]),
        ("S&P 500 and Russell 2000 close higher", ["GSPC", "RUT"]),
        ("The dollar slides: EUR/USD at a year's high, EURUSD again", ["EURUSD"]),
        ("Bitcoin is digital gold, they say", ["BTC"]),
        ("Spot gold climbs; gold prices at a record", ["GC"]),
        ("Meta Platforms sues, META falls", ["META"]),
        ("Meta questions", []),
        ("BMW recalls cars", ["BMW"]),
    ],
)
def test_what_is_no_coin_is_heard_too(text: str, expected: list[str]) -> None:
    assert list(symbols_in(text, EVERYTHING)) == expected


def test_an_id_that_stands_for_a_symbol_is_no_ticker() -> None:
    assert symbols_in("gold and meta-platforms", {"gold": "Gold", "meta-platforms": "M"}) == ()
    assert symbols_in("Meta Platforms", {"meta-platforms": "Meta Platforms"}) == ("meta-platforms",)


@given(TEXTS)
def test_only_known_symbols_are_found_each_once(text: str) -> None:
    found = symbols_in(text, ASSETS)
    assert set(found) <= set(ASSETS)
    assert len(set(found)) == len(found)


@given(TEXTS)
def test_the_order_of_the_assets_does_not_matter(text: str) -> None:
    backwards = dict(reversed(ASSETS.items()))
    assert symbols_in(text, backwards) == symbols_in(text, ASSETS)


@given(SYMBOLS)
def test_a_marked_ticker_is_always_heard(symbol: str) -> None:
    assert symbols_in(f"traders buy ${symbol} now", ASSETS) == (symbol,)
    assert symbols_in(f"TRADERS BUY THIS ({symbol})", ASSETS) == (symbol,)


@given(PLAIN)
def test_a_plain_ticker_is_heard_as_a_word_in_capitals_alone(symbol: str) -> None:
    assert symbols_in(f"why {symbol} fell", ASSETS) == (symbol,)
    if symbol.lower() not in {name.lower() for name in ASSETS.values()}:
        assert symbols_in(f"why {symbol.lower()} fell", ASSETS) == ()


@given(SYMBOLS, LETTERS)
def test_part_of_a_word_is_no_ticker(symbol: str, letters: str) -> None:
    assert symbol not in symbols_in(f"why {symbol}{letters}{symbol} fell", {symbol: "?"})


@given(SYMBOLS.filter(lambda symbol: ASSETS[symbol].lower() not in ORDINARY))
def test_a_name_is_heard_in_any_case_unless_it_is_a_syllable(symbol: str) -> None:
    name = ASSETS[symbol]
    assert symbols_in(f"why {name} fell", ASSETS) == (symbol,)
    if len(name) > 3:
        assert symbols_in(f"why {name.lower()} fell", ASSETS) == (symbol,)


def test_without_assets_nothing_is_found() -> None:
    assert symbols_in("Bitcoin, BTC and $BTC", {}) == ()
