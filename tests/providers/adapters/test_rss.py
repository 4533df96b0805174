from __future__ import annotations

import builtins
import re
import time
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.adapters import rss
from providers.adapters.articles import article_id, canonical, distinct
from providers.adapters.base import Reply
from providers.adapters.rss import Rss
from providers.datasets import Article, NewsQuery
from providers.errors import Blocked, Garbled
from tests.providers.adapters.conftest import NOON, PAYLOADS, adapt

FEED = (PAYLOADS / "rss/news.xml").read_bytes()
ATOM = (PAYLOADS / "rss/atom.xml").read_bytes()
DATE = "Mon, 18 May 2026 09:30:00 +0000"


def read(body: bytes, limit: int = 250) -> tuple[list[Article], Rss]:
    adapter, _ = adapt(Rss, body)
    return adapter.news(NewsQuery(limit=limit)), adapter


def item(
    title: str = "Any title", link: str = "https://a.example/1", date: str = DATE, more: str = ""
) -> str:
    return f"<item><title>{title}</title><link>{link}</link><pubDate>{date}</pubDate>{more}</item>"


def feed(*items: str, opening: str = "") -> bytes:
    return f'{opening}<rss version="2.0"><channel>{"".join(items)}</channel></rss>'.encode()


# -- What an item says -----------------------------------------------------------------------


def test_an_item_becomes_an_article_of_its_site() -> None:
    articles, adapter = read(FEED)
    assert articles[1] == Article(
        id=article_id("https://www.example-wire.com/markets/2026/05/18/shared-clock"),
        title="Two exchanges agree on a shared clock",
        url="https://www.example-wire.com/markets/2026/05/18/shared-clock",
        source="example-wire.com",
        published_at=datetime(2026, 5, 18, 9, 30, tzinfo=UTC),
        summary="Candles will close at the same moment on both.",
        symbols=(),
        sentiment=None,
    )
    assert adapter.dropped == 0


def test_the_newest_article_comes_first() -> None:
    articles, _ = read(FEED)
    assert [a.published_at.isoformat() for a in articles] == [
        "2026-05-18T11:45:00+00:00",
        "2026-05-18T09:30:00+00:00",
        "2026-05-17T23:59:59+00:00",
    ]
    assert read(FEED, limit=1)[0] == articles[:1]


def test_markup_and_click_counters_are_gone() -> None:
    article = read(FEED)[0][0]
    assert article.title == "Why R&D at a node hoster “costs more”"
    assert article.summary == "Salaries & power, mostly."
    assert article.url == "https://www.example-wire.com/tech/node-hoster?page=2"


def test_a_picture_alone_is_no_summary() -> None:
    assert read(FEED)[0][2].summary is None


def test_atom_is_read_alike() -> None:
    articles, adapter = read(ATOM)
    assert [(a.title, a.source) for a in articles] == [
        ("Fees fall", "journal.example.org"),
        ("A correction", "journal.example.org"),
    ]
    assert articles[0].published_at == datetime(2026, 5, 18, 6, 15, 30, 250000, tzinfo=UTC)
    assert articles[1].published_at == datetime(2026, 5, 17, 10, tzinfo=UTC)  # only updated
    assert (articles[0].summary, articles[1].summary) == ("By half in a week.", None)
    assert adapter.dropped == 0


def test_a_feed_without_a_site_names_the_article_s_own() -> None:
    [article], _ = read(feed(item(link="https://www.Other.example/x")))
    assert article.source == "other.example"


def test_the_caption_of_a_picture_is_not_the_summary() -> None:
    more = "<description>Own words</description><content:encoded>Long</content:encoded>"
    caption = "<media:content><media:description>A coin</media:description></media:content>"
    [article], _ = read(feed(item(more=more + caption)))
    assert article.summary == "Own words"


def test_a_feed_without_items_is_empty_and_no_error() -> None:
    assert read(feed())[0] == []


