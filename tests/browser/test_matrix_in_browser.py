"""The capability matrix as people meet it: wide and narrow, dark, by keyboard, without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visiting
from tests.browser.site import NARROW, WIDE, Site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_heads_stay_while_the_matrix_scrolls(
    sandbox: Site, look: Visiting, size: tuple[int, int], scheme: str
) -> None:
    visit = look(sandbox, size, color_scheme=scheme)
    visit.sign_in()
    page = visit.page
    page.get_by_role("link", name="Who answers what, and how well").click()
    matrix = page.get_by_role("region", name="Capability matrix, table")
    corner = matrix.get_by_role("columnheader", name="Provider", exact=True)
    matrix.focus()  # which scrolls the page to it
    before = corner.bounding_box()
    for key in ("ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    page.wait_for_function("m => m.scrollLeft > 0 && m.scrollTop > 0", arg=matrix.element_handle())
    assert corner.bounding_box() == before
    assert visit.overflow() <= 0
    assert visit.violations() == []


def test_it_is_filtered_without_scripts(sandbox: Site, look: Visiting) -> None:
    visit = look(sandbox, java_script_enabled=False)
    visit.sign_in()
    visit.go("/admin/providers/provider/")
    page = visit.page
    page.get_by_role("link", name="Who answers what").click()
    page.get_by_label("Category").select_option("exchange")
    page.get_by_label("Dataset").select_option(label="Spot prices")
    page.get_by_role("button", name="Show").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="kraken", exact=True))
    expect(row.get_by_role("cell")).to_contain_text("yes")
    expect(page.get_by_role("link", name="coingecko", exact=True)).to_have_count(0)
    page.get_by_role("link", name="Spot prices").click()
    expect(page.get_by_role("heading", name="price", exact=True)).to_be_visible()
