"""The admin as an operator uses it, on the running product, and what the API makes of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError

import pytest
from playwright.sync_api import Error, Page, expect

from tests.browser.conftest import Visiting
from tests.browser.site import NARROW, Site, Visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

SECRET = "sandbox-never-to-be-seen-again"
OBEYED_S = 2.0  # an edit is obeyed in every process within so many seconds


@pytest.fixture
def admin(sandbox: Site, look: Visiting) -> Visit:
    visit = look(sandbox)
    visit.sign_in()
    return visit


def status_of(site: Site, name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(site.ask("/api/status")[1])["providers"][name]
    return found


def offers(site: Site, name: str) -> set[str]:
    """The datasets that a provider may be asked for just now."""
    matrix = json.loads(site.ask("/api/capabilities")[1])["data"]
    mine = [row for row in matrix if row["provider"] == name]
    return {row["dataset"] for row in mine if row["supported"] and row["enabled"]}


def source_of(site: Site, path: str) -> str:
    source: str = json.loads(site.ask(path)[1])["meta"]["source"]
    return source


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Does it hold before so many seconds have passed?"""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def choose(page: Page, name: str, action: str) -> None:
    """Tick the row of that name and have something done to it."""
    page.get_by_label(f"Select this object for an action - {name}", exact=True).check()
    page.locator("select[name=action]").select_option(label=action)
    page.get_by_role("button", name="Go").click()


def open_provider(page: Page, slug: str) -> None:
    page.locator("#result_list").get_by_role("link", name=slug).click()


def test_a_client_gets_a_key_that_opens_the_api(sandbox: Site, admin: Visit) -> None:
    page = admin.page
    admin.go("/admin/aggregator/client/add/")
    page.get_by_label("Name").fill("charts")
    page.get_by_label("Per minute").fill("7")
    page.get_by_role("button", name="Save", exact=True).click()
    key = page.locator(".key code").inner_text()
    expect(page.get_by_text("never again")).to_be_visible()
    status, _ = sandbox.ask("/api/status", x_api_key=key)
    assert status == 200
    with pytest.raises(HTTPError, match="401"):
        sandbox.ask("/api/status", x_api_key=key[:-1])
    page.get_by_role("link", name="To the clients").click()
    expect(page.get_by_role("link", name="charts")).to_be_visible()
    assert key not in page.content()
    with pytest.raises(Error, match="ERR_CACHE_MISS"):
        page.go_back()  # it would have to be sent again, which makes no second key


def test_a_provider_switched_off_is_not_asked_again(sandbox: Site, admin: Visit) -> None:
    admin.go("/admin/providers/provider/")
    choose(admin.page, "okx", "Disable")
    began = time.monotonic()
    expect(admin.page.get_by_text("1 provider disabled.")).to_be_visible()
    assert within(OBEYED_S, lambda: status_of(sandbox, "okx")["status"] == "disabled")
    assert time.monotonic() - began < OBEYED_S + 1
    assert status_of(sandbox, "okx")["active"] is False
    choose(admin.page, "okx", "Enable")
    assert within(OBEYED_S, lambda: status_of(sandbox, "okx")["active"] is True)


def test_a_priority_changed_in_the_list_decides_who_is_asked(sandbox: Site, admin: Visit) -> None:
    assert source_of(sandbox, "/api/market/price?symbols=LTC") != "okx"
    admin.go("/admin/providers/provider/")
    admin.page.get_by_role("row", name="okx OKX").get_by_role("spinbutton").fill("100")
    admin.page.get_by_role("button", name="Save", exact=True).click()
    expect(admin.page.get_by_text("1 provider was changed successfully.")).to_be_visible()
    coins = iter(("DOGE", "ADA", "LINK", "DOT", "AVAX", "TRX"))
    assert within(
        OBEYED_S, lambda: source_of(sandbox, f"/api/market/price?symbols={next(coins)}") == "okx"
    )


