from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from providers.adapters.base import Reply
from providers.adapters.gdelt import Gdelt
from providers.datasets import NewsQuery
from providers.errors import Garbled, Throttled
from tests.providers.adapters.conftest import PAYLOADS, adapt

BODY = (PAYLOADS / "gdelt/news.json").read_bytes()
SLOW_DOWN = b"Please limit requests to one every 5 seconds or contact us for larger queries."


def test_an_article_is_dated_by_when_it_was_seen() -> None:
    first = adapt(Gdelt, BODY)[0].news(NewsQuery(limit=250))[0]
    assert first.published_at == datetime(2026, 5, 18, 10, 15, tzinfo=UTC)
    assert first.source == "example-wire.com"
    assert (first.summary, first.symbols, first.sentiment) == (None, (), None)


def test_titles_lose_the_gaps_between_words_and_signs() -> None:
    first = adapt(Gdelt, BODY)[0].news(NewsQuery(limit=250))[0]
    assert first.title == "Bitcoin in schools: a country tries, carefully"


def test_no_more_is_asked_for_than_it_gives() -> None:
    adapter, http = adapt(Gdelt, BODY)
    adapter.news(NewsQuery(limit=1000))
    assert http.asked[0][1]["maxrecords"] == 250
    assert len(adapter.news(NewsQuery(limit=2))) == 2


@pytest.mark.parametrize("body", [b"{}", b'{"articles": []}'])
def test_nothing_found_is_no_error(body: bytes) -> None:
    assert adapt(Gdelt, body)[0].news(NewsQuery()) == []


@pytest.mark.parametrize("status", [200, 429])
def test_plain_words_about_its_limit_are_a_throttle(status: int) -> None:
    assert type(Gdelt.diagnose(Reply(status, {}, SLOW_DOWN))) is Throttled


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        json.dumps({"articles": [{"title": "Exchanges limit requests"}]}).encode(),
        b"Your query was too short or too long.",
        b"",
    ],
)
def test_other_answers_are_none(body: bytes) -> None:
    assert Gdelt.diagnose(Reply(200, {}, body)) is None


def test_other_plain_words_are_garbled() -> None:
    with pytest.raises(Garbled):
        adapt(Gdelt, b"The specified phrase is too short.")[0].news(NewsQuery())


def test_a_ping_asks_for_one_article() -> None:
    adapter, http = adapt(Gdelt, BODY)
    adapter.ping()
    assert http.asked[0][1]["maxrecords"] == 1
