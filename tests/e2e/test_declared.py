"""An operator declares a provider in the admin, tries it, saves it, and it answers visitors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from providers import roster
from providers.admin.declared import stored_key
from providers.models import Asset, Call, DeclaredProvider, Listing, Provider
from tests.e2e.world import Witness, World
from tests.providers.operator import errors_of, form_of, text_of

ADD = "/admin/providers/declaredprovider/add/"
SECRET = "sk-0123456789-never-to-be-seen"
COINLORE = "https://api.coinlore.net/api"
HOST = "api.coinlore.net"
MAPPING: dict[str, Any] = {
    "ping": "/global/",
    "datasets": {
        "price": {
            "path": "/ticker/",
            "params": {"id": "{ids}"},
            "batch": 50,
            "currencies": {"usd": "usd"},
            "fields": {"id": "id", "price": "price_usd", "volume_24h": "volume24"},
        },
        "market": {
            "path": "/tickers/",
            "params": {"start": "{offset}", "limit": "{size}"},
            "pages": {"size": 100, "most": 3},
            "currencies": {"usd": "usd"},
            "rows": "data",
            "fields": {
                "id": "id",
                "symbol": "symbol",
                "name": "name",
                "rank": "rank",
                "price": "price_usd",
                "market_cap": "market_cap_usd",
            },
        },
    },
}  # fmt: skip


@pytest.fixture
def operator(admin_client: Client, world: World) -> Client:
    world.only()
    return admin_client


def filled(client: Client, **changes: Any) -> dict[str, Any]:
    given = {"slug": "mine", "title": "Mine", "base_url": COINLORE, "priority": "99"}
    given |= {"mapping": json.dumps(MAPPING)} | changes
    return form_of(client, ADD) | given


def trial(client: Client, **changes: Any) -> Any:
    response = client.post(ADD, filled(client, **changes) | {"_try": "Try it"})
    assert response.status_code == 200
    return response


def test_a_try_shows_the_answer_and_the_records_and_saves_nothing(
    operator: Client, world: World
) -> None:
    own = Listing.objects.get(asset__slug="bitcoin", adapter_name="coinlore").external_id
    response = trial(operator, try_dataset="price", try_word="btc", try_id=own)
    found = response.context["trial"]
    assert (found.error, found.status, found.count, found.dropped) == ("", 200, 1, 0)
    assert found.asked == [f"GET /ticker/?id={own}"]
    assert found.rows[0][0] == "BTC"
    assert isinstance(world.sandbox, Witness)
    assert found.rows[0][1] in world.sandbox.numbers(HOST)
    page = text_of(response)
    assert "This was a try: nothing is saved yet." in page
    assert "price_usd" in page, "the answer as it came"
    assert not DeclaredProvider.objects.exists() or not Provider.objects.filter(slug="mine")
    assert not Call.objects.filter(provider__slug="mine").exists()


def test_a_try_names_every_field_that_cannot_be_read(operator: Client) -> None:
    mapping = json.loads(json.dumps(MAPPING))
    mapping["datasets"]["market"]["fields"]["price"] = "name"
    response = trial(operator, mapping=json.dumps(mapping), try_dataset="market")
    found = response.context["trial"]
    assert found.count == 0
    assert found.dropped == 20
    assert found.problems[0] == "price: a number was promised, not this text"
    assert "garbled" in found.error


def test_a_mapping_that_makes_no_sense_is_not_asked(operator: Client, world: World) -> None:
    before = sum(world.sandbox.log.counts().get(HOST, {}).values())
    response = trial(operator, mapping='{"datasets": {"price": {"path": "x"}}}')
    assert "trial" not in response.context
    assert "datasets.price.path: begins with /" in text_of(response)
    assert "datasets.price.fields: price is missing" in text_of(response)
    assert sum(world.sandbox.log.counts().get(HOST, {}).values()) == before


@pytest.mark.parametrize("url", ["http://169.254.169.254", "http://10.0.0.1", "http://[::1]:1"])
def test_the_rules_of_addresses_hold_for_a_try(operator: Client, settings: Any, url: str) -> None:
    settings.SANDBOX, settings.SANDBOX_URL, settings.ALLOW_PRIVATE_UPSTREAMS = False, "", []
    response = trial(operator, base_url=url, try_id="90")
    assert "trial" not in response.context
    assert "which ALLOW_PRIVATE_UPSTREAMS does not allow." in text_of(response)


def test_a_key_of_a_try_is_shown_nowhere(operator: Client) -> None:
    mapping = MAPPING | {"auth": {"param": "key"}}
    response = trial(operator, mapping=json.dumps(mapping), try_id="90", try_key=SECRET)
    assert response.context["trial"].count == 1
    assert SECRET not in response.content.decode()


def test_a_limit_holds_for_a_try_too(operator: Client) -> None:
    limits = '[{"limit": 1, "per_s": 3600}]'
    assert trial(operator, limits=limits, try_id="90").context["trial"].error == ""
    again = trial(operator, limits=limits, try_id="90").context["trial"]
    assert again.error.startswith("out_of_tokens")
    assert again.asked == []


def test_what_was_saved_answers_visitors(operator: Client, world: World) -> None:
    response = operator.post(ADD, filled(operator, limits=""), follow=True)
    assert response.redirect_chain, errors_of(response)
    row = Provider.objects.get(slug="mine")
    assert (row.adapter_name, row.listed_as) == ("declared", "declared_mine")
    # It has no listings yet, so it is passed over without a guess.
    assert world.get("/api/market/price?symbols=BTC").status == 404
    (coin,) = world.get("/api/market?limit=1").data
    assert coin["symbol"] == "BTC"
    asset = Asset.objects.get(slug="bitcoin")
    page = operator.get(reverse("admin:providers_asset_change", args=[asset.pk]))
    assert "declared_mine" in text_of(page)
    Listing.objects.create(asset=asset, adapter_name="declared_mine", external_id=coin["id"])
    world.begin_again()
    roster.forget()
    said = world.get("/api/market/price?symbols=BTC")
    assert (said.meta["source"], said.data[0]["quote"]) == ("mine", "USD")
    assert isinstance(world.sandbox, Witness)
    assert said.data[0]["price"] in world.sandbox.numbers(HOST)
    matrix = world.get("/api/capabilities").body["data"]
    assert {c["dataset"] for c in matrix if c["provider"] == "mine" and c["supported"]} == {
        "price", "market"
    }  # fmt: skip


def test_astored_key_goes_nowhere_but_where_it_was_given_for(
    operator: Client, world: World
) -> None:
    keyed = json.dumps(MAPPING | {"auth": {"param": "key", "required": False}})
    operator.post(ADD, filled(operator, limits="", mapping=keyed))
    row = DeclaredProvider.objects.get(slug="mine")
    world.give_key("mine", SECRET)
    url = reverse("admin:providers_declaredprovider_change", args=[row.pk])
    assert "keys, tried in this order" in text_of(operator.get(url)).lower()
    saved = form_of(operator, url) | {"_try": "Try it", "try_id": "90"}
    for address, sent in ((COINLORE, SECRET), ("https://api.coinpaprika.com", None)):
        shown = operator.post(url, saved | {"base_url": address}).context["adminform"].form
        assert shown.may_be_tried
        assert stored_key(shown.instance) == sent


def test_a_slug_leaves_room_for_the_name_of_its_listings(operator: Client) -> None:
    response = operator.post(ADD, filled(operator, limits="", slug="a" * 42))
    assert "41 characters" in text_of(response)
    assert not DeclaredProvider.objects.filter(adapter_name="declared").exists()


def test_a_broken_mapping_is_never_asked_and_breaks_nothing(world: World) -> None:
    world.only("coinlore")
    Provider.objects.create(
        slug="odd", title="Odd", adapter_name="declared", base_url=COINLORE, mapping={"x": 1}
    )
    assert world.get("/api/market?limit=1").meta["source"] == "coinlore"
    assert world.get("/api/status").status == 200
    assert world.get("/api/capabilities").status == 200
