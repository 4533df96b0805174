from __future__ import annotations

from datetime import timedelta

import pytest

from providers.adapters.articles import SKEW, article, article_id, host, newest
from providers.errors import Garbled
from tests.providers.adapters.conftest import NOON

URL = "https://www.example-wire.com/a?page=2&utm_source=x#top"


def test_an_article_is_made_of_what_a_provider_says() -> None:
    found = article(NOON, url=URL, title="<b>Fees</b> fall", at=NOON, words="By &lt;i&gt;half")
    assert found.url == "https://www.example-wire.com/a?page=2"
    assert found.id == article_id(found.url)
    assert (found.title, found.summary, found.source) == (
        "Fees fall",
        "By half",
        "example-wire.com",
    )
    assert (found.symbols, found.sentiment) == ((), None)


def test_a_named_source_is_kept() -> None:
    assert (
        article(NOON, url=URL, title="T", at=NOON, source="site.example").source == "site.example"
    )


@pytest.mark.parametrize("words", [None, "", 7, [], "<img src=x>"])
def test_words_that_say_nothing_are_no_summary(words: object) -> None:
    assert article(NOON, url=URL, title="T", at=NOON, words=words).summary is None


def test_an_article_that_is_yet_to_come_is_a_mistake() -> None:
    article(NOON, url=URL, title="T", at=NOON + SKEW)
    with pytest.raises(Garbled):
        article(NOON, url=URL, title="T", at=NOON + SKEW + timedelta(seconds=1))


@pytest.mark.parametrize("url", ["", "ftp://a.example", "https://u@a.example/", None, 7])
def test_what_is_no_address_makes_no_article(url: object) -> None:
    with pytest.raises(Garbled):
        article(NOON, url=url, title="T", at=NOON)


def test_a_host_is_named_without_www() -> None:
    assert host("https://www.A.example/x") == "a.example"
    assert host("nowhere") is None


def test_the_newest_come_first_and_each_story_once() -> None:
    told = [
        article(
            NOON, url=f"https://a.example/{h % 3}", title=f"T{h % 3}", at=NOON - timedelta(hours=h)
        )
        for h in range(6)
    ]
    assert [a.title for a in newest(reversed(told), 10)] == ["T0", "T1", "T2"]
    assert newest(told, 1) == told[:1]