def test_a_priority_is_changed_seen_in_the_history_and_undone(admin: Visit) -> None:
    page = admin.page
    admin.go("/admin/providers/provider/?q=bitstamp")
    open_provider(page, "bitstamp")
    was = page.get_by_label("Priority").input_value()
    page.get_by_label("Priority").fill("3")
    page.get_by_role("button", name="Save and continue editing").first.click()
    page.get_by_role("link", name="History").click()
    changed = page.get_by_role("region", name="What was changed")
    expect(changed).to_contain_text(f"priority from {was} to 3")
    assert admin.violations() == []
    changed.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone: bitstamp is as it was.")).to_be_visible()
    expect(changed).to_contain_text(f"priority from 3 to {was}")
    admin.go("/admin/providers/provider/?q=bitstamp")
    open_provider(page, "bitstamp")
    expect(page.get_by_label("Priority")).to_have_value(was)


def test_a_key_is_typed_in_and_never_comes_out(admin: Visit) -> None:
    page = admin.page
    admin.go("/admin/providers/provider/?q=coingecko_demo")
    open_provider(page, "coingecko_demo")
    page.get_by_role("button", name="Add another Credential").click()
    page.locator("#id_credentials-0-label").fill("mine")
    key = page.locator("#id_credentials-0-key")
    assert key.get_attribute("type") == "password"
    key.fill(SECRET)
    page.get_by_role("button", name="Save and continue editing").first.click()
    expect(page.get_by_text("set on")).to_be_visible()
    assert SECRET not in page.content()
    assert page.locator("#id_credentials-0-key").input_value() == ""
    for path in ("/admin/providers/credential/", "/admin/"):
        admin.go(path)
        assert SECRET not in page.content()


def test_a_test_says_how_it_went_and_stands_in_the_book(sandbox: Site, admin: Visit) -> None:
    page = admin.page
    admin.go("/admin/providers/provider/?q=coinpaprika")
    choose(page, "coinpaprika", "Test now")
    expect(page.locator(".messagelist .success")).to_contain_text("coinpaprika: answered in")
    open_provider(page, "coinpaprika")
    calls = page.get_by_role("region", name="Its last calls", exact=True)
    expect(calls.get_by_role("cell", name="test", exact=True).first).to_be_visible()
    expect(page.get_by_role("region", name="Now")).to_contain_text("closed")


def test_a_fault_is_made_seen_and_reset(sandbox: Site, admin: Visit) -> None:
    page = admin.page
    page.get_by_role("link", name="Faults and requests").click()
    page.get_by_label("Host").select_option("mempool.space")
    page.get_by_label("Fault").fill("status=503")
    page.get_by_role("button", name="Add the fault").click()
    expect(page.get_by_role("row", name="mempool.space all status=503")).to_be_visible()
    admin.go("/admin/providers/provider/?q=mempool")
    open_provider(page, "mempool_space")
    page.get_by_role("button", name="Save and test now").first.click()
    expect(page.locator(".messagelist .error")).to_contain_text("HTTP 503")
    expect(page.get_by_role("region", name="Now")).to_contain_text("open, rests")
    admin.go("/admin/sandbox/")
    page.get_by_role("button", name="Clear all faults").click()
    expect(page.get_by_text("None: every host answers")).to_be_visible()
    admin.go("/admin/providers/provider/?q=mempool")
    choose(page, "mempool_space", "Reset circuit and budget")
    choose(page, "mempool_space", "Test now")
    expect(page.locator(".messagelist .success")).to_contain_text("mempool_space: answered in")


def test_an_edit_that_makes_no_sense_is_refused_where_it_stands(admin: Visit) -> None:
    page = admin.page
    admin.go("/admin/providers/provider/?q=kraken")
    open_provider(page, "kraken")
    page.get_by_label("Limits").fill("[{'limit': 1}]")
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.locator(".field-limits .errorlist")).to_contain_text("double quotes")
    expect(page.get_by_label("Limits")).to_have_value("[{'limit': 1}]")


