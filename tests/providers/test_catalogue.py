from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from providers import catalogue, registry
from providers.adapters.base import Adapter
from providers.catalogue import HERE, AssetEntry, CatalogueError, ProviderEntry, WindowEntry
from providers.datasets import DATASETS

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
SHIPPED = catalogue.load()
PROVIDERS = {entry.slug: entry for entry in SHIPPED.providers}
OWN_MACHINE = {"ollama", "vllm"}
LISTINGS = [
    (asset, adapter, quote, own)
    for asset in SHIPPED.assets
    for adapter, names in asset.listings.items()
    for quote, own in names.items()
]


@cache
def adapters() -> Mapping[str, type[Adapter]]:
    registry.discover()
    return {adapter.name: adapter for adapter in registry.all()}


# -- What is shipped -------------------------------------------------------------------------


@pytest.mark.parametrize("entry", SHIPPED.providers, ids=lambda entry: entry.slug)
def test_a_provider_names_an_adapter_and_has_an_address(entry: ProviderEntry) -> None:
    adapter = adapters()[entry.adapter].of(entry.options)
    address = entry.base_url or adapter.base_url
    assert address.startswith("https://" if entry.slug not in OWN_MACHINE else "http://127.0.0.1:")


def test_every_adapter_has_a_provider() -> None:
    assert set(adapters()) == {entry.adapter for entry in SHIPPED.providers}


def test_a_row_names_its_key_exactly_when_the_adapter_wants_one() -> None:
    wanting = {
        e.slug for e in SHIPPED.providers if adapters()[e.adapter].of(e.options).auth is not None
    }
    assert {e.slug for e in SHIPPED.providers if e.key_env} == wanting
    assert wanting >= {"coingecko_demo", "coingecko_pro", "cryptopanic", "etherscan", "fred"}
    assert wanting >= {"alpha_vantage", "coindesk_news", "cryptocompare_news", "newsapi"}


def test_every_provider_has_a_window_so_that_none_is_asked_without_bounds() -> None:
    assert all(entry.limits for entry in SHIPPED.providers)


def test_a_paid_tier_is_asked_before_a_free_one() -> None:
    pro, demo, free = (PROVIDERS[f"coingecko_{tier}"] for tier in ("pro", "demo", "free"))
    assert pro.priority > demo.priority > free.priority


@pytest.mark.parametrize("tier", ["pro", "demo", "free"])
def test_coingecko_is_treated_with_particular_care(tier: str) -> None:
    row = PROVIDERS[f"coingecko_{tier}"].row()
    assert row["min_fresh_s"] == 300
    [(window, scope)] = [((w["limit"], w["per_s"]), w["scope"]) for w in row["limits"][:1]]
    assert (window, scope) == (((6, 60), "key") if tier == "pro" else ((1, 10), "address"))
    assert row["throttle_rests_s"] == [120, 240, 600]
    assert (row["blacklist_after"], row["throttle_ceiling_s"]) == (3, 600)


def test_what_is_the_breakers_default_is_not_repeated() -> None:
    row = PROVIDERS["kraken"].row()
    assert not {"rests_s", "rest_ceiling_s", "throttle_rests_s", "block_rest_s"} & set(row)


def test_windows_can_be_stored_as_json_with_their_source() -> None:
    for entry in SHIPPED.providers:
        for window in json.loads(json.dumps(entry.row()["limits"])):
            assert window["source"]
            assert date.fromisoformat(window["read_on"])


def test_public_nodes_take_turns() -> None:
    strategies = {policy.dataset: policy.strategy for policy in SHIPPED.policies}
    assert set(strategies) == {name for name, found in DATASETS.items() if not found.derived}
    assert {name for name, strategy in strategies.items() if strategy != "priority"} == {"gas"}


COINS = [asset for asset in SHIPPED.assets if asset.kind == "crypto"]
OTHERS = [asset for asset in SHIPPED.assets if asset.kind != "crypto"]