def test_a_script_leaves_nothing_behind() -> None:
    [article], _ = read(
        feed(item(more="<description>&lt;script&gt;alert(1)&lt;/script&gt;Hi</description>"))
    )
    assert article.summary == "Hi"


HOSTILE = st.text(st.sampled_from(list("<>/!?&;ltgmpabi \"'=\x00\u202e")), max_size=60)


@given(HOSTILE)
def test_no_text_is_markup_however_often_it_was_escaped(text: str) -> None:
    body = feed(item(title=f"T <![CDATA[{text}]]>"), item(link="https://a.example/2"))
    for article in read(body)[0]:
        assert not re.search(r"<[a-zA-Z/!?][^>]*>", article.title)
        assert article.title.isprintable()


# -- Dates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("date", "hour"),
    [
        ("Mon, 18 May 2026 09:30:00 +0000", 9),
        ("Mon, 18 May 2026 09:30:00 GMT", 9),
        ("Mon, 18 May 2026 04:30:00 EST", 9),
        ("18 May 2026 11:30 +0200", 9),
        ("Mon, 18 May 2026 09:30:00", 9),
        ("2026-05-18T09:30:00Z", 9),
        ("2026-05-18T11:30:00+02:00", 9),
        ("2026-05-18 09:30:00", 9),
    ],
)
def test_a_date_is_rfc_822_or_iso(date: str, hour: int) -> None:
    [article], _ = read(feed(item(date=date)))
    assert article.published_at == datetime(2026, 5, 18, hour, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "date",
    [
        "",
        "yesterday",
        "12:00",
        "Mon, 18 May 2026 09:30:00 CEST",
        "Mon, 18 May 2026 29:30:00 GMT",
        "Mon, 18 May 2026 09:30:00 +9999",
        "Mon, 18 May 1026 09:30:00 GMT",
        "1779096600",
    ],
)
def test_an_item_without_a_date_is_dropped_and_counted_never_dated(date: str) -> None:
    articles, adapter = read(feed(item(date=date), item("Dated", "https://a.example/2")))
    assert [a.title for a in articles] == ["Dated"]
    assert adapter.dropped == 1


def test_an_item_that_says_nothing_of_dates_is_dropped_too() -> None:
    bare = item().replace(f"<pubDate>{DATE}</pubDate>", "")
    articles, adapter = read(feed(bare, item("Dated", "https://a.example/2")))
    assert ([a.title for a in articles], adapter.dropped) == (["Dated"], 1)


def test_an_article_of_the_future_is_dropped_but_for_a_clock_that_is_a_little_ahead() -> None:
    ahead = [(NOON + timedelta(minutes=m)).isoformat() for m in (4, 6, 600)]
    items = [item(f"T{n}", f"https://a.example/{n}", date) for n, date in enumerate(ahead)]
    articles, adapter = read(feed(*items))
    assert [a.title for a in articles] == ["T0"]
    assert adapter.dropped == 2


def test_a_feed_of_which_nothing_can_be_read_is_no_empty_feed() -> None:
    with pytest.raises(Garbled):
        read(feed(item(date=""), item(link="javascript:alert(1)")))


# -- Addresses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "data:text/html,hi",
        "ftp://a.example/1",
        "/relative",
        "//a.example/1",
        "https://",
        "https://trusted.example@evil.example/",
        "https://[broken/",
        "",
    ],
)
def test_only_web_addresses_are_linked(link: str) -> None:
    articles, adapter = read(feed(item(link=link), item("Kept", "https://a.example/2")))
    assert [a.title for a in articles] == ["Kept"]
    assert adapter.dropped == 1


ADDRESSES = st.builds(
    "{}://{}{}{}{}".format,
    st.sampled_from(["http", "https"]),
    st.sampled_from(["a.example", "WWW.B.example:8080", "c.example."]),
    st.sampled_from(["", "/", "/x/y", "/%C3%A9"]),
    st.lists(st.sampled_from(["utm_source=rss", "UTM_x", "id=7", "q=a%20b", "utm=1", ""])).map(
        lambda words: "?" + "&".join(words) if words else ""
    ),
    st.sampled_from(["", "#top"]),
)


