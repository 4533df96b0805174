"""Home, explorer and docs as people use them: with a mouse, a keyboard, or a screen reader."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from aggregator.pages import QUESTIONS
from tests.browser.conftest import Visiting
from tests.browser.site import NARROW, WIDE, Site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

ANSWERED = "/explore?dataset=ohlc&symbol=BTC&interval=1h&limit=30&ask=1"
REFUSED = "/explore?dataset=ohlc&symbol=BTC&limit=99999&ask=1"
CATALOGUE = "/resources?category=node"
PAGES = ("/", "/explore", ANSWERED, REFUSED, CATALOGUE, "/api/market?limit=2", "/nowhere")


# -- Home ------------------------------------------------------------------------------------


def test_home_fills_in_what_was_not_asked_yet_and_its_ages_tick(
    sandbox: Site, look: Visiting
) -> None:
    visit = look(sandbox)
    visit.go("/")
    market = visit.page.locator("#market-10")
    expect(market.get_by_role("row")).to_have_count(11, timeout=15_000)
    expect(visit.page.locator(".unasked")).to_have_count(0, timeout=15_000)
    expect(market.locator(".source")).to_have_text(re.compile("coin"))
    age = market.locator("[data-age]")
    before = age.inner_text()
    expect(age).not_to_have_text(before, timeout=5_000)
    assert re.fullmatch(r"\d+ s ago", before)


def test_home_without_a_script_says_what_it_does_not_know(sandbox: Site, look: Visiting) -> None:
    visit = look(sandbox, java_script_enabled=False)
    visit.go("/")
    expect(visit.page.get_by_role("heading", name="Live answers")).to_be_visible()
    expect(visit.page.get_by_label("Keep fresh")).to_be_hidden()
    expect(visit.page.get_by_role("button", name="Copy")).to_have_count(0)
    visit.page.get_by_role("link", name="Bitcoin in the explorer").click()
    expect(visit.page.get_by_role("heading", name="Answer")).to_be_visible()


def test_a_fresh_home_is_honest_about_having_asked_nobody(fresh: Site, look: Visiting) -> None:
    visit = look(fresh, java_script_enabled=False)
    visit.go("/")
    expect(visit.page.locator(".unasked")).to_have_count(len(QUESTIONS))
    expect(visit.page.locator(".status-healthy")).to_have_count(0)
    expect(visit.page.locator(".status-unknown").first).to_have_text("unknown")
    expect(visit.page.locator(".sandbox")).to_have_count(0)


def test_the_way_home_is_by_keyboard_too(sandbox: Site, look: Visiting) -> None:
    visit = look(sandbox)
    visit.go("/explore")
    visit.page.keyboard.press("Tab")
    expect(visit.page.get_by_role("link", name="Skip to content")).to_be_focused()
    visit.page.keyboard.press("Enter")
    assert visit.page.evaluate("document.activeElement.id") == "main"


# -- The explorer ----------------------------------------------------------------------------


def test_a_question_is_asked_by_keyboard_and_answered_in_place(
    sandbox: Site, look: Visiting
) -> None:
    visit = look(sandbox)
    visit.go("/explore?dataset=price")
    page = visit.page
    page.evaluate("window.stayed = true")
    page.get_by_label("symbols").focus()
    page.keyboard.type("BTC, ETH")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Answer")).to_be_focused()
    rows = page.get_by_role("region", name="Spot prices, table").get_by_role("row")
    expect(rows).to_have_count(3)
    assert page.evaluate("window.stayed")
    assert "symbols=BTC%2C+ETH" in page.url
    page.go_back()
    expect(page.get_by_role("heading", name="Answer")).to_have_count(0)


def test_an_error_is_read_out_beside_its_field(sandbox: Site, look: Visiting) -> None:
    visit = look(sandbox)
    visit.go("/explore?dataset=price")
    page = visit.page
    page.get_by_label("symbols").fill(",".join(f"A{n}" for n in range(101)))
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("heading", name="The request cannot be answered")).to_be_focused()
    expect(page.get_by_label("symbols")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("symbols")).to_have_accessible_description(
        re.compile("At most 100 symbols, not 101")
    )


def test_an_unknown_coin_is_told_with_a_way_on(sandbox: Site, look: Visiting) -> None:
    visit = look(sandbox)
    visit.go("/explore?dataset=history&symbol=NOSUCHCOIN&ask=1")
    expect(visit.page.locator(".problem > p")).to_contain_text("No asset is known as 'NOSUCHCOIN'")


def test_the_curl_line_is_copied(sandbox: Site, look: Visiting) -> None:
    visit = look(sandbox, permissions=["clipboard-read", "clipboard-write"])
    visit.go(ANSWERED)
    visit.page.get_by_role("button", name="Copy").click()
    expect(visit.page.get_by_role("button", name="Copied")).to_be_visible()
    copied = visit.page.evaluate("navigator.clipboard.readText()")
    assert copied == (
        f'curl -H "X-API-Key: $AGGREGATOR_KEY" '
        f"'{sandbox.url}/api/market/ohlc?symbol=BTC&interval=1h&limit=30'"
    )


def test_the_explorer_asks_without_a_script(sandbox: Site, look: Visiting) -> None:
    visit = look(sandbox, java_script_enabled=False)
    visit.go("/explore?dataset=gas")
    visit.page.get_by_label("chain").select_option("bitcoin")
    visit.page.get_by_role("button", name="Ask").click()
    expect(visit.page.get_by_role("heading", name="Answer")).to_be_visible()
    expect(visit.page.get_by_role("cell", name="sat/vB")).to_be_visible()


def test_the_exact_digits_are_a_click_away(sandbox: Site, look: Visiting) -> None:
    visit = look(sandbox)
    visit.go(ANSWERED)
    visit.page.get_by_text("JSON, as the API sends it").click()
    expect(visit.page.locator("pre")).to_contain_text('"sandbox": true')


# -- Docs, and the API in a browser ----------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_docs_are_drawn_from_here_alone(sandbox: Site, look: Visiting, scheme: str) -> None:
    visit = look(sandbox, color_scheme=scheme)
    visit.go("/docs")
    page = visit.page
    operation = page.get_by_role("button", name="get /api/market", exact=True)
    operation.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text("200")


def test_a_browser_that_opens_the_api_sees_a_page(sandbox: Site, look: Visiting) -> None:
    visit = look(sandbox)
    visit.go("/api/market?limit=2")
    expect(visit.page.get_by_role("heading", name="200 OK")).to_be_visible()
    visit.page.get_by_role("link", name="as plain JSON").click()
    assert visit.page.evaluate("document.contentType") == "application/json"


# -- For everybody ---------------------------------------------------------------------------


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_in_anybodys_way(
    sandbox: Site, look: Visiting, scheme: str, size: tuple[int, int]
) -> None:
    visit = look(sandbox, size, color_scheme=scheme)
    visit.expected = {404}
    for path in PAGES:
        visit.go(path)
        expect(visit.page.locator(".unasked")).to_have_count(0, timeout=15_000)
        assert visit.violations() == [], path
        assert visit.overflow() == 0, path
        expect(visit.page.get_by_role("complementary", name="Sandbox")).to_be_visible()


def test_an_unfilled_home_is_in_nobodys_way(fresh: Site, look: Visiting) -> None:
    visit = look(fresh, NARROW)
    visit.expected = {404, 503}
    visit.go("/")
    expect(visit.page.locator(".unasked", has_text="No provider could answer")).not_to_have_count(
        0, timeout=30_000
    )
    assert visit.violations() == []
    assert visit.overflow() == 0


def test_every_stop_of_the_keyboard_can_be_seen(sandbox: Site, look: Visiting) -> None:
    visit = look(sandbox)
    visit.go(ANSWERED)
    page = visit.page
    stops = 0
    for _ in range(40):
        page.keyboard.press("Tab")
        outline = page.evaluate(
            "(() => { const e = document.activeElement; if (e === document.body) return null;"
            " const s = getComputedStyle(e);"
            " return s.outlineStyle !== 'none' || s.boxShadow !== 'none'; })()"
        )
        if outline is None:
            break
        stops += 1
        assert outline, page.evaluate("document.activeElement.outerHTML")
    assert stops > 15
