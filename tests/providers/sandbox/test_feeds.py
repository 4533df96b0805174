"""The feeds are RSS 2.0 with the oddities of the real ones."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from xml.etree import ElementTree

import pytest

from tests.providers.sandbox.asking import NOW, Asker

FEEDS = {
    "coindesk": ("https://www.coindesk.com/arc/outboundfeeds/rss", 25),
    "cointelegraph": ("https://cointelegraph.com/rss", 30),
    "decrypt": ("https://decrypt.co/feed", 20),
    "theblock": ("https://www.theblock.co/rss.xml", 19),
}
DC = "{http://purl.org/dc/elements/1.1/}"
MEDIA = "{http://search.yahoo.com/mrss/}"


def items(asker: Asker, name: str, query: str = "") -> list[ElementTree.Element]:
    reply = asker.ask(FEEDS[name][0] + query)
    assert (reply.status, reply.content_type) == (200, "application/xml")
    root = ElementTree.fromstring(reply.body)  # noqa: S314
    assert root.tag == "rss"
    assert root.findtext("channel/ttl") == "5"
    return root.findall("channel/item")


@pytest.mark.parametrize("name", FEEDS)
def test_a_feed_has_its_usual_length_and_fields_newest_first(asker: Asker, name: str) -> None:
    found = items(asker, name)
    assert len(found) == FEEDS[name][1]
    for item in found:
        for field in ("title", "link", "guid", "pubDate", "description", "category"):
            assert item.findtext(field), field
        assert item.findtext(f"{DC}creator")
    dates = [parsedate_to_datetime(item.findtext("pubDate") or "") for item in found]
    assert dates == sorted(dates, reverse=True)
    assert all(date.timestamp() <= NOW for date in dates)
    links = [item.findtext("link") for item in found]
    assert len(set(links)) == len(links)


def test_coindesk_has_text_in_cdata_three_kinds_of_category_and_an_image(asker: Asker) -> None:
    body = asker.ask(FEEDS["coindesk"][0]).body.decode()
    assert body.count("<title><![CDATA[") == 25
    item = items(asker, "coindesk")[0]
    domains = [category.get("domain") for category in item.findall("category")]
    assert "tag" in domains
    assert None in domains
    image = item.find(f"{MEDIA}content")
    assert image is not None
    assert "&" in str(image.get("url"))
    assert item.findtext("guid", "").count("-") == 4
    assert len(item.findall(f"{DC}creator")) == 2


def test_coindesk_redirects_a_trailing_slash_relatively(asker: Asker) -> None:
    reply = asker.ask(FEEDS["coindesk"][0] + "/")
    assert (reply.status, reply.headers["location"]) == (308, "/arc/outboundfeeds/rss")


def test_cointelegraph_marks_its_links_and_wraps_its_summaries(asker: Asker) -> None:
    for item in items(asker, "cointelegraph"):
        assert "?utm_source=rss_feed&utm_medium=rss" in item.findtext("link", "")
        assert item.findtext("description", "").startswith("<p")


def test_cointelegraph_wants_to_know_who_asks(asker: Asker) -> None:
    reply = asker.ask(FEEDS["cointelegraph"][0], headers={"user-agent": ""})
    assert (reply.status, reply.content_type) == (403, "text/html; charset=utf-8")


def test_some_stories_run_everywhere_under_one_title(asker: Asker) -> None:
    titles = [{item.findtext("title") for item in items(asker, name)} for name in FEEDS]
    shared = titles[0] & titles[1]
    assert shared
    assert len(titles[0] | titles[1]) > len(shared)


def test_the_second_page_of_the_block_is_older(asker: Asker) -> None:
    first, second = items(asker, "theblock"), items(asker, "theblock", "?paged=2")
    assert {i.findtext("guid") for i in first}.isdisjoint(i.findtext("guid") for i in second)


def test_news_arrives_and_old_news_stays_as_it_was(asker: Asker) -> None:
    before = {item.findtext("link") for item in items(asker, "cointelegraph")}
    later = Asker()
    later.now = NOW + 3600
    after = {item.findtext("link") for item in items(later, "cointelegraph")}
    assert len(after - before) == 1
    assert len(after & before) == 29
