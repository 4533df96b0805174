from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from aggregator import answers, shelf
from aggregator.merging import PartQuery, _read, merged
from providers import roster
from providers.datasets import Article, NewsQuery
from tests.aggregator.visitors import age, get
from tests.conftest import while_refreshing
from tests.upstreams import NOON, Upstreams, article, assets, rows, status, usual

transaction = pytest.mark.django_db(transaction=True)


@pytest.fixture
def feeds(upstreams: Upstreams) -> Upstreams:
    for slug in "abc":
        upstreams.provider(slug, min_fresh_s=300)
    return upstreams


def titles(path: str = "/api/news") -> list[str]:
    return [row["title"] for row in get(path).body["data"]]


# -- Every feed is read ----------------------------------------------------------------------


@transaction
def test_every_feed_is_read_once_and_their_rows_are_merged(feeds: Upstreams) -> None:
    found = get("/api/news")
    assert sorted(row["title"] for row in found.body["data"]) == [
        "News of a",
        "News of b",
        "News of c",
    ]
    assert found.meta["source"] == "a,b,c"
    assert [(part["source"], part["rows"]) for part in found.meta["sources"]] == [
        ("a", 1),
        ("b", 1),
        ("c", 1),
    ]
    assert get("/api/news?limit=1").meta["cache"] == "hit"
    assert sorted(asked.slug for asked in feeds.asked) == ["a", "b", "c"]


@transaction
def test_a_feed_that_fails_is_named_and_the_others_are_served(feeds: Upstreams) -> None:
    feeds.play["b"] = status(500)
    found = get("/api/news")
    assert sorted(row["title"] for row in found.body["data"]) == ["News of a", "News of c"]
    assert found.attempts == [("b", "broken")]
    assert found.meta["source"] == "a,c"


@transaction
def test_a_feed_that_fails_is_stood_in_for_by_its_last_rows(feeds: Upstreams) -> None:
    get("/api/news")
    age(400)
    feeds.play["a"] = lambda asked: rows([article("Newer news of a")])
    feeds.play["b"] = status(500)
    get("/api/news")
    while_refreshing()
    found = get("/api/news")
    assert sorted(row["title"] for row in found.body["data"]) == [
        "Newer news of a",
        "News of b",
        "News of c",
    ]
    assert found.meta["cache"] == "hit"
    assert found.attempts == [("b", "broken")]
    assert found.meta["age_s"] == pytest.approx(400, abs=2), "as old as its oldest part"
    parts = {part["source"]: part["fetched_at"] for part in found.meta["sources"]}
    assert parts["b"] < parts["a"]


@transaction
def test_when_every_feed_fails_the_stale_news_stay(feeds: Upstreams) -> None:
    first = get("/api/news").body["data"]
    age(400)
    for slug in "abc":
        feeds.play[slug] = status(500)
    for expected in ("refreshing", "stale"):
        found = get("/api/news")
        assert found.meta["cache"] == expected
        assert found.body["data"] == first
        while_refreshing()


@transaction
def test_without_any_news_the_error_names_every_feed(feeds: Upstreams) -> None:
    for slug in "abc":
        feeds.play[slug] = status(500)
    found = get("/api/news")
    assert found.status == 503
    assert sorted(found.attempts) == [("a", "broken"), ("b", "broken"), ("c", "broken")]
    assert found.headers["Retry-After"] == "5"


@transaction
def test_a_feed_that_is_still_fresh_is_not_read_again(feeds: Upstreams) -> None:
    feeds.play["a"] = status(500)
    get("/api/news")
    known = [a for a in answers.board._answers.values() if isinstance(a.query, PartQuery)]
    shelf.purge([])
    answers.board.clear()
    answers.shelve_many(known)
    feeds.play["a"] = usual
    roster.current().providers[0].guard.reset()
    assert len(get("/api/news").body["data"]) == 3
    assert sorted(asked.slug for asked in feeds.asked) == ["a", "a", "b", "c"]


@transaction
def test_a_feed_that_hangs_keeps_the_others_waiting_no_longer_than_it_may(
    feeds: Upstreams, settings: Any
) -> None:
    settings.UPSTREAM_PATIENCE_S = 0.5
    feeds.play["b"] = feeds.hang
    found = get("/api/news")
    assert len(found.body["data"]) == 2
    assert found.attempts == [("b", "timed_out")]


@transaction
def test_a_feed_without_news_is_no_failure(feeds: Upstreams) -> None:
    feeds.play["b"] = lambda asked: rows([])
    found = get("/api/news")
    assert found.attempts == []
    assert ("b", 0) in [(part["source"], part["rows"]) for part in found.meta["sources"]]