@given(ADDRESSES)
def test_a_canonical_address_is_its_own_and_leads_to_the_same_place(address: str) -> None:
    found = canonical(address)
    assert canonical(found) == found
    before, after = urlsplit(address), urlsplit(found)
    assert (after.hostname, after.port, after.path) == (before.hostname, before.port, before.path)
    wanted = [w for w in before.query.split("&") if not w.lower().startswith("utm_")]
    assert after.query.split("&") == (wanted or [""])


def test_two_ways_to_one_article_are_one_id() -> None:
    here = canonical("https://A.example/1?utm_source=rss&id=2#x")
    assert article_id(here) == article_id(canonical("https://a.example/1?id=2"))
    assert re.fullmatch("[0-9a-f]{16}", article_id(here))


def test_a_story_is_told_once() -> None:
    again = item("Any TITLE", "https://a.example/other", "Mon, 18 May 2026 08:00:00 GMT")
    next_week = item("Any title", "https://a.example/weekly", "Mon, 11 May 2026 09:30:00 GMT")
    articles, adapter = read(
        feed(item(), item(link="https://a.example/1?utm_x=1"), again, next_week)
    )
    assert [a.url for a in articles] == ["https://a.example/1", "https://a.example/weekly"]
    assert adapter.dropped == 0
    assert distinct(articles) == articles


# -- Bodies that are no feed, or traps -------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"Too many requests",
        b'{"rss": []}',
        b"<html><body>Just a moment...</body></html>",
        b"<!DOCTYPE html><html><rss></rss></html>",
        b'<?xml version="1.0"?><error>no</error>',
        b"<rss",
        b"<rss><channel><item>",
        b"<rss version='2.0'><channel><title>cut o",
        FEED.decode().encode("utf-16"),
        FEED.replace(b'"UTF-8"', b'"utf-7"'),
        FEED.replace(b'"UTF-8"', b'"unicode_escape"'),
        b"<rss>" + b" " * rss.MOST_BYTES,
        b"<rss><channel>" + b"<a>" * rss.MOST_TAGS,
    ],
)
def test_what_is_no_feed_is_garbled(body: bytes) -> None:
    with pytest.raises(Garbled):
        read(body)


@pytest.mark.parametrize(
    "opening",
    [
        '<?xml version="1.0" encoding="utf-8"?>\n<?xml-stylesheet href="x.xsl"?>\n',
        "<!-- made -> by hand -->\n\n",
        '<!DOCTYPE rss PUBLIC "-//Example//DTD RSS 0.91//EN" "https://a.example/rss.dtd">',
        "\ufeff",
    ],
)
def test_what_may_stand_before_a_feed_does(opening: str) -> None:
    assert len(read(feed(item(), opening=opening))[0]) == 1


def test_a_feed_in_latin_1_is_read_by_its_own_declaration() -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-1"?>' + feed(item("Zürich")).decode()
    [article], _ = read(text.encode("latin-1"))
    assert article.title == "Zürich"


def traps(path: Path) -> list[str]:
    laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(30))
    return [
        f'<!DOCTYPE rss [<!ENTITY l0 "ha">\n{laughs}]>',
        f'<!DOCTYPE rss [\n<!ENTITY l30 "{"ha" * 100_000}">]>',
        f'<!DOCTYPE rss [\n<!ENTITY l30 SYSTEM "{path.as_uri()}">]>',
        '<!DOCTYPE rss [\n<!ENTITY % p SYSTEM "http://127.0.0.1:9/p.dtd">%p;]>',
        '<!-- <a\n<!ENTITY l30 "hidden"> -->',
    ]


def test_a_document_with_a_dtd_of_its_own_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    tracemalloc.start()
    began = time.perf_counter()
    for opening in traps(secret):
        with pytest.raises(Garbled):
            read(feed(item("&l30;" * 1000), opening=opening))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.perf_counter() - began < 2
    assert peak < 20_000_000


