"""The chat as people use it: ask, go on, say what was wrong; with scripts and without."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visiting
from tests.browser.site import NARROW, WIDE, Site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def ask(page: Page, question: str) -> None:
    turns = page.locator(".turn").count()
    page.get_by_label("Your question").fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator(".turn")).to_have_count(turns + 1, timeout=20_000)


def correct(page: Page) -> None:
    page.get_by_role("button", name="Wrong").last.click()
    expect(page.get_by_role("button", name="Wrong").last).to_have_attribute("aria-pressed", "true")
    page.get_by_label("What I was asking for").last.select_option("NEWS")
    page.get_by_label("In words").last.fill("I wanted the news.")
    page.get_by_role("button", name="Send").last.click()
    expect(page.get_by_text("Somebody will look at your correction")).to_be_visible()


def test_a_question_a_follow_up_and_a_correction_in_place(sandbox: Site, look: Visiting) -> None:
    visit = look(sandbox)
    visit.go("/chat")
    page = visit.page
    page.evaluate("window.stayed = true")
    ask(page, "price of btc")
    first = page.locator(".turn").first
    expect(first.locator(".reply > p").first).to_have_text(re.compile(r"Bitcoin costs [\d,.]+"))
    expect(first.locator(".source").first).to_have_text(re.compile("[a-z]+"))
    expect(first.locator("[data-age]").first).to_have_text(re.compile(r"\d+ s ago"))
    expect(page.get_by_label("Your question")).to_have_value("")
    ask(page, "and ethereum?")
    expect(page.locator(".turn").last).to_contain_text("Ethereum costs")
    correct(page)
    assert page.evaluate("window.stayed"), "the page was not loaded again"
    assert re.search(r"/chat/[0-9a-f-]{36}$", page.url)
    page.reload()
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.get_by_text("Somebody will look at your correction")).to_be_visible()


def test_the_same_without_scripts(sandbox: Site, look: Visiting) -> None:
    visit = look(sandbox, java_script_enabled=False)
    visit.go("/chat")
    page = visit.page
    ask(page, "price of btc")
    ask(page, "and ethereum?")
    expect(page.locator(".turn").last).to_contain_text("Ethereum costs")
    correct(page)
    page.get_by_role("button", name="News about Ethereum").click()
    expect(page.locator(".turn")).to_have_count(3)


def test_an_example_is_asked_by_a_click(sandbox: Site, look: Visiting) -> None:
    visit = look(sandbox)
    visit.go("/chat")
    visit.page.get_by_role("button", name="What is staking?").click()
    expect(visit.page.locator(".turn")).to_contain_text("proof-of-stake")
    expect(visit.page.locator("#examples")).to_have_count(0)


def test_what_is_wrong_is_said_and_what_was_typed_stays(sandbox: Site, look: Visiting) -> None:
    visit = look(sandbox)
    visit.expected.add(422)
    visit.go("/chat")
    visit.page.get_by_label("Your question").evaluate("e => e.value = 'bell \\u0007'")
    visit.page.get_by_role("button", name="Ask", exact=True).click()
    expect(visit.page.get_by_role("alert")).to_contain_text("U+0007")
    visit.wrong = [wrong for wrong in visit.wrong if "422" not in wrong]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_it_can_be_read_by_everybody(
    sandbox: Site, look: Visiting, size: tuple[int, int], scheme: str
) -> None:
    visit = look(sandbox, size, color_scheme=scheme)
    visit.go("/chat")
    ask(visit.page, "compare btc and eth")
    ask(visit.page, "latest news")
    visit.page.get_by_role("button", name="Wrong").first.click()
    expect(visit.page.get_by_label("In words").first).to_be_visible()
    visit.page.locator(".figures summary").first.click()
    assert visit.overflow() <= 0
    button = visit.page.get_by_role("button", name="Ask", exact=True).bounding_box()
    drawer = visit.page.locator(".drawer-button").bounding_box()
    assert button
    assert drawer
    beside = button["x"] + button["width"] <= drawer["x"]
    assert beside or drawer["y"] + drawer["height"] <= button["y"], "it is not covered"
    assert visit.violations() == []