def test_a_hundred_coins_and_some_others_of_which_each_word_means_one() -> None:
    assert len(COINS) == 100
    assert {asset.kind for asset in OTHERS} == {"equity", "index", "fx", "commodity"}
    meant: dict[str, str] = {}
    for asset in SHIPPED.assets:
        for word in {asset.id, asset.symbol.lower(), asset.name.lower()}:
            assert meant.setdefault(word, asset.id) == asset.id


def test_listings_belong_to_adapters_that_look_for_them() -> None:
    assert {adapter for _, adapter, _, _ in LISTINGS} <= set(adapters())


@pytest.mark.parametrize(
    ("adapter", "spell"),
    [
        ("binance", "{base}{quote}"),
        ("kraken", "{base}/{quote}"),
        ("coinbase", "{base}-{quote}"),
        ("okx", "{base}-{quote}"),
        ("kucoin", "{base}-{quote}"),
        ("bybit", "{base}{quote}"),
        ("bitfinex", "t{base}{quote}"),
        ("yahoo", "{base}-{quote}"),
    ],
)
def test_a_pair_is_spelt_as_its_exchange_does(adapter: str, spell: str) -> None:
    pairs = [(a.symbol, q, own) for a, name, q, own in LISTINGS if name == adapter and a in COINS]
    assert pairs
    assert all(own == spell.format(base=base, quote=quote) for base, quote, own in pairs)


@pytest.mark.parametrize("asset", OTHERS, ids=lambda asset: asset.id)
def test_what_is_no_coin_is_listed_in_its_own_currency_alone(asset: AssetEntry) -> None:
    assert {quote for names in asset.listings.values() for quote in names} == {asset.currency}
    assert bool(asset.currency) == (asset.kind != "index")


def test_an_asset_is_not_quoted_in_itself() -> None:
    assert not [own for asset, _, quote, own in LISTINGS if asset.symbol == quote]


# -- Every id against what was recorded ------------------------------------------------------


@cache
def recorded(name: str) -> Any:
    return json.loads((SHARED / "recorded" / name).read_text())


@cache
def reference() -> str:
    return (SHARED / "reference/market-apis.md").read_text()


def tickers() -> Iterator[Mapping[str, Any]]:
    for number in (0, 1):
        yield from recorded(f"coingecko/exchange_tickers_binance_{number}.json")["tickers"]


@cache
def attested(adapter: str) -> frozenset[tuple[str, str]]:
    """(symbol, external id) as recorded answers have them."""
    if adapter == "coingecko":
        named = {(t["base"], t["coin_id"]) for t in tickers()}
        return frozenset(named | {(t["target"], t.get("target_coin_id") or "") for t in tickers()})
    if adapter == "binance":
        return frozenset((t["base"], t["base"] + t["target"]) for t in tickers())
    if adapter == "kraken":
        keys = recorded("kraken/Ticker_all_assetVersion1_sample2.json")["result"]
        return frozenset((key.split("/")[0], key) for key in keys)
    if adapter == "okx":
        rows = recorded("okx/cf_api_v5_public_instruments_instType_SPOT.json")["data"]
        return frozenset((row["baseCcy"], row["instId"]) for row in rows if row["state"] == "live")
    if adapter == "coinbase":
        rows = recorded("coinbase/cf_products.json")
        return frozenset((row["base_currency"], row["id"]) for row in rows)
    return frozenset(EVIDENCE.get(adapter, list)())


def of_kucoin() -> Iterator[tuple[str, str]]:
    rows = recorded("kucoin/cf_api_v1_symbols.json")["data"]
    return ((row["baseCurrency"], row["symbol"]) for row in rows if row["enableTrading"])


def of_bitstamp() -> Iterator[tuple[str, str]]:
    """Pairs that were asked for by address, all of three letters each."""
    for entry in recorded("manifest.json"):
        if entry["provider"] == "bitstamp":
            own = entry["url"].rsplit("/", 1)[-1]
            yield own[:3].upper(), own


def of_bitfinex() -> Iterator[tuple[str, str]]:
    rows = recorded("bitfinex/xchange_v2_ticker.json")
    return ((row[0][1:4], row[0]) for row in rows if row[0].startswith("t"))


def of_coinmarketcap() -> Iterator[tuple[str, str]]:
    rows = recorded("coinmarketcap/listings_latest.json")["data"]
    return ((row["symbol"], str(row["id"])) for row in rows)