@transaction
def test_news_are_narrowed_from_one_and_the_same_answer(feeds: Upstreams) -> None:
    assets("BTC")
    told = article("BTC is up", source="x.example", at=NOON + timedelta(hours=1))
    feeds.play["a"] = lambda asked: rows([told])
    assert titles()[0] == "BTC is up"
    assert titles("/api/news?symbol=btc") == ["BTC is up"]
    assert titles("/api/news?source=x.example") == ["BTC is up"]
    assert titles("/api/news?since=2026-05-18T12:30:00Z") == ["BTC is up"]
    assert titles("/api/news?source=nobody") == []
    assert len(feeds.asked) == 3


# -- What is the same story ------------------------------------------------------------------

articles = st.lists(
    st.builds(
        lambda title, hours, page: article(
            title, at=NOON + timedelta(hours=hours), url=f"https://x.example/article-{page:03}"
        ),
        st.sampled_from(["Up", "up", " UP ", "Down", "Sideways again"]),
        st.integers(0, 72),
        st.integers(0, 5),
    ),
    max_size=12,
)


def story(found: Article) -> tuple[str, Any]:
    return " ".join(found.title.lower().split()), found.published_at.date()


@pytest.mark.django_db
@hypothesis_settings(max_examples=50)
@given(found=articles)
def test_merged_news_are_newest_first_and_tell_no_story_twice(found: list[Article]) -> None:
    kept = merged(found)
    moments = [one.published_at for one in kept]
    assert moments == sorted(moments, reverse=True)
    assert len({one.id for one in kept}) == len(kept)
    assert len(set(map(story, kept))) == len(kept)
    ids, stories = {one.id for one in kept}, set(map(story, kept))
    assert all(one.id in ids or story(one) in stories for one in found), "nothing else is lost"


@pytest.mark.django_db
def test_of_one_story_the_first_to_tell_it_is_kept() -> None:
    first = article("Bitcoin is up", at=NOON, url="https://a.example/1")
    later = article("BITCOIN  is up", at=NOON + timedelta(hours=2), url="https://b.example/2")
    (kept,) = merged([later, first])
    assert kept._replace(sentiment=None) == first


@pytest.mark.django_db
def test_a_column_of_the_same_name_is_news_again_next_week() -> None:
    column = [article("Price analysis", at=NOON + timedelta(days=7 * n)) for n in range(2)]
    column[1] = column[1]._replace(id="other", url="https://news.example/other")
    assert [one.url for one in merged(column)] == [column[1].url, column[0].url]


@pytest.mark.django_db
def test_symbols_are_read_off_the_words_and_those_of_the_feed_stay() -> None:
    assets("BTC", "ETH")
    roster.forget()
    told = article("What BTC means")._replace(symbols=("XRP",))
    assert merged([told])[0].symbols == ("BTC", "XRP")


@pytest.mark.django_db
def test_a_headline_is_flagged_with_its_mood_and_how_that_was_found() -> None:
    (found,) = merged([article("Bitcoin surges to a record high")])
    assert found.sentiment == {"label": "bullish", "score": 0.87, "method": "lexicon"}


@pytest.mark.django_db
def test_what_a_feed_says_of_the_mood_stays() -> None:
    votes = {"label": "bearish", "score": -0.5, "method": "cryptopanic_votes"}
    (found,) = merged([article("Bitcoin surges to a record high")._replace(sentiment=votes)])
    assert found.sentiment == votes


@transaction
def test_the_mood_of_news_is_there_in_every_answer(feeds: Upstreams) -> None:
    feeds.play["a"] = lambda asked: rows([article("Exchange hacked, funds drained")])
    for _ in ("asked for", "off the shelf"):
        found = {row["title"]: row["sentiment"] for row in get("/api/news").body["data"]}
        flagged = found["Exchange hacked, funds drained"]
        assert (flagged["label"], flagged["method"]) == ("bearish", "lexicon")
        assert found["News of b"]["label"] == "neutral"


@pytest.mark.django_db
def test_a_headline_is_read_once_however_often_its_feed_is() -> None:
    told = [article(f"Bitcoin surges, says analyst {n}") for n in range(40)]
    merged(told)
    before = _read.cache_info().misses
    merged(told)
    assert _read.cache_info().misses == before


def test_a_part_has_a_place_of_its_own() -> None:
    parts = [PartQuery(limit=250, provider=slug) for slug in "ab"]
    keys = {answers.shelf_key(query) for query in (*parts, NewsQuery(limit=250))}
    assert len(keys) == 3
    assert parts[0].upstream() == parts[0]
