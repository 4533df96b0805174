"""Every list and form of the admin as an operator meets them: nothing is cut off, all is named."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visiting
from tests.browser.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

DESK = (1440, 900)
LISTS = (
    "monitoring/checkresult", "monitoring/endpoint", "monitoring/modelmetric",
    "monitoring/statechange", "monitoring/alertrule", "monitoring/channel", "providers/aimodel",
    "providers/provider", "providers/asset", "chat/trainingrun", "chat/experiment", "auth/user",
)  # fmt: skip


def test_no_list_is_cut_off_at_a_desk(sandbox: Site, look: Visiting) -> None:
    visit = look(sandbox, DESK)
    visit.sign_in()
    for name in LISTS:
        visit.go(f"/admin/{name}/")
        hidden = visit.page.evaluate(
            "Math.max(0, ...[...document.querySelectorAll('#changelist .results')]"
            ".map(one => one.scrollWidth - one.clientWidth))"
        )
        assert (name, hidden) == (name, 0)
        assert visit.overflow() <= 0, name


def test_a_list_without_rows_says_what_would_bring_some(sandbox: Site, look: Visiting) -> None:
    visit = look(sandbox, DESK)
    visit.sign_in()
    visit.go("/admin/monitoring/channel/")
    expect(visit.page.get_by_text("nobody is told. Add one to be.")).to_be_visible()


def test_who_signs_in_reads_a_heading_and_words_that_do_not_shout(
    sandbox: Site, look: Visiting
) -> None:
    visit = look(sandbox)
    visit.go("/admin/login/")
    expect(visit.page.get_by_role("heading", name="Log in", level=1)).to_be_visible()
    assert visit.violations() == []
    visit.sign_in()
    visit.go("/admin/monitoring/channel/add/")
    shouts = visit.page.evaluate(
        "[...document.querySelectorAll('.submit-row input, #user-tools a, .object-tools a')]"
        ".filter(one => getComputedStyle(one).textTransform === 'uppercase').length"
    )
    assert shouts == 0


def test_what_is_held_of_a_visitor_is_taken_away_and_erased(sandbox: Site, look: Visiting) -> None:
    visit = look(sandbox, (390, 800))
    page = visit.page
    visit.go("/chat")
    page.get_by_label("Your question").fill("price of btc")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator(".turn")).to_have_count(1, timeout=20_000)
    visit.go("/chat/privacy")
    with page.expect_download() as taken:
        page.get_by_role("link", name="All of it as JSON").click()
    assert "price of btc" in taken.value.path().read_text()
    erase = page.get_by_role("button", name="Erase everything")
    erase.click()
    expect(page.get_by_role("region", name="What is held of you")).to_be_visible()  # not sure yet
    page.get_by_label("Everything above, for good.").check()
    erase.click()
    expect(page.get_by_text("Erased: ")).to_be_visible()
    expect(page.get_by_text("Nothing is held of this browser")).to_be_visible()
    assert visit.violations() == []
    assert visit.overflow() <= 0