def of_cryptocompare() -> Iterator[tuple[str, str]]:
    """Tickers whose coin has our name: a ticker of 2017 may have been another coin's."""
    names = {asset.symbol: asset.name for asset in SHIPPED.assets}
    for own, coin in recorded("cryptocompare/min_coin_list.json")["Data"].items():
        if names.get(own) == coin["FullName"].rpartition(" (")[0].strip():
            yield own, own
    for entry in recorded("manifest.json"):
        if "/data/pricemulti?" in entry["url"]:
            yield from ((own, own) for own in recorded(entry["file"]))


def of_yahoo() -> Iterator[tuple[str, str]]:
    """What is no coin, wherever its ticker stands as the value of a recorded answer."""
    values = {value for path in (SHARED / "recorded/yahoo").glob("*.json") for value in texts(path)}
    return ((asset.symbol, own) for asset, _, _, own in LISTINGS if own in values)


def texts(path: Path) -> Iterator[str]:
    """Every text of a JSON file, at any depth."""
    waiting = [json.loads(path.read_text())]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value


EVIDENCE: Mapping[str, Callable[[], Iterable[tuple[str, str]]]] = {
    "bitfinex": of_bitfinex,
    "bitstamp": of_bitstamp,
    "coinmarketcap": of_coinmarketcap,
    "cryptocompare": of_cryptocompare,
    "kucoin": of_kucoin,
    "yahoo": of_yahoo,
}


@cache
def asked_of_coingecko() -> frozenset[str]:
    """Ids that a recorded question to CoinGecko, or to DefiLlama in its words, was answered for."""
    found: set[str] = set()
    for entry in recorded("manifest.json"):
        answered = entry["status"] == 200 and entry["kind"] == "recorded_http"
        if answered and entry["provider"] == "coingecko":
            found.add(entry["url"].split("?")[0].rsplit("/", 1)[-1])
            if "/simple/price" in entry["url"]:
                found |= set(recorded(entry["file"]))
        if answered and entry["provider"] == "defillama":
            coins = recorded(entry["file"]).get("coins", {})
            found |= {name.removeprefix("coingecko:") for name in coins}
    return frozenset(found)


def in_reference(asset: AssetEntry, own: str) -> bool:
    """In the row of the coin in the table of ids, or as an id of a sample answer."""
    rows = [line for line in reference().splitlines() if line.startswith(f"| {asset.symbol} |")]
    return any(f"| {own} |" in row for row in rows) or f'"id":"{own}","' in reference()


@pytest.mark.skipif(not SHARED.is_dir(), reason="no recorded answers here")
@pytest.mark.parametrize("adapter", sorted({adapter for _, adapter, _, _ in LISTINGS}))
def test_every_listing_stands_in_a_recorded_answer_or_the_reference(adapter: str) -> None:
    listed = [(asset, own) for asset, name, _, own in LISTINGS if name == adapter]
    assert listed
    for asset, own in listed:
        assert (
            (asset.symbol, own) in attested(adapter)
            or (adapter == "coingecko" and own in asked_of_coingecko())
            or in_reference(asset, own)
        ), f"{adapter} {own} is attested nowhere"


def test_how_the_assets_were_chosen_is_told() -> None:
    told = (ROOT / "docs/assets.md").read_text()
    for adapter in {name for _, name, _, _ in LISTINGS}:
        listed = sum(adapter in asset.listings for asset in SHIPPED.assets)
        [row] = [line for line in told.splitlines() if line.startswith(f"| `{adapter}` |")]
        assert row.endswith(f"| {listed} |")


# -- What is refused -------------------------------------------------------------------------


