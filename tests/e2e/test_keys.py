"""
Keys, as somebody sees them who asks the API: two of Etherscan, those of CoinGecko's plans, one of
FRED. What is spent or refused is a key, never a provider; behind the last of them stands whoever
wants no key.
"""

from __future__ import annotations

from typing import Any

import pytest

from providers import roster, usage
from providers.client import call
from providers.datasets import EconomicQuery
from providers.errors import NoKey
from providers.models import Call, Credential, Policy, Provider
from providers.resilience import Deadline
from providers.sandbox.limits import Budget
from tests.e2e.world import World

DAY_S = 86400
GAS, GLOBAL = "/api/gas?chain=ethereum", "/api/market/global"
ONE, TWO = "sandbox-one", "sandbox-two"
OF_A_KEY = [
    {"limit": 3, "per_s": 1, "burst": 3, "scope": "key"},
    {"limit": 100_000, "per_s": DAY_S, "scope": "key"},
]


@pytest.fixture
def keyed(world: World, settings: Any) -> World:
    """Etherscan with two keys out of the environment, and without one behind it."""
    settings.PROVIDER_KEYS = {"ETHERSCAN_API_KEY": ONE, "ETHERSCAN_API_KEY_2": TWO}
    Provider.objects.filter(slug="etherscan").update(limits=OF_A_KEY)
    Policy.objects.filter(dataset="gas").update(strategy="priority")
    world.only("etherscan", "etherscan_free")
    return world


def row(number: int) -> Credential:
    name = "ETHERSCAN_API_KEY" if number == 1 else "ETHERSCAN_API_KEY_2"
    return Credential.objects.get(env_name=name)


def ask(world: World, url: str = GAS) -> str:
    """Who answered, asked anew."""
    world.empty_the_shelf()
    source: str = world.get(url).meta["source"]
    return source


def used(world: World) -> list[tuple[str, str]]:
    """(variable, outcome) of the calls so far."""
    world.calls()
    found = Call.objects.order_by("at", "pk")
    return list(found.values_list("credential__env_name", "outcome"))


def spend(world: World, key: str) -> None:
    """As if somebody else had used up the day of a key."""
    world.sandbox.meter.enforced = True
    world.sandbox.meter.spend((Budget(f"etherscan {key}", 100_000, DAY_S, 100_000),))


@pytest.fixture(autouse=True)
def _as_it_was(world: World) -> Any:
    yield
    world.sandbox.meter.enforced = False
    world.sandbox.meter._used.clear()


def test_a_spent_key_makes_way_for_the_next(keyed: World) -> None:
    spend(keyed, ONE)
    assert [ask(keyed), ask(keyed)] == ["etherscan", "etherscan"]
    assert used(keyed) == [
        ("ETHERSCAN_API_KEY", "throttled"),
        ("ETHERSCAN_API_KEY_2", "ok"),
        ("ETHERSCAN_API_KEY_2", "ok"),
    ]
    assert row(1).set_aside_at is None, "it is spent, not refused"
    assert keyed.status("etherscan")["status"] == "healthy"


def test_when_both_are_spent_the_free_row_answers(keyed: World) -> None:
    spend(keyed, ONE)
    spend(keyed, TWO)
    keyed.empty_the_shelf()
    said = keyed.get(GAS)
    assert said.meta["source"] == "etherscan_free"
    assert said.outcomes == {"etherscan": "throttled"}
    assert float(said.attempts["etherscan"]["wait_s"]) == pytest.approx(3600, rel=0.01)
    keyed.sandbox.meter._used.clear()  # one call in five seconds is all that the free row has
    assert ask(keyed) == "etherscan_free"
    assert [outcome for _, outcome in used(keyed)].count("throttled") == 2, "each was tried once"
    status = keyed.status("etherscan")
    assert (status["status"], status["tokens_left_percent"]) == ("rate_limited", 0)


def test_a_refused_key_is_set_aside_while_the_other_goes_on(keyed: World, settings: Any) -> None:
    settings.PROVIDER_KEYS = {"ETHERSCAN_API_KEY": "no-key-at-all", "ETHERSCAN_API_KEY_2": TWO}
    roster.forget()
    assert [ask(keyed), ask(keyed)] == ["etherscan", "etherscan"]
    assert used(keyed) == [
        ("ETHERSCAN_API_KEY", "bad_key"),
        ("ETHERSCAN_API_KEY_2", "ok"),
        ("ETHERSCAN_API_KEY_2", "ok"),
    ]
    assert row(1).set_aside_at is not None
    assert "no-key-at-all" not in row(1).set_aside_reason
    assert keyed.status("etherscan")["status"] == "healthy"


