"""The status drawer as people meet it: by hand, by keyboard, and without its script."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visiting
from tests.browser.site import NARROW, WIDE, Site, Visit, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("drawer"), SANDBOX="1") as site:
        site.manage("runchecks", "--once")
        yield site


def opened(visit: Visit, path: str = "/status") -> Page:
    visit.go(path)
    visit.page.get_by_role("button", name="System status").click()
    expect(visit.page.locator("#drawer-providers")).to_be_visible()
    return visit.page


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(
    watched: Site, look: Visiting, size: tuple[int, int], scheme: str
) -> None:
    visit = look(watched, size, color_scheme=scheme)
    page = opened(visit)
    page.locator("#drawer-errors summary").click()
    assert visit.violations() == []
    assert visit.overflow() <= 0
    width = page.locator("#drawer").evaluate("drawer => drawer.getBoundingClientRect().width")
    assert width == min(400, size[0])


def test_it_shows_everybody_and_leads_to_their_pages(watched: Site, look: Visiting) -> None:
    page = opened(look(watched))
    rows = page.locator("#drawer-providers > .drawer-rows > ul > li")
    expect(rows.filter(has_text="Kraken")).to_contain_text("ms | 100 %")
    expect(page.locator("#drawer > * > details")).to_have_count(6)
    expect(page.locator("#drawer-updated")).to_have_text(
        re.compile(r"Last update \d\d:\d\d:\d\d UTC")
    )
    page.locator("#drawer").get_by_role("link", name="Kraken").click()
    expect(page.get_by_role("heading", name="kraken")).to_be_visible()


def test_it_is_a_dialog_for_the_keyboard(watched: Site, look: Visiting) -> None:
    visit = look(watched)
    visit.go("/status")
    page = visit.page
    button = page.get_by_role("button", name="System status")
    for key in ("Enter", "Space"):
        button.focus()
        page.keyboard.press(key)
        expect(page.get_by_role("dialog", name="System status")).to_be_visible()
        expect(page.get_by_role("button", name="Close")).to_be_focused()
        for _ in range(30):  # round and round, and never behind it
            page.keyboard.press("Tab")
            inside = "document.activeElement === document.body || "
            inside += "document.getElementById('drawer').contains(document.activeElement)"
            assert page.evaluate(inside)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(button).to_be_focused()


def test_it_closes_by_its_button_and_by_a_click_beside_it(watched: Site, look: Visiting) -> None:
    page = opened(look(watched))
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#drawer")).to_be_hidden()
    page.get_by_role("button", name="System status").click()
    page.mouse.click(50, 400)
    expect(page.locator("#drawer")).to_be_hidden()


def test_what_is_folded_stays_so(watched: Site, look: Visiting) -> None:
    visit = look(watched)
    page = opened(visit)
    expect(page.locator("#drawer-errors")).not_to_have_attribute("open", "")
    page.locator("#drawer-models > summary").click()
    page.locator("#drawer-errors > summary").click()
    page = opened(visit, "/explore")
    expect(page.locator("#drawer-models")).not_to_have_attribute("open", "")
    expect(page.locator("#drawer-errors")).to_have_attribute("open", "")


def asked(page: Page) -> list[str]:
    found: list[str] = []
    page.on("request", lambda r: found.append(r.url) if r.url.endswith("/drawer") else None)
    return found


def test_it_is_kept_up_to_date_while_it_is_open_and_looked_at(
    watched: Site, look: Visiting
) -> None:
    visit = look(watched)
    visit.page.clock.install()
    page = opened(visit)
    found = asked(page)
    for _ in range(3):
        with page.expect_response("**/status/drawer"):
            page.clock.run_for(3_000)
    page.keyboard.press("Escape")
    before = len(found)
    page.clock.run_for(30_000)
    assert len(found) == before


def test_a_reading_keeps_the_focus_and_what_is_open(watched: Site, look: Visiting) -> None:
    visit = look(watched)
    page = opened(visit)
    link = page.locator("#drawer").get_by_role("link", name="Kraken")
    link.focus()

    def other(route: Route) -> None:
        response = route.fetch(headers={"Accept": "text/html"})
        route.fulfill(response=response, body=response.text().replace("Kraken", "Kraken!"))

    page.route("**/status/drawer", other)
    page.locator("#drawer-refresh").evaluate("button => button.click()")
    expect(page.locator("#drawer").get_by_role("link", name="Kraken!")).to_be_focused()


def test_a_server_that_is_gone_is_said_so(watched: Site, look: Visiting) -> None:
    visit = look(watched)
    page = opened(visit)
    visit.expected.add(503)
    page.route("**/status/drawer", lambda route: route.fulfill(status=503, body="no"))
    page.locator("#drawer-refresh").click()
    expect(page.locator("#drawer-updated")).to_contain_text("Not reachable. Last update")
    expect(page.locator("#drawer-providers")).to_be_visible()
    page.unroute("**/status/drawer")
    page.locator("#drawer-refresh").click()
    expect(page.locator("#drawer-updated")).not_to_contain_text("Not reachable")


def test_without_a_script_the_button_leads_to_the_status_page(
    watched: Site, look: Visiting
) -> None:
    visit = look(watched, java_script_enabled=False)
    visit.go("/explore")
    visit.page.get_by_role("link", name="System status").click()
    expect(visit.page.get_by_role("heading", name="Status", exact=True)).to_be_visible()


def test_it_opens_in_the_admin(watched: Site, look: Visiting) -> None:
    visit = look(watched)
    visit.sign_in()
    visit.page.get_by_role("button", name="System status").click()
    expect(visit.page.locator("#drawer-providers")).to_be_visible()
    assert visit.violations() == []
