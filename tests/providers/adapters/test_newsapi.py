from __future__ import annotations

from datetime import UTC, datetime

import pytest

from providers.adapters.base import Reply
from providers.adapters.newsapi import NewsApi
from providers.datasets import NewsQuery
from providers.errors import BadKey, Broken, Garbled, PlanLimit, ProviderError, Throttled
from tests.providers.adapters.conftest import PAYLOADS, adapt, encode

BODY = (PAYLOADS / "newsapi/news.json").read_bytes()


def test_an_article_is_plain_text_of_its_paper() -> None:
    adapter, http = adapt(NewsApi, BODY)
    first = adapter.news(NewsQuery(limit=250))[0]
    assert (first.title, first.source) == ("A bank opens a vault for coins", "example-wire.com")
    assert first.url == "https://www.example-wire.com/business/vault"
    assert first.summary == "It holds keys, not coins."
    assert first.published_at == datetime(2026, 5, 17, 11, 45, tzinfo=UTC)
    assert http.asked[0][1]["pageSize"] == 100


def test_an_article_that_was_taken_back_is_left_out_and_no_mistake() -> None:
    adapter, _ = adapt(NewsApi, BODY)
    assert [a.title for a in adapter.news(NewsQuery())] == [
        "A bank opens a vault for coins",
        "Stablecoins meet a slow parliament",
    ]
    assert adapter.dropped == 0


@pytest.mark.parametrize(
    ("status", "code", "words", "meant"),
    [
        (401, "apiKeyInvalid", "Your API key is invalid or incorrect.", BadKey),
        (401, "apiKeyMissing", "Your API key is missing.", BadKey),
        (429, "rateLimited", "You have made too many requests recently.", Throttled),
        (429, "apiKeyExhausted", "Your API key has no more requests.", Throttled),
        (426, "maximumResultsReached", "Developer accounts are limited to 100.", PlanLimit),
        (
            426,
            "parameterInvalid",
            "You are trying to request results too far in the past.",
            PlanLimit,
        ),
        (400, "parameterInvalid", "The parameter q is too long.", Garbled),
        (500, "unexpectedError", "Something went wrong.", Broken),
        (400, "sourcesTooMany", "You have requested too many sources.", Garbled),
    ],
)
def test_a_code_says_more_than_its_status(
    status: int, code: str, words: str, meant: type[ProviderError]
) -> None:
    body = encode({"status": "error", "code": code, "message": words})
    assert type(NewsApi.diagnose(Reply(status, {}, body))) is meant


def test_an_answer_is_no_error() -> None:
    assert NewsApi.diagnose(Reply(200, {}, BODY)) is None
    assert NewsApi.diagnose(Reply(503, {}, b"<html>")) is None


def test_the_key_goes_into_a_header() -> None:
    assert NewsApi.auth is not None
    assert (NewsApi.auth.header, NewsApi.auth.param) == ("X-Api-Key", "")


def test_a_ping_reads_its_list_of_papers() -> None:
    adapt(NewsApi, {"status": "ok", "sources": []})[0].ping()
    with pytest.raises(KeyError):
        adapt(NewsApi, {"status": "ok"})[0].ping()
