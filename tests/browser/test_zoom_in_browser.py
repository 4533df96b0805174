"""The chart that staff zoom into."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visiting
from tests.browser.site import WIDE, Site, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("zoom"), SANDBOX="1") as site:
        site.manage("runchecks", "--once")
        site.manage("shell", "-c", "from tests.monitoring.past import invent; invent()")
        yield site


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_staff_zoom_in_and_out_again(watched: Site, look: Visiting, scheme: str) -> None:
    visit = look(watched, WIDE, color_scheme=scheme)
    visit.sign_in()
    visit.go("/admin/monitoring/endpoint/")
    visit.page.get_by_role("link", name="binance", exact=True).click()
    visit.page.get_by_role("link", name="Look closer").click()
    chart = visit.page.locator("#zoom canvas")
    expect(chart).to_be_visible()
    expect(visit.page.get_by_text("Drag over the chart")).to_be_visible()
    whole = chart.screenshot()
    visit.page.locator("#zoom .u-over").hover()
    expect(visit.page.locator("#zoom .u-legend")).to_contain_text(" UTC")
    visit.page.mouse.move(5, 5)
    box = visit.page.locator("#zoom .u-over").bounding_box()
    assert box
    mouse, middle = visit.page.mouse, box["y"] + box["height"] / 2
    mouse.move(box["x"] + 200, middle)
    mouse.down()
    mouse.move(box["x"] + 300, middle, steps=5)
    mouse.up()
    mouse.move(5, 5)
    assert chart.screenshot() != whole
    visit.page.mouse.dblclick(box["x"] + 250, middle)
    mouse.move(5, 5)
    visit.page.wait_for_timeout(100)
    assert chart.screenshot() == whole
    assert visit.violations() == []
