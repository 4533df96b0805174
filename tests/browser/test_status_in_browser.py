"""The status pages as people meet them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visiting
from tests.browser.site import NARROW, WIDE, Site, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

PAGES = (
    *("/status", "/status/binance", "/status/models"),
    *("/status/incidents", "/status/incidents/1"),
)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation that has been watching for ninety days."""
    with serving(tmp_path_factory.mktemp("watched"), SANDBOX="1") as site:
        site.manage("runchecks", "--once")
        site.manage("shell", "-c", "from monitoring.aimodels import run_if_due; run_if_due()")
        site.manage("shell", "-c", "from tests.monitoring.past import invent; invent()")
        site.manage("shell", "-c", "from tests.monitoring.past import incident; incident()")
        yield site


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(
    watched: Site, look: Visiting, path: str, size: tuple[int, int], scheme: str
) -> None:
    visit = look(watched, size, color_scheme=scheme)
    visit.go(path)
    assert visit.violations() == []
    assert visit.overflow() <= 0


def test_before_the_first_check_it_says_so(fresh: Site, look: Visiting) -> None:
    visit = look(fresh, java_script_enabled=False)
    visit.go("/status")
    expect(visit.page.get_by_text("No checks yet")).to_be_visible()
    expect(visit.page.locator(".status-healthy")).to_have_count(0)


def test_without_a_script_it_is_all_there(watched: Site, look: Visiting) -> None:
    visit = look(watched, java_script_enabled=False)
    visit.go("/status")
    expect(visit.page.get_by_label("Keep fresh")).to_be_hidden()
    visit.page.get_by_role("link", name="binance", exact=True).first.click()
    expect(visit.page.get_by_role("heading", name="binance")).to_be_visible()
    expect(visit.page.get_by_role("img", name="binance, the last 90 days")).to_be_visible()
    visit.page.get_by_text("Day by day").click()
    expect(visit.page.get_by_role("region", name="Availability by day, table")).to_be_visible()


def test_a_page_that_is_kept_fresh_takes_what_is_new_and_leaves_what_is_open(
    watched: Site, look: Visiting
) -> None:
    visit = look(watched)
    visit.page.clock.install()
    visit.go("/status/binance")
    page = visit.page
    page.get_by_text("Day by day").click()
    page.evaluate("document.activeElement.blur()")
    page.evaluate("document.getElementById('now').dataset.old = 'yes'")
    page.clock.run_for(31_000)
    expect(page.locator("#now")).not_to_have_attribute("data-old", "yes")
    expect(page.get_by_role("region", name="Availability by day, table")).to_be_visible()


def test_the_export_is_streamed_by_the_real_server(watched: Site) -> None:
    status, body = watched.ask("/api/providers/export/csv", accept="text/csv")
    lines = body.decode().splitlines()
    assert status == 200
    assert lines[0].startswith("provider_name,status,")
    assert any(line.startswith("binance,healthy,") for line in lines)
