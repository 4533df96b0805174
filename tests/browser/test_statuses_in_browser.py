"""How a state looks: in the drawer, on paper, without colours, and while nobody looks."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visiting
from tests.browser.site import Site, serving
from tests.browser.test_drawer_in_browser import asked, opened

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

# Providers that answer in the sandbox, put into each state; and the colour it has in the drawer.
STATES = {
    "kraken": ("healthy", "green"),
    "coinpaprika": ("degraded", "yellow"),
    "bitstamp": ("rate_limited", "red"),
    "binance": ("down", "red"),
    "okx": ("misconfigured", "red"),
    "coinlore": ("disabled", "black"),
}
SEED = """
from django.utils.timezone import now, timedelta
from providers.health import Health
from providers.models import Provider
for name, status in {states!r}.items():
    Health.objects.filter(name=name).update(
        status=status, reason="because", outcome="throttled" if status == "rate_limited" else "ok",
        fresh_until=now() + timedelta(days=1))
Provider.objects.filter(slug="coinlore").update(enabled=False)
"""


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("mixed"), SANDBOX="1") as site:
        site.manage("runchecks", "--once")
        states = {name: status for name, (status, _) in STATES.items()}
        site.manage("shell", "-c", SEED.format(states=states))
        yield site


def shape(page: Page, name: str) -> Locator:
    row = page.locator(f"#drawer-providers li:has(a[href$='/status/{name}'])")
    return row.locator(".status svg")


def colour(of: Locator) -> str:
    said = of.evaluate("svg => getComputedStyle(svg).color")
    red, green, blue = (int(part) for part in re.findall(r"\d+", said)[:3])
    if max(red, green, blue) - min(red, green, blue) < 40:
        return "black" if max(red, green, blue) < 100 else "white"
    if min(red, green) > 1.3 * blue and green > 0.55 * red:
        return "yellow"
    return "green" if green > red else "red"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_state_has_its_colour_a_shape_and_a_word_of_its_own(
    mixed: Site, look: Visiting, scheme: str
) -> None:
    page = opened(look(mixed, color_scheme=scheme))
    page.locator("#drawer-providers-off > summary").click()
    wanted = {name: hue for name, (_, hue) in STATES.items()}
    if scheme == "dark":  # black on black says nothing: the ink of the page, there
        wanted["coinlore"] = "white"
    assert {name: colour(shape(page, name)) for name in STATES} == wanted
    assert len({shape(page, name).inner_html() for name in STATES}) == len(STATES)
    rows = {name: shape(page, name).locator("xpath=ancestor::li[1]") for name in STATES}
    expect(rows["kraken"]).to_contain_text("healthy")
    expect(rows["bitstamp"]).to_contain_text("Rate limited (429)")
    for name, word in {
        "coinpaprika": "Degraded",
        "binance": "Offline",
        "okx": "Needs its key mended",
        "coinlore": "Disabled",
    }.items():
        expect(rows[name]).to_contain_text(word)


def test_nothing_is_asked_while_nobody_looks_at_the_page(mixed: Site, look: Visiting) -> None:
    visit = look(mixed)
    visit.page.clock.install()
    page = opened(visit)
    found = asked(page)
    hide = (
        "hidden => Object.defineProperty(document, 'hidden', {value: hidden, configurable: true})"
    )
    page.evaluate(hide, True)
    page.clock.run_for(30_000)
    assert found == []
    page.evaluate(hide, False)
    with page.expect_response("**/status/drawer"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    with page.expect_response("**/status/drawer"):
        page.clock.run_for(3_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_paper_it_is_dark_on_white_and_without_what_nobody_can_press(
    mixed: Site, look: Visiting, scheme: str
) -> None:
    page = look(mixed, color_scheme=scheme).page
    page.goto(f"{mixed.url}/status", wait_until="load")
    page.emulate_media(media="print", color_scheme=scheme)  # type: ignore[arg-type]
    expect(page.get_by_role("heading", name="Status", exact=True)).to_be_visible()
    for hidden in (".drawer-button", "header.top", "footer.bottom"):
        expect(page.locator(hidden)).to_be_hidden()
    ink = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
    assert max(int(part) for part in re.findall(r"\d+", ink)[:3]) < 80, ink
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert paper in ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)")


def test_without_colours_of_its_own_the_shapes_are_still_there(mixed: Site, look: Visiting) -> None:
    visit = look(mixed, forced_colors="active")
    page = opened(visit)
    for name in STATES:
        if name != "coinlore":
            expect(shape(page, name)).to_be_visible()
    assert visit.violations() == []


def test_by_keyboard_alone_one_gets_from_the_overview_to_a_day(mixed: Site, look: Visiting) -> None:
    visit = look(mixed)
    visit.go("/status")
    page = visit.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == "binance":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="binance")).to_be_visible()
    summary = page.locator("summary", has_text="Day by day")
    for _ in range(60):
        page.keyboard.press("Tab")
        if summary.evaluate("summary => summary === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Availability by day, table")).to_be_visible()