@pytest.mark.parametrize("filler", ["  ", "<!---->", "<?x?>", "<!DOCTYPE x>", "<!--", "\n<?x?>"])
def test_an_endless_opening_takes_neither_time_nor_memory(filler: str) -> None:
    body = filler.encode() * (rss.MOST_BYTES // len(filler))
    tracemalloc.start()
    began = time.perf_counter()
    with pytest.raises(Garbled):
        read(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.perf_counter() - began < 2
    assert peak < 1_000_000


def test_an_entity_nobody_declared_is_no_trap() -> None:
    [article], _ = read(feed(item("Any &l30; title")))
    assert article.title.startswith("Any")


@pytest.mark.parametrize(
    "text",
    ["<" * 40_000, "<a " * 40_000, "<a <" * 20_000, "<a>" * 40_000, "&lt;" * 400_000, "&" * 10**6],
)
def test_a_monstrous_description_takes_no_monstrous_time(text: str) -> None:
    began = time.process_time()  # a busy machine is not the text's fault
    articles, _ = read(feed(item(more=f"<description><![CDATA[{text}]]></description>")))
    assert time.process_time() - began < 4
    assert len(articles) == 1
    assert len(articles[0].summary or "") <= 1000


# -- Bodies that were cut off ----------------------------------------------------------------


@pytest.mark.parametrize("body", [FEED, ATOM])
def test_a_body_cut_off_anywhere_gives_whole_items_or_nothing(body: bytes) -> None:
    whole, _ = read(body)
    for end in range(0, len(body), 7):
        try:
            articles, _ = read(body[:end])
        except Garbled:
            continue
        assert set(articles) <= set(whole)


def test_the_item_that_was_cut_off_is_dropped_and_counted() -> None:
    articles, adapter = read(FEED[: FEED.rindex(b"<pubDate>")])
    assert len(articles) == 2
    assert adapter.dropped == 1


def test_sloppy_xml_that_ends_properly_is_kept() -> None:
    articles, adapter = read(feed(item("Q & A"), item("B", "https://a.example/2")))
    assert [a.title for a in articles] == ["Q & A", "B"]
    assert adapter.dropped == 0


# -- What feedparser must never be given -----------------------------------------------------


def test_a_body_is_never_taken_for_a_path_or_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = tmp_path / "planted.xml"
    planted.write_bytes(FEED)
    opened: list[Any] = []

    def no_file(name: Any, *rest: Any, **named: Any) -> Any:
        opened.append(name)
        raise AssertionError(f"opened {name!r}")

    def no_address(*rest: Any, **named: Any) -> Any:
        opened.append(rest)
        raise AssertionError(f"fetched {rest!r}")

    monkeypatch.setattr(builtins, "open", no_file)
    monkeypatch.setattr(feedparser.api.http, "get", no_address)
    bodies = [str(planted).encode(), planted.as_uri().encode(), b"https://127.0.0.1/feed"]
    for body in [*bodies, FEED]:
        with pytest.raises(AssertionError):
            feedparser.parse(body if body == str(planted).encode() else body.decode())
        opened.clear()
        with suppress(Garbled):
            rss._parse(body)
        assert opened == []


def test_feedparser_is_handed_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    parse = feedparser.parse

    def spy(source: Any, **named: Any) -> Any:
        given.append(source)
        return parse(source, **named)

    monkeypatch.setattr(feedparser, "parse", spy)
    read(FEED)
    assert [hasattr(source, "read") for source in given] == [True]


# -- The rest --------------------------------------------------------------------------------


def test_the_feed_is_the_address_itself() -> None:
    adapter, http = adapt(Rss, FEED)
    adapter.ping()
    assert http.asked == [("", {})]
    with pytest.raises(Garbled):
        adapt(Rss, b"<html>")[0].ping()


def test_a_403_is_a_firewall_and_no_matter_of_keys() -> None:
    assert isinstance(Rss.diagnose(Reply(403, {}, b"<html>")), Blocked)
    assert Rss.diagnose(Reply(503, {}, b"<html>")) is None
