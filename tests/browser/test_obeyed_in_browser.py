"""What is changed in one web process decides what the other asks next, within two seconds."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visiting
from tests.browser.site import Site, Visit, serving
from tests.browser.test_admin_in_browser import OBEYED_S, choose, open_provider, source_of, within

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

COINS = "BTC ETH SOL XRP DOGE ADA LINK DOT AVAX TRX BCH XLM LTC UNI ATOM ETC FIL AAVE NEAR APT"
SECRET = "sandbox-a-key-of-two-processes"  # noqa: S105 (a key the sandbox takes)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One installation with two web processes."""
    with serving(tmp_path_factory.mktemp("pair"), webs=2, SANDBOX="1") as site:
        yield site


@pytest.fixture
def admin(pair: Site, look: Visiting) -> Visit:
    """An administrator at the first process."""
    visit = look(pair)
    visit.sign_in()
    return visit


def meta_of(site: Site, path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(site.ask(path)[1])["meta"]
    return found


def set_priority(page: Page, row: str, priority: int) -> None:
    page.get_by_role("row", name=row).get_by_role("spinbutton").fill(str(priority))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("1 provider was changed successfully.")).to_be_visible()


def test_a_priority_and_a_switch_are_obeyed_by_the_other_process(pair: Site, admin: Visit) -> None:
    coins = iter(COINS.split())

    def asks_okx() -> bool:
        time.sleep(0.2)  # each coin is good for one look: then it is on the shelf
        return source_of(pair.second, f"/api/market/price?symbols={next(coins)}") == "okx"

    assert not asks_okx(), "the other process has its rows by now"
    admin.go("/admin/providers/provider/")
    set_priority(admin.page, "okx OKX", 100)
    assert within(OBEYED_S, asks_okx)
    choose(admin.page, "okx", "Disable")
    expect(admin.page.get_by_text("1 provider disabled.")).to_be_visible()
    time.sleep(OBEYED_S)
    assert not any(asks_okx() for _ in range(3))


def test_a_purge_takes_what_the_other_process_has_on_its_board(pair: Site, admin: Visit) -> None:
    path = "/api/gas?chain=bitcoin"
    first = meta_of(pair.second, path)["fetched_at"]
    assert meta_of(pair.second, path)["fetched_at"] == first
    page = admin.page
    admin.go("/admin/providers/provider/?q=mempool")
    choose(page, "mempool_space", "Purge shelved answers of its datasets")
    expect(page.locator(".messagelist .success")).to_contain_text("off the shelf, of gas.")
    assert within(OBEYED_S, lambda: meta_of(pair.second, path)["fetched_at"] != first)


def test_a_key_is_added_tested_and_used_by_the_other_process(pair: Site, admin: Visit) -> None:
    path = "/api/economic?q=price"  # which FRED alone answers, and nobody without a key

    def answered() -> bool:
        request = admin.page.request.get(pair.second.url + path)
        return request.status == 200

    assert not answered()
    page = admin.page
    admin.go("/admin/providers/provider/?q=fred")
    open_provider(page, "fred FRED")
    page.get_by_role("button", name="Add another Credential").click()
    page.locator("#id_credentials-0-label").fill("ours")
    page.locator("#id_credentials-0-key").fill(SECRET)
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert within(OBEYED_S, answered)
    admin.go("/admin/providers/credential/")
    page.get_by_label("Select this object for an action - fred: ours").check()
    page.locator("select[name=action]").select_option(label="Test the selected keys now")
    page.get_by_role("button", name="Go").click()
    expect(page.locator(".messagelist")).to_contain_text("fred with 'ours': answered in")
    assert SECRET not in page.content()
