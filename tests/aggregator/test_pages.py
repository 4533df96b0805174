"""What a person sees: sources and ages beside every figure, and errors where they belong."""

from __future__ import annotations

import html
import json
import re
import shlex
import threading
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import hypothesis
import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from aggregator import explorer, gateway, pages
from aggregator.settings import BASE_DIR
from providers.datasets import MarketQuery, NewsQuery, PriceQuery
from providers.models import Call, Policy
from tests.upstreams import Upstreams, article, assets, coin_row, rows, status

pytestmark = pytest.mark.django_db(transaction=True)

OURS = ["/", "/explore", "/explore?dataset=ohlc", "/docs", "/api/status", "/nowhere"]
EVERYWHERE = [*OURS, "/admin/login/"]


def see(client: Client, path: str, **params: Any) -> str:
    """The page as a browser asks for it."""
    response = client.get(path, params, headers={"Accept": "text/html"})
    assert response["Content-Type"].startswith("text/html")
    return response.content.decode()


def ask(client: Client, dataset: str, **params: Any) -> str:
    return see(client, "/explore", dataset=dataset, ask="1", **params)


def text_of(page: str) -> str:
    """What is left without markup, as one reads it."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", bare)).split())


def json_of(page: str) -> str:
    """The JSON that is laid out on the page, character by character."""
    found = re.search(r"<pre[^>]*><code>(.*?)</code></pre>", page, re.DOTALL)
    assert found
    return html.unescape(re.sub(r"<[^>]+>", "", found.group(1)))


def card(page: str, name: str) -> str:
    found = re.search(rf'<article [^>]*id="{name}".*?</article>', page, re.DOTALL)
    assert found, f"no card {name!r}"
    return text_of(found.group())


# -- Home ------------------------------------------------------------------------------------


def test_an_empty_catalogue_says_what_to_run(client: Client) -> None:
    assert "python manage.py loadcatalogue" in text_of(see(client, "/"))


def test_home_asks_nobody_and_says_so(client: Client, upstreams: Upstreams) -> None:
    upstreams.provider("a")
    page = see(client, "/")
    for question in pages.QUESTIONS:
        assert "Not asked yet" in card(page, question.id)
    assert upstreams.asked == []


def test_home_shows_what_the_shelf_has_with_its_source_and_age(
    client: Client, upstreams: Upstreams
) -> None:
    assets("BTC", "ETH")
    upstreams.provider("alpha")
    gateway.answer(MarketQuery(limit=10))
    gateway.answer(PriceQuery(("BTC",)))
    asked = len(upstreams.asked)
    page = see(client, "/")
    for name in ("market-10", "price-btc"):
        assert re.search(r"alpha \d+ s ago", card(page, name))
    assert "7.10" in card(page, "market-10")
    assert "1.50 USD" in card(page, "price-btc")
    assert "Not asked yet" in card(page, "price-eth")
    assert len(upstreams.asked) == asked


def test_an_answer_past_its_time_is_called_stale(client: Client, upstreams: Upstreams) -> None:
    upstreams.provider("alpha")
    Policy.objects.create(dataset="market", fresh_s=0, stale_s=600)
    gateway.answer(MarketQuery(limit=10))
    assert "stale" in card(see(client, "/"), "market-10")


def test_an_answer_without_rows_is_not_passed_off_as_one(
    client: Client, upstreams: Upstreams
) -> None:
    upstreams.provider("alpha")
    upstreams.play["alpha"] = lambda asked: rows([])
    gateway.answer(MarketQuery(limit=10))
    assert "The answer is empty" in card(see(client, "/"), "market-10")


def test_markup_in_a_headline_is_shown_as_text(client: Client, upstreams: Upstreams) -> None:
    hostile = '<script>alert("1")</script><img src=x onerror=alert(1)>'
    upstreams.provider("feed")
    upstreams.play["feed"] = lambda asked: rows([article(hostile, url="https://news.example/x")])
    gateway.answer(NewsQuery(limit=8))
    for page in (see(client, "/"), ask(client, "news"), see(client, "/api/news")):
        assert "alert(" in text_of(page)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
    assert hostile in text_of(see(client, "/"))


def test_no_page_links_to_a_script(client: Client, upstreams: Upstreams) -> None:
    upstreams.provider("feed")
    upstreams.play["feed"] = lambda asked: rows([article("A", url="javascript:alert(1)//12345678")])
    gateway.answer(NewsQuery(limit=8))
    for page in (see(client, "/"), ask(client, "news")):
        assert 'href="javascript:' not in page


def test_a_provider_that_was_never_asked_is_unknown_and_not_green(
    client: Client, upstreams: Upstreams
) -> None:
    upstreams.provider("quiet")
    page = see(client, "/")
    assert "quiet unknown not asked in the last 24 hours" in text_of(page)
    assert "status-healthy" not in page


def test_a_resting_provider_says_why_and_for_how_long(client: Client, upstreams: Upstreams) -> None:
    upstreams.provider("tired")
    upstreams.play["tired"] = status(429, retry_after=90)
    client.get("/api/market")
    assert re.search(r"tired rate limited .*429, asked again in 1 min", text_of(see(client, "/")))


# -- The explorer ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", explorer.CHOICES)
def test_every_dataset_has_a_form_of_its_parameters(client: Client, name: str) -> None:
    page = see(client, "/explore", dataset=name)
    for field in explorer.CHOICES[name].asked().fields:
        assert f'name="{field}"' in page
        assert f'<label for="f-{field}">' in page
        assert re.search(rf'id="h-{field}">[^<]+<', page), f"{field} explains itself"


def test_a_form_alone_asks_nobody(client: Client, upstreams: Upstreams) -> None:
    upstreams.provider("a")
    see(client, "/explore", dataset="market", limit="5")
    assert upstreams.asked == []


def test_an_answer_comes_with_its_source_its_rows_and_exact_json(
    client: Client, upstreams: Upstreams
) -> None:
    upstreams.provider("alpha")
    exact = "0.123456789012345678901"
    upstreams.play["alpha"] = lambda asked: rows(
        [coin_row(1, "Exact")._replace(price=Decimal(exact))]
    )
    page = ask(client, "market", limit="1")
    said = text_of(page)
    assert "Source alpha" in said
    assert "miss asked for just now" in said
    assert "1 row rank id symbol name price" in said
    assert " 0.1235 " in said
    assert "Not sent by this source: market_cap" in said
    assert f'"price": {exact}' in json_of(page)


def test_the_answer_says_who_was_passed_over_and_why(client: Client, upstreams: Upstreams) -> None:
    upstreams.provider("first", priority=90)
    upstreams.provider("second", priority=10)
    upstreams.play["first"] = status(503)
    page = text_of(ask(client, "market", limit="1"))
    assert "Passed over" in page
    assert "first answered with an error of its own broken" in page
    assert "Source second" in page


def test_an_error_stands_beside_its_field(client: Client) -> None:
    page = ask(client, "market", limit="9999", currency="doubloons")
    control = re.search(r'<input[^>]*id="f-limit"[^>]*>', page)
    assert control
    assert 'aria-invalid="true"' in control.group()
    assert 'aria-describedby="h-limit e-limit"' in control.group()
    assert 'value="9999"' in control.group()
    assert re.search(r'id="e-limit">Ensure this value is less than or equal to 250', page)
    assert "Status 400 Code bad_query" in text_of(page)
    assert set(json.loads(json_of(page))["errors"]) == {"limit", "currency"}


def test_a_parameter_nobody_knows_is_named(client: Client) -> None:
    assert "colour Unknown parameter" in text_of(ask(client, "market", colour="red"))


def test_when_nobody_answers_everybody_asked_is_named(client: Client, upstreams: Upstreams) -> None:
    upstreams.provider("only")
    upstreams.play["only"] = status(503)
    page = text_of(ask(client, "market"))
    assert "No provider could answer" in page
    assert "only answered with an error of its own broken" in page
    assert "Ask again in" in page


@pytest.mark.parametrize(
    ("dataset", "given", "path"),
    [
        ("price", {"symbols": "BTC,ETH"}, "/api/market/price"),
        ("search", {"q": 'o\'brien $(reboot) `id` "x" & ü'}, "/api/search"),
        ("coin", {"id": "bit coin?"}, "/api/coins/bit%20coin%3F"),
    ],
)
def test_the_curl_line_asks_the_same_question(
    client: Client, dataset: str, given: dict[str, str], path: str
) -> None:
    page = see(client, "/explore", dataset=dataset, **given)
    found = re.search(r'data-copy="([^"]+)"', page)
    assert found
    program, flag, header, url = shlex.split(html.unescape(found.group(1)))
    assert (program, flag, header) == ("curl", "-H", "X-API-Key: $AGGREGATOR_KEY")
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.path) == ("http", "testserver", path)
    assert dict(parse_qsl(parts.query)) == (given if dataset != "coin" else {})


def test_there_is_no_curl_line_before_the_path_is_known(client: Client) -> None:
    assert "data-copy" not in see(client, "/explore", dataset="coin")


def test_a_dataset_nobody_knows_leads_back(client: Client) -> None:
    response = client.get("/explore", {"dataset": "weather"})
    assert (response.status_code, response["Location"]) == (302, "/explore")


def test_a_long_answer_is_cut_in_the_table_alone(client: Client, upstreams: Upstreams) -> None:
    upstreams.provider("feed")
    upstreams.play["feed"] = lambda asked: rows([article(f"Story {n}") for n in range(260)])
    page = ask(client, "news", limit="250")
    assert page.count("<tr>") <= 256
    assert text_of(page).count("https://news.example/Story-249") >= 1


# -- Who may look, and how often -------------------------------------------------------------


def test_without_a_key_nothing_is_shown_where_one_is_needed(
    client: Client, upstreams: Upstreams, settings: Any
) -> None:
    upstreams.provider("secretive")
    gateway.answer(MarketQuery(limit=10))
    settings.ANONYMOUS_ACCESS = False
    for page in (see(client, "/"), ask(client, "market")):
        assert "secretive" not in page
        assert "key" in text_of(page)


def test_staff_look_without_a_key(
    admin_client: Client, upstreams: Upstreams, settings: Any
) -> None:
    upstreams.provider("alpha")
    settings.ANONYMOUS_ACCESS = False
    assert "Source alpha" in text_of(ask(admin_client, "market"))
    assert "alpha" in card(see(admin_client, "/"), "market-10")


def test_a_user_who_is_no_staff_is_a_visitor(client: Client, settings: Any) -> None:
    settings.ANONYMOUS_ACCESS = False
    client.force_login(User.objects.create_user("somebody"))
    assert "Status 401" in text_of(ask(client, "market"))


def test_the_explorer_counts_against_the_same_limit_as_the_api(
    client: Client, upstreams: Upstreams, settings: Any
) -> None:
    settings.ANONYMOUS_PER_MINUTE = 2
    upstreams.provider("alpha")
    assert client.get("/api/market").status_code == 200
    assert "Source alpha" in text_of(ask(client, "market"))
    assert "Status 429" in text_of(ask(client, "market"))
    assert client.get("/api/market").status_code == 429


def test_questions_of_the_explorer_leave_room_for_the_admin(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explorer, "_places", threading.BoundedSemaphore(1))
    monkeypatch.setattr(explorer, "PATIENCE_S", 0.01)
    explorer._places.acquire()
    assert "Status 503 Code overloaded" in text_of(ask(client, "market"))
    explorer._places.release()
    assert "overloaded" not in ask(client, "market")


@pytest.mark.parametrize("path", ["/", "/explore"])
def test_pages_are_only_read(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


# -- Every page ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", EVERYWHERE)
def test_the_sandbox_shows_on_every_page(client: Client, settings: Any, path: str) -> None:
    settings.SANDBOX = True
    assert "Sandbox. Every figure here is made up" in text_of(see(client, path))


@pytest.mark.parametrize("path", EVERYWHERE)
def test_the_real_thing_never_calls_itself_a_sandbox(client: Client, path: str) -> None:
    assert "made up" not in see(client, path)


@pytest.mark.parametrize("path", EVERYWHERE)
def test_a_page_takes_nothing_from_anywhere_else(client: Client, path: str) -> None:
    page = see(client, path)
    fetched = re.findall(r'<(?:script|link|img|iframe)\b[^>]*?(?:src|href)="([^"]+)"', page)
    assert fetched
    assert [url for url in fetched if not url.startswith("/") or url.startswith("//")] == []


@pytest.mark.parametrize("path", OURS)
def test_our_pages_have_no_script_or_style_of_their_own(client: Client, path: str) -> None:
    response = client.get(path, headers={"Accept": "text/html"})
    page = response.content.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert ("unsafe-inline" in policy) == (path == "/docs")


@pytest.mark.parametrize("path", OURS)
def test_a_page_has_a_language_a_title_and_one_heading(client: Client, path: str) -> None:
    page = see(client, path)
    assert '<html lang="en">' in page
    assert re.search(r"<title>[^<]+Aggregator|<title>Aggregator[^<]+", page)
    assert len(re.findall(r"<h1\b", page)) == 1
    assert 'href="#main"' in page


def test_every_file_that_a_template_names_is_there() -> None:
    named = {
        name
        for template in (BASE_DIR / "templates").rglob("*.html")
        for name in re.findall(r"{% static ['\"]([^'\"]+)['\"] %}", template.read_text())
    }
    assert {"site.css", "favicon.svg", "home.js"} <= named
    assert [name for name in named if not finders.find(name)] == []


def test_a_page_that_is_not_there_says_where_to_go(client: Client) -> None:
    response = client.get("/nowhere", headers={"Accept": "text/html"})
    assert response.status_code == 404
    assert "Nothing is here" in text_of(response.content.decode())


@pytest.mark.parametrize("path", ["/", "/api/market"])
def test_our_own_failure_is_a_page_for_people_and_a_problem_for_programs(
    client: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    client.raise_request_exception = False
    monkeypatch.setattr("django.middleware.common.CommonMiddleware.process_request", _fail)
    response = client.get(path)
    assert response.status_code == 500
    assert "went wrong" in response.content.decode()
    assert "secret" not in response.content.decode()
    is_problem = response["Content-Type"] == "application/problem+json"
    assert is_problem == path.startswith("/api")


def _fail(self: Any, request: Any) -> None:
    raise RuntimeError("a secret of ours")


def test_a_name_this_server_does_not_go_by_is_refused_in_words(
    client: Client, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["data.example"]
    page = client.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 400
    assert "ALLOWED_HOSTS" in page.content.decode()
    assert client.get("/api/market").json()["code"] == "bad_request"


def test_the_icon_is_found_where_browsers_look_for_it(client: Client) -> None:
    assert client.get("/favicon.ico")["Location"].endswith("favicon.svg")


# -- The API in a browser --------------------------------------------------------------------


def test_a_browser_gets_an_error_as_a_page(client: Client) -> None:
    response = client.get("/api/market", {"limit": "9999"}, headers={"Accept": "text/html"})
    assert response.status_code == 400
    assert response["Content-Type"] == "text/html; charset=utf-8"
    page = response.content.decode()
    assert "Content-Type application/problem+json" in text_of(page)
    assert json.loads(json_of(page))["code"] == "bad_query"


def test_a_browser_sees_the_answer_digit_by_digit(client: Client, upstreams: Upstreams) -> None:
    upstreams.provider("alpha")
    page = see(client, "/api/market?limit=1")
    assert '"price": 7.10' in json_of(page)
    assert "/api/market?limit=1&amp;format=json" in page
    assert client.get("/api/market?limit=1&format=json").json()["data"][0]["price"] == 7.1


def test_nothing_is_asked_twice_for_a_browser(client: Client, upstreams: Upstreams) -> None:
    upstreams.provider("alpha")
    see(client, reverse("market"))
    assert len(upstreams.asked) == 1
    assert Call.objects.count() == 0  # it is written behind


class AnyParameters(TestCase):
    """Whatever stands in the address, the explorer shows an answer, an error, or the way back."""

    @hypothesis.settings(max_examples=80, deadline=None)
    @given(
        st.sampled_from([*explorer.CHOICES, "weather"]),
        st.dictionaries(
            st.sampled_from(["id", "q", "symbol", "symbols", "limit", "start", "chain", "<b>"]),
            st.text(max_size=40),
        ),
    )
    def test_any_parameters_are_shown(self, dataset: str, params: dict[str, str]) -> None:
        response = self.client.get("/explore", {**params, "dataset": dataset, "ask": "1"})
        assert response.status_code in (200, 302)
        if response.status_code == 200:
            assert b'id="answer"' in response.content