def test_a_strategy_is_chosen_and_the_page_says_whom_it_asks(admin: Visit) -> None:
    page = admin.page
    admin.go("/admin/providers/policy/1/change/")
    page.get_by_label("Strategy:").select_option("weighted")
    page.get_by_role("button", name="Save and continue editing").click()
    chosen = page.locator(".outlook details[open]")
    expect(chosen.locator("summary")).to_contain_text("weighted (saved)")
    expect(chosen.get_by_role("row").nth(1)).to_contain_text("weight 1 of")
    page.locator(".outlook summary").filter(has_text="cheapest").click()
    expect(page.get_by_text("The lowest cost a call leads")).to_be_visible()
    page.get_by_label("Strategy:").select_option("priority")
    page.get_by_role("button", name="Save", exact=True).click()


def test_a_configuration_is_looked_at_and_then_applied(admin: Visit, tmp_path: Path) -> None:
    page = admin.page
    page.get_by_role("link", name="Take it away or bring one in").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the configuration").click()
    written = Path(download.value.path()).read_text()
    assert "  kraken:" in written
    file = tmp_path / "config.yaml"
    file.write_text("aggregator: 1\nproviders:\n  gdelt: {notes: 'Ours: a\u0308.'}\n")
    page.get_by_label("Configuration").set_input_files(file)
    page.get_by_role("button", name="Show what it would change").click()
    expect(page.get_by_role("region", name="Changes")).to_contain_text("Ours: a\u0308.")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("1 row changed.")).to_be_visible()


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/providers/provider/",
        "/admin/providers/provider/1/change/",
        "/admin/providers/policy/",
        "/admin/providers/policy/1/change/",
        "/admin/providers/resource/?flag=suspect",
        "/admin/configuration/",
        "/admin/matrix/",
        "/admin/providers/call/",
        "/admin/monitoring/endpoint/",
        "/admin/monitoring/plan/",
        "/admin/monitoring/incident/add/",
        "/admin/monitoring/maintenancewindow/add/",
        "/admin/monitoring/alertrule/",
        "/admin/monitoring/alertrule/add/",
        "/admin/monitoring/slo/add/",
        "/admin/monitoring/channel/add/",
        "/admin/providers/asset/1/change/",
        "/admin/aggregator/client/add/",
        "/admin/sandbox/",
    ],
)
def test_the_admin_is_in_nobodys_way_on_a_phone(sandbox: Site, look: Visiting, path: str) -> None:
    visit = look(sandbox, NARROW)
    visit.sign_in()
    visit.go(path)
    assert visit.violations() == []
    assert visit.overflow() <= 0
    expect(visit.page.get_by_role("complementary", name="Sandbox")).to_be_visible()


COINLORE = {
    "names": "listings",
    "listed_as": "coinlore",
    "datasets": {
        "price": {
            "path": "/ticker/",
            "params": {"id": "{ids}"},
            "batch": 50,
            "currencies": {"usd": "usd"},
            "fields": {"id": "id", "price": "price_usd"},
        }
    },
}


def test_a_provider_is_declared_tried_and_saved_and_answers(sandbox: Site, admin: Visit) -> None:
    page = admin.page
    admin.go("/admin/providers/declaredprovider/add/")
    page.get_by_label("Slug").fill("mine")
    page.get_by_label("Title").fill("Mine")
    page.get_by_label("Priority").fill("100")
    page.get_by_label("Address").fill("https://api.coinlore.net/api")
    page.get_by_label("Mapping").fill(json.dumps({**COINLORE, "datasets": {"price": {}}}))
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("fields: price is missing")).to_be_visible()
    page.get_by_label("Mapping").fill(json.dumps(COINLORE))
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("heading", name="What came of the try")).to_be_visible()
    expect(page.get_by_role("region", name="Records, table")).to_contain_text("BTC")
    expect(page.locator("pre.raw")).to_contain_text("price_usd")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    assert within(OBEYED_S, lambda: offers(sandbox, "mine") == {"price"})
    admin.go("/admin/providers/provider/")
    choose(page, "mine", "Disable")
    assert within(OBEYED_S, lambda: not offers(sandbox, "mine"))
