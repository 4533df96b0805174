from __future__ import annotations

import json
from typing import Any

import pytest

from providers.adapters.base import Adapter, Reply
from providers.adapters.coindesk_news import TOPICS, CoinDeskNews, CryptoCompareNews
from providers.datasets import Article, NewsQuery
from providers.errors import BadKey, Garbled, ProviderError, Throttled
from tests.providers.adapters.conftest import PAYLOADS, adapt, encode

NEW = json.loads((PAYLOADS / "coindesk_news/news.json").read_text())
OLD = json.loads((PAYLOADS / "cryptocompare_news/news.json").read_text())


def read(adapter: type[Adapter], payload: Any) -> list[Article]:
    translator, _ = adapt(adapter, payload)
    found: list[Article] = translator.news(NewsQuery(limit=250))
    return found


def test_coins_are_the_categories_that_are_no_topics() -> None:
    assert [article.symbols for article in read(CoinDeskNews, NEW)] == [
        ("BTC", "ETH"),
        ("TAO",),
        (),
    ]
    assert [article.symbols for article in read(CryptoCompareNews, OLD)] == [("BTC",), ("UNI",)]


def test_its_sentiment_is_a_label_without_a_number() -> None:
    assert [article.sentiment for article in read(CoinDeskNews, NEW)] == [
        {"label": label, "score": None, "method": "coindesk"}
        for label in ("bullish", "bearish", "neutral")
    ]


def test_a_label_that_nobody_knows_is_not_passed_on() -> None:
    row = NEW["Data"][0]
    adapter, _ = adapt(CoinDeskNews, {"Data": [row | {"SENTIMENT": "EUPHORIC"}, NEW["Data"][1]]})
    assert len(adapter.news(NewsQuery())) == 1
    assert adapter.dropped == 1


def test_an_article_without_a_label_has_no_sentiment() -> None:
    row = {key: value for key, value in NEW["Data"][0].items() if key != "SENTIMENT"}
    assert read(CoinDeskNews, {"Data": [row]})[0].sentiment is None


def test_votes_of_old_are_no_sentiment() -> None:
    assert {article.sentiment is None for article in read(CryptoCompareNews, OLD)} == {True}


def test_text_is_plain() -> None:
    assert read(CoinDeskNews, NEW)[1].summary == "Withdrawals are paused."


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        ("API key required, please refer to the documentation", BadKey),
        ("You are over your rate limit please upgrade your account!", Throttled),
        ("Invalid: to_ts parameter.", Garbled),
    ],
)
def test_errors_inside_a_200_are_told_by_their_words(
    message: str, meant: type[ProviderError]
) -> None:
    body = encode({"Data": {}, "Err": {"type": 2, "message": message}})
    assert type(CoinDeskNews.diagnose(Reply(200, {}, body))) is meant
    body = encode({"Response": "Error", "Message": message, "Type": 1, "Data": {}})
    assert type(CryptoCompareNews.diagnose(Reply(200, {}, body))) is meant


def test_the_legacy_type_of_a_limit_needs_no_words() -> None:
    body = encode({"Response": "Error", "Message": "Slow down.", "Type": 99, "Data": {}})
    assert type(CryptoCompareNews.diagnose(Reply(200, {}, body))) is Throttled


def test_a_status_speaks_for_itself() -> None:
    body = encode({"Data": {}, "Err": {"type": 2, "message": "API key required"}})
    assert CoinDeskNews.diagnose(Reply(401, {}, body)) is None


def test_answers_are_no_errors() -> None:
    assert CoinDeskNews.diagnose(Reply(200, {}, encode(NEW))) is None
    assert CryptoCompareNews.diagnose(Reply(200, {}, encode(OLD))) is None


@pytest.mark.parametrize("adapter", [CoinDeskNews, CryptoCompareNews])
def test_the_key_goes_into_a_header(adapter: type[Adapter]) -> None:
    assert adapter.auth is not None
    assert (adapter.auth.header, adapter.auth.prefix) == ("Authorization", "Apikey ")


def test_a_topic_is_one_word() -> None:
    assert all(topic == topic.upper() and " " not in topic for topic in TOPICS)
