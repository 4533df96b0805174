"""CryptoPanic, NewsAPI and GDELT, and the feeds that the catalogue adds: their oddities."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest

from providers.sandbox.hosts.bulletins import _read, bulletins
from providers.sandbox.market import DAY_S
from providers.sandbox.sandbox import Sandbox
from providers.sandbox.wire import Request, moment_of
from tests.providers.sandbox.asking import NOW, Asker
from tests.providers.sandbox.samples_world import GDELT, KEY, NEWS_API, PANIC

ATOM = "{http://www.w3.org/2005/Atom}"


# -- CryptoPanic -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/growth/v2/posts/", 401),
        ("/api/growth/v2/posts/?auth_token=real", 401),
        ("/api/v1/posts/?auth_token=sandbox-1", 403),
        ("/api/growth/v2/posts/?auth_token=sandbox-1&page=51", 400),
        ("/api/growth/v2/posts/?auth_token=sandbox-1&kind=nope", 400),
        ("/api/growth/v2/posts/?auth_token=sandbox-1&filter=nope", 400),
    ],
)
def test_cryptopanic_says_what_is_wrong(asker: Asker, path: str, status: int) -> None:
    found, error = asker.refused(f"https://cryptopanic.com{path}")
    assert (found, set(error)) == (status, {"status", "info"})


def test_the_free_plan_of_cryptopanic_is_a_page_that_is_gone(asker: Asker) -> None:
    for path in ("/api/free/v1/posts/", "/api/free/v2/posts/?auth_token=sandbox-1"):
        reply = asker.ask(f"https://cryptopanic.com{path}")
        assert (reply.status, reply.content_type) == (404, "text/html; charset=utf-8")


def test_the_token_comes_back_in_the_address_of_the_next_page(asker: Asker) -> None:
    seen, url = [], f"{PANIC}&currencies=BTC,ETH"
    for number in range(1, 9):
        answer = asker.get(url)
        seen += [row["id"] for row in answer["results"]]
        assert (answer["previous"] is None) == (number == 1)
        if answer["next"] is None:
            break
        query = parse_qs(urlsplit(answer["next"]).query)
        assert query["auth_token"] == [KEY]
        assert query["currencies"] == ["BTC,ETH"]
        url = answer["next"]
    assert len(seen) == len(set(seen))
    assert answer["next"] is None


def test_cryptopanic_filters(asker: Asker) -> None:
    def rows(more: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = asker.get(f"{PANIC}&size=50{more}")["results"]
        return found

    assert {i["code"] for row in rows("&currencies=BTC") for i in row["instruments"]} == {"BTC"}
    good, bad = rows("&filter=bullish"), rows("&filter=bearish")
    assert all(row["votes"]["positive"] >= row["votes"]["negative"] for row in good)
    assert all("slips" in row["title"] for row in bad)
    assert good
    assert bad
    assert rows("&kind=media") == rows("&regions=de") == []
    scored = asker.get(PANIC.replace("growth", "enterprise"))["results"]
    assert {row["panic_score"] is None for row in scored} == {False}


def test_some_markup_is_escaped_twice(asker: Asker) -> None:
    texts = [row["description"] for row in asker.get(f"{PANIC}&size=50")["results"]]
    doubly = [text for text in texts if text.startswith("&lt;p&gt;")]
    assert doubly
    assert len(doubly) < len(texts)
    assert all(unescape(text).startswith("<p>") for text in texts)
    assert any("&amp;amp;" in text for text in doubly) or any("&amp;" in text for text in texts)


# -- NewsAPI ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("everything?q=bitcoin", 401, "apiKeyMissing"),
        ("everything?q=bitcoin&apiKey=real", 401, "apiKeyInvalid"),
        (f"everything?apiKey={KEY}", 400, "parametersMissing"),
        (f"everything?q={'x' * 501}&apiKey={KEY}", 400, "parameterInvalid"),
        (f"everything?q=bitcoin&sortBy=x&apiKey={KEY}", 400, "parameterInvalid"),
        (f"everything?q=bitcoin&pageSize=101&apiKey={KEY}", 400, "parameterInvalid"),
        (f"everything?q=bitcoin&page=2&apiKey={KEY}", 426, "maximumResultsReached"),
        (f"everything?q=bitcoin&from=2026-01-01&apiKey={KEY}", 426, "parameterInvalid"),
        (f"everything?sources={','.join('x' * 21)}&apiKey={KEY}", 400, "sourcesTooMany"),
        (f"top-headlines?apiKey={KEY}", 400, "parametersMissing"),
        (f"top-headlines?country=us&sources=x&apiKey={KEY}", 400, "parametersIncompatible"),
    ],
)
def test_newsapi_says_what_is_wrong(asker: Asker, path: str, status: int, code: str) -> None:
    found, error = asker.refused(f"{NEWS_API}/{path}")
    assert (found, error["status"], error["code"]) == (status, "error", code)
    assert error["message"]


@pytest.mark.parametrize(
    "headers", [{"x_api_key": KEY}, {"authorization": KEY}, {"authorization": f"Bearer {KEY}"}]
)
def test_newsapi_takes_its_key_in_a_header(asker: Asker, headers: dict[str, str]) -> None:
    assert asker.get(f"{NEWS_API}/everything?q=sandbox", **headers)["status"] == "ok"


def test_browsers_are_not_served_on_the_free_plan(asker: Asker) -> None:
    url = f"{NEWS_API}/everything?q=sandbox&apiKey={KEY}"
    status, error = asker.refused(url, origin="https://site.example")
    assert (status, error["code"]) == (426, "corsNotAllowed")
    assert asker.get(url, origin="http://localhost:8000")


def test_news_of_the_free_plan_is_a_day_old(asker: Asker) -> None:
    rows = asker.get(f"{NEWS_API}/everything?q=sandbox OR fund&apiKey={KEY}")["articles"]
    removed = [row for row in rows if row["title"] == "[Removed]"]
    stamps = [moment_of(row["publishedAt"]) for row in rows if row not in removed]
    assert removed
    assert all(stamp is not None and stamp <= NOW - DAY_S for stamp in stamps)
    assert stamps == sorted(stamps, key=lambda stamp: -(stamp or 0))


def test_newsapi_reads_a_query(asker: Asker) -> None:
    def titles(query: str) -> set[str]:
        rows = asker.get(f"{NEWS_API}/everything?q={query}&apiKey={KEY}")["articles"]
        return {row["title"] for row in rows if row["title"] != "[Removed]"}

    fund, slips = titles("fund"), titles("slips")
    assert titles("fund OR slips") == fund | slips
    assert titles('"quiet night" AND slips') == slips
    assert titles("slips NOT bitcoin") == {text for text in slips if "Bitcoin" not in text}


def test_newsapi_counts_half_a_day() -> None:
    asker = Asker(limits=True)
    asker.now = int(NOW // DAY_S) * DAY_S + 10.0
    url = f"{NEWS_API}/everything?q=sandbox&apiKey={KEY}"
    assert [asker.ask(url).status for _ in range(51)] == [200] * 50 + [429]
    assert asker.refused(url)[1]["code"] == "rateLimited"


# -- GDELT -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    ["?query=x&format=json", "?query=bitcoin&format=json&maxrecords=251",
     "?query=bitcoin&format=json&timespan=soon", "?query=bitcoin&mode=nope&format=json"],
)  # fmt: skip
def test_gdelt_says_what_is_wrong_in_plain_text_and_a_200(asker: Asker, query: str) -> None:
    reply = asker.ask(GDELT + query)
    assert reply.status == 200
    assert not reply.body.startswith(b"{")


def test_gdelt_has_nothing_at_all_where_nothing_matches(asker: Asker) -> None:
    assert asker.get(f"{GDELT}?query=nonsense&format=json") == {}
    assert asker.ask(f"{GDELT}?query=bitcoin").content_type.startswith("text/html")


def test_gdelt_reads_brackets_and_spans(asker: Asker) -> None:
    url = f"{GDELT}?format=json&sort=datedesc&maxrecords=250&query="
    either = asker.get(f"{url}(bitcoin OR ethereum) sourcelang:english")["articles"]
    assert {word for row in either for word in ("Bitcoin", "Ethereum") if word in row["title"]} == {
        "Bitcoin", "Ethereum",
    }  # fmt: skip
    stamps = [row["seendate"] for row in either]
    assert stamps == sorted(stamps, reverse=True)
    day = asker.get(f"{url}(bitcoin OR ethereum)&timespan=24h")["articles"]
    assert 0 < len(day) < len(either)


def test_who_asks_gdelt_in_haste_is_told_so_with_and_without_a_429() -> None:
    asker = Asker(limits=True)
    url = f"{GDELT}?query=bitcoin&format=json"
    asker.now = 1_795_000_200.0
    statuses = []
    for _ in range(5):
        reply = asker.ask(url)
        statuses.append(reply.status)
        if len(statuses) > 1:
            assert reply.body.startswith(b"Please limit requests to one every 5 seconds")
        asker.now += 1
    assert set(statuses[1:]) == {200, 429}
    assert asker.get(url)["articles"]


# -- Feeds of the catalogue ------------------------------------------------------------------


@pytest.mark.parametrize("bulletin", bulletins(), ids=lambda bulletin: bulletin.outlet.key)
def test_every_feed_of_the_catalogue_is_served(asker: Asker, bulletin: Any) -> None:
    reply = asker.ask(f"https://{bulletin.host}{bulletin.path}")
    root = ElementTree.fromstring(reply.body)  # noqa: S314
    assert reply.status == 200
    assert "xml" in reply.content_type
    assert root.findall("channel/item") or root.findall(f"{ATOM}entry")


def test_a_feed_tells_when_it_changed_and_a_304_that_it_did_not() -> None:
    asker = Asker()
    first = asker.ask("https://cryptoslate.com/feed/")
    known = {"if-none-match": first.headers["etag"]}
    asker.now += 60
    assert asker.ask("https://cryptoslate.com/feed/", headers=known).status == 304
    asker.now += 7 * 3600
    again = asker.ask("https://cryptoslate.com/feed", headers=known)
    assert again.status == 200
    newer, older = (
        parsedate_to_datetime(reply.headers["last-modified"]) for reply in (again, first)
    )
    assert newer > older


def test_titles_and_summaries_of_a_feed_need_more_than_one_reading(asker: Asker) -> None:
    found = []
    for bulletin in bulletins():
        root = ElementTree.fromstring(  # noqa: S314
            asker.ask(f"https://{bulletin.host}{bulletin.path}").body
        )
        found += root.findall("channel/item")
    titles = [item.findtext("title", "") for item in found]
    assert any("&#038;" in title for title in titles)
    summaries = [item.findtext("description", "") for item in found]
    assert any(text.startswith("&lt;p&gt;") for text in summaries)
    assert any(text.startswith("<p>") for text in summaries)


def test_a_row_more_in_the_catalogue_is_a_feed_more() -> None:
    row = {"slug": "x", "title": "X & Y", "base_url": "https://feeds.example/news/?type=a"}
    bulletin = _read(row)
    assert (bulletin.host, bulletin.path, bulletin.atom) == ("feeds.example", "/news", False)
    assert bulletin.query == {("type", "a")}
    assert _read({**row, "base_url": "https://site.example/feed/atom"}).atom


def test_atom_is_spoken_where_a_feed_is_atom(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"slug": "x", "title": "X & Y", "base_url": "https://site.example/feed/atom"}
    monkeypatch.setattr("providers.sandbox.hosts.bulletins.bulletins", lambda: (_read(row),))
    speaker = Sandbox().speakers["cryptoslate.com"]
    request = Request("GET", "site.example", "/feed/atom", now=NOW)
    root = ElementTree.fromstring(speaker.answer(request).body)  # noqa: S314
    assert root.findtext(f"{ATOM}title") == "X & Y"
    for entry in root.findall(f"{ATOM}entry"):
        link = entry.find(f"{ATOM}link")
        assert link is not None
        assert str(link.get("href")).startswith("https://site.example/")
        assert entry.findtext(f"{ATOM}updated", "").endswith("Z")