def write(folder: Path, provider: Mapping[str, Any] | None = None, **files: Any) -> Path:
    """A catalogue of one provider and one asset, with changes; None takes a field out."""
    window = {"limit": 1, "per_s": 1, "source": "here", "read_on": date(2026, 1, 1)}
    row: dict[str, Any] = {
        "slug": "one",
        "title": "One",
        "adapter": "one",
        "category": "market",
        "docs_url": "https://one.example/docs",
        "priority": 50,
        "timeout_s": 5,
        "limits": [window],
    }
    row = {k: v for k, v in {**row, **(provider or {})}.items() if v is not None}
    written = {"providers": [row], "strategies": {}, **files}
    assets = written.pop("assets", [{"id": "a", "symbol": "A", "name": "A", "listings": {}}])
    (folder / "providers.yaml").write_text(yaml.safe_dump(written))
    (folder / "assets.json").write_text(json.dumps(assets))
    return folder


def test_the_smallest_catalogue_is_read(tmp_path: Path) -> None:
    found = catalogue.load(write(tmp_path))
    assert found.providers[0].limits == (WindowEntry(1, 1, "here", date(2026, 1, 1)),)


WINDOW = {"limit": 1, "per_s": 1, "source": "here", "read_on": date(2026, 1, 1)}


@pytest.mark.parametrize(
    ("provider", "complaint"),
    [
        ({"slug": "One!"}, "slug"),
        ({"title": None}, "missing: title"),
        ({"prio": 3}, "unknown: prio"),
        ({"priority": 101}, "priority"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"min_fresh_s": -1}, "min_fresh_s"),
        ({"base_url": "http://one.example"}, "https"),
        ({"rests_s": [5, 0]}, "rests"),
        ({"limits": [WINDOW | {"limit": 0}]}, "above 0"),
        ({"limits": [WINDOW | {"burst": 2}]}, "burst"),
        ({"limits": [WINDOW | {"scope": "planet"}]}, "scope"),
        ({"limits": [WINDOW | {"source": " "}]}, "source"),
        ({"limits": [{"limit": 1, "per_s": 1}]}, "missing: read_on, source"),
        ({"limits": [WINDOW, WINDOW | {"limit": 9}]}, "twice"),
    ],
)
def test_a_provider_that_makes_no_sense_is_named(
    tmp_path: Path, provider: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(CatalogueError, match=complaint) as caught:
        catalogue.load(write(tmp_path, provider))
    assert str(caught.value).startswith("provider ")


@pytest.mark.parametrize(
    ("assets", "complaint"),
    [
        ([{"id": "a", "symbol": "a", "name": "A"}], "symbol"),
        ([{"id": "A b", "symbol": "A", "name": "A"}], "id"),
        ([{"id": "a", "symbol": "A", "name": ""}], "name"),
        ([{"id": "a", "symbol": "A", "name": "A", "kind": "bond"}], "kind"),
        ([{"id": "a", "symbol": "A", "name": "A", "currency": "usd"}], "currency"),
        ([{"id": "a", "symbol": "A"}], "missing: name"),
        ([{"id": "a", "symbol": "A", "name": "A", "listings": {"x": {}}}], "empty listing"),
        ([{"id": i, "symbol": "A", "name": i} for i in "ab"], "symbol 'A'"),
        ([{"id": "a", "symbol": s, "name": s} for s in "AB"], "asset 'a'"),
        (
            [{"id": i, "symbol": i.upper(), "name": i, "listings": {"x": {"": "q"}}} for i in "ab"],
            "listing",
        ),
    ],
)
def test_assets_that_cannot_be_told_apart_are_refused(
    tmp_path: Path, assets: list[Any], complaint: str
) -> None:
    with pytest.raises(CatalogueError, match=complaint):
        catalogue.load(write(tmp_path, assets=assets))


def test_a_strategy_is_one_we_know_for_a_dataset_we_know(tmp_path: Path) -> None:
    for strategies in ({"gas": "random"}, {"weather": "priority"}):
        with pytest.raises(CatalogueError):
            catalogue.load(write(tmp_path, strategies=strategies))


def test_two_rows_of_one_slug_are_refused(tmp_path: Path) -> None:
    [row] = yaml.safe_load((write(tmp_path) / "providers.yaml").read_text())["providers"]
    with pytest.raises(CatalogueError, match="twice"):
        catalogue.load(write(tmp_path, providers=[row, row]))


def test_the_files_are_beside_the_loader() -> None:
    assert {path.name for path in HERE.iterdir()} >= {"providers.yaml", "assets.json"}
