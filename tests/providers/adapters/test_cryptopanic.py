from __future__ import annotations

import json
from typing import Any

import pytest

from providers.adapters.cryptopanic import CryptoPanic
from providers.datasets import Article, NewsQuery
from tests.providers.adapters.conftest import PAYLOADS, adapt

PAYLOAD = json.loads((PAYLOADS / "cryptopanic/news.json").read_text())


def read(payload: Any = PAYLOAD) -> list[Article]:
    adapter, _ = adapt(CryptoPanic, payload)
    found: list[Article] = adapter.news(NewsQuery(limit=250))
    assert adapter.dropped == 0
    return found


def without(*fields: str) -> dict[str, Any]:
    rows = [{k: v for k, v in row.items() if k not in fields} for row in PAYLOAD["results"]]
    return {**PAYLOAD, "results": rows}


def test_an_article_is_plain_and_leads_to_where_it_was_written() -> None:
    first = read()[0]
    assert first.title == "Example chain halves its fees & nobody notices"
    assert first.summary == "The change took effect at noon."
    assert first.url == "https://www.example-wire.com/tech/fees"
    assert first.source == "example-wire.com"


def test_coins_are_the_instruments_of_a_headline() -> None:
    assert [article.symbols for article in read()] == [("ETH", "ARB"), ("BTC",), ()]


def test_a_plan_without_original_addresses_leads_to_its_own_pages() -> None:
    first = read(without("original_url"))[0]
    assert first.url == "https://cryptopanic.com/news/31000001/Example-chain-halves-its-fees"
    assert first.source == "example-wire.com"  # still who wrote it


@pytest.mark.parametrize(
    "fields", [("votes",), ("instruments",), ("description",), ("votes", "kind")]
)
def test_what_a_plan_leaves_out_is_unknown(fields: tuple[str, ...]) -> None:
    assert len(read(without(*fields))) == 3
    if "votes" in fields:
        assert {article.sentiment is None for article in read(without(*fields))} == {True}


def test_the_token_in_the_address_of_the_next_page_is_never_kept() -> None:
    token = PAYLOAD["next"].split("auth_token=")[1].split("&")[0]
    assert token
    assert token not in repr(read())


@pytest.mark.parametrize(
    ("positive", "negative", "expected"),
    [
        (7, 1, ("bullish", 0.75)),
        (1, 6, ("bearish", -0.71)),
        (3, 3, ("neutral", 0.0)),
        (3, 2, ("neutral", 0.2)),
        (4, 2, ("bullish", 0.33)),
        (5, 0, ("bullish", 1.0)),
        (4, 0, None),
        (0, 0, None),
    ],
)
def test_votes_are_an_opinion_when_there_are_enough(
    positive: int, negative: int, expected: tuple[str, float] | None
) -> None:
    votes = {"positive": positive, "negative": negative, "important": 9, "lol": 9}
    [article] = read({"results": [PAYLOAD["results"][0] | {"votes": votes}]})
    sentiment = article.sentiment
    if expected is None:
        assert sentiment is None
    else:
        label, score = expected
        assert sentiment == {"label": label, "score": score, "method": "cryptopanic_votes"}


def test_the_token_goes_into_the_query_and_the_rest_is_as_documented() -> None:
    assert CryptoPanic.auth is not None
    assert (CryptoPanic.auth.param, CryptoPanic.auth.header) == ("auth_token", "")
    adapter, http = adapt(CryptoPanic, PAYLOAD)
    adapter.ping()
    assert http.asked == [("/posts/", {"public": True, "kind": "news", "regions": "en"})]