def test_when_both_are_refused_the_free_row_answers(keyed: World, settings: Any) -> None:
    settings.PROVIDER_KEYS = {"ETHERSCAN_API_KEY": "wrong-key", "ETHERSCAN_API_KEY_2": "wrong-too"}
    roster.forget()
    assert [ask(keyed), ask(keyed)] == ["etherscan_free", "etherscan_free"]
    assert [outcome for _, outcome in used(keyed)] == ["bad_key", "bad_key", "ok", "ok"]
    assert keyed.status("etherscan")["status"] == "misconfigured"


def test_a_key_of_the_wrong_plan_falls_from_tier_to_tier(world: World, settings: Any) -> None:
    """CoinGecko: a paid key, a demo key, none."""
    settings.PROVIDER_KEYS = {
        "COINGECKO_PRO_API_KEY": "sandbox-pro",
        "COINGECKO_DEMO_API_KEY": "sandbox-demo",
    }
    tiers = ["coingecko_pro", "coingecko_demo", "coingecko_free"]
    world.only(*tiers)
    assert ask(world, GLOBAL) == "coingecko_pro"
    settings.PROVIDER_KEYS = settings.PROVIDER_KEYS | {"COINGECKO_PRO_API_KEY": "ended"}
    roster.forget()
    assert ask(world, GLOBAL) == "coingecko_demo"
    settings.PROVIDER_KEYS = {}
    roster.forget()
    assert ask(world, GLOBAL) == "coingecko_free"
    assert {slug for slug, _ in world.calls()} == set(tiers)


def test_an_entered_key_is_used_before_the_environments(world: World, settings: Any) -> None:
    settings.PROVIDER_KEYS = {"COINGECKO_DEMO_API_KEY": "sandbox-demo"}
    world.only("coingecko_demo")
    world.give_key("coingecko_demo", "sandbox-of-mine")
    assert ask(world, GLOBAL) == "coingecko_demo"
    assert used(world) == [("", "ok")]


def test_the_status_tells_what_is_left_without_naming_a_key(keyed: World) -> None:
    assert ask(keyed) == "etherscan"
    told = [{"limit": 100_000, "per_s": DAY_S, "used": 90_000, "resets_at": None}]
    keyed.calls()
    fresh = Call.objects.latest("at").at
    Credential.objects.filter(env_name="ETHERSCAN_API_KEY").update(
        plan_limits=told, plan_read_at=fresh
    )
    usage.forget()
    first, second = keyed.status("etherscan")["quotas"]
    assert (first["of"], first["limit"], first["used"]) == ("key 1", 100_000, 90_000)
    assert (first["used_percent"], first["warning"], first["ends_at"]) == (90, True, None)
    assert (second["of"], second["used"], second["warning"]) == ("key 2", 0, False)
    body = str(keyed.get("/api/status").body)
    for secret in (ONE, TWO, "ETHERSCAN_API_KEY"):
        assert secret not in body


def test_one_limit_holds_for_all_providers(world: World, settings: Any) -> None:
    settings.GLOBAL_CALLS_PER_MINUTE = 2
    world.only("coingecko_free", "coinpaprika")
    assert ask(world, GLOBAL) == "coingecko_free"
    world.empty_the_shelf()
    said = world.get(GLOBAL)
    assert said.status == 503
    assert said.outcomes == {"coingecko_free": "out_of_tokens", "coinpaprika": "out_of_tokens"}
    assert world.asked("coingecko_free") + world.asked("coinpaprika") == 1


def test_a_free_key_of_fred_is_set_aside_for_its_charts(world: World, settings: Any) -> None:
    """FRED refuses a key with a 400; the table behind its charts wants none."""
    settings.PROVIDER_KEYS = {"FRED_API_KEY": "sandbox-fred"}
    deadline, query = Deadline(5), EconomicQuery("GDP")
    world.only("fred", "fredgraph")
    fred, charts = (Provider.objects.get(slug=slug) for slug in ("fred", "fredgraph"))
    assert call(fred, query, deadline).rows[0].units
    settings.PROVIDER_KEYS = {"FRED_API_KEY": "no-key-of-fred"}
    roster.forget()
    with pytest.raises(NoKey, match="was refused"):
        call(fred, query, deadline)
    with pytest.raises(NoKey):
        call(fred, query, deadline)
    assert call(charts, query, deadline).rows
    assert world.calls() == [("fred", "ok"), ("fred", "bad_key"), ("fredgraph", "ok")]
    assert world.status("fred")["status"] == "misconfigured"
