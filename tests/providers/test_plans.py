from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from aggregator import tasks
from providers import calls, plans, roster, usage
from providers.adapters.base import UNREADABLE, Adapter, Reading
from providers.adapters.coingecko import CoinGecko, CoinGeckoPro
from providers.adapters.coinmarketcap import CoinMarketCap
from providers.adapters.cryptocompare import CryptoCompare
from providers.adapters.etherscan import Etherscan, EtherscanKey
from providers.client import call
from providers.datasets import Allowance, GasQuery, PlanQuery
from providers.errors import Garbled, OutOfTokens, ProviderError, Throttled, Unsupported
from providers.models import Call, Credential, Provider
from providers.resilience import Deadline
from providers.sandbox.sandbox import Sandbox
from providers.sandbox.server import running
from tests.providers.adapters.conftest import NOON, adapt
from tests.upstreams import Keyed, Said, Upstreams, usual

DAY_S, MONTH_S = 86400.0, 30 * 86400.0

# -- What providers say ------------------------------------------------------------------------

GECKO = {
    "plan": "Analyst",
    "rate_limit_request_per_minute": 500,
    "monthly_call_credit": 500_000,
    "current_total_monthly_calls": 104,
    "current_remaining_monthly_calls": 499_896,
}
CMC = {
    "status": {"error_code": 0},
    "data": {
        "plan": {
            "credit_limit_monthly": 120_000,
            "credit_limit_monthly_reset": "In 3 days",
            "credit_limit_monthly_reset_timestamp": "2026-05-21T12:00:00.000Z",
            "rate_limit_minute": 60,
        },
        "usage": {
            "current_minute": {"requests_made": 1, "requests_left": 59},
            "current_day": {"credits_used": 1, "credits_left": None},
            "current_month": {"credits_used": 41, "credits_left": 119_959},
        },
    },
}
ETHERSCAN = {
    "status": "1",
    "message": "OK",
    "result": {
        "creditsUsed": 22,
        "creditsAvailable": 1_499_978,
        "creditLimit": 1_500_000,
        "limitInterval": "daily",
        "intervalExpiryTimespan": "08:42:34",
    },
}
COMPARE = {
    "Response": "Success",
    "Data": {
        "calls_made": {"second": 1, "minute": 2, "hour": 3, "day": 4, "month": 5},
        "calls_left": {"second": 49, "minute": 298, "hour": 2997, "day": 9996, "month": 74_995},
    },
}


def told(adapter: Any, payload: Mapping[str, Any]) -> list[Allowance]:
    found, _ = adapt(adapter, payload)
    rows: list[Allowance] = list(found.fetch(PlanQuery()))
    return rows


def test_coingecko_tells_a_plan_by_name() -> None:
    assert told(CoinGeckoPro, GECKO) == [
        Allowance(500, 60, None, None, "Analyst"),
        Allowance(500_000, MONTH_S, 104, None, "Analyst"),
    ]


def test_a_key_may_be_given_less_than_its_plan() -> None:
    own = {"api_key_rate_limit_request_per_minute": 100, "api_key_monthly_call_credit": 9000}
    assert [row.limit for row in told(CoinGeckoPro, GECKO | own)] == [100, 9000]


def test_coinmarketcap_tells_when_its_month_is_over() -> None:
    assert told(CoinMarketCap, CMC) == [
        Allowance(60, 60, 1, None, None),
        Allowance(120_000, MONTH_S, 41, 3 * DAY_S, None),
    ]
    assert NOON.isoformat() == "2026-05-18T12:00:00+00:00"


def test_etherscan_tells_the_credits_of_the_day() -> None:
    seconds = 8 * 3600 + 42 * 60 + 34
    assert told(EtherscanKey, ETHERSCAN) == [Allowance(1_500_000, DAY_S, 22, seconds, None)]


@pytest.mark.parametrize("change", [{"limitInterval": "weekly"}, {"intervalExpiryTimespan": "?"}])
def test_etherscan_is_not_believed_when_it_says_something_else(change: dict[str, str]) -> None:
    with pytest.raises(Garbled):
        told(EtherscanKey, ETHERSCAN | {"result": {**ETHERSCAN["result"], **change}})  # type: ignore[dict-item]


def test_cryptocompare_tells_what_was_made_and_what_is_left() -> None:
    found = told(CryptoCompare, COMPARE)
    assert [(row.limit, row.per_s) for row in found] == [
        (50, 1),
        (300, 60),
        (3000, 3600),
        (10_000, DAY_S),
        (75_000, MONTH_S),
    ]
    assert found[-1].used == 5


def test_who_has_no_key_has_no_plan() -> None:
    without: list[type[Adapter]] = [CoinGecko, Etherscan, Keyed]
    assert not any(map(plans.tells_plan, without))
    with pytest.raises(Unsupported):
        told(CoinGecko, {})
    telling: list[type[Adapter]] = [CoinGeckoPro, CoinMarketCap, EtherscanKey, CryptoCompare]
    assert all(map(plans.tells_plan, telling))


def test_etherscan_rests_as_long_as_its_words_say() -> None:
    for words, wait in [
        ("Max calls per sec rate limit reached (3/sec)", 1),
        ("Max daily rate limit reached. 100000 (100%) of 100000 day/limit", 3600),
        ("Max rate limit reached, please use API Key for higher rate limit", None),
    ]:
        with pytest.raises(Throttled) as caught:
            adapt(Etherscan, {"status": "0", "message": "NOTOK", "result": words})[0].ping()
        assert caught.value.wait == wait


# -- What is kept of it ------------------------------------------------------------------------


def of_key(*windows: tuple[float, float]) -> list[dict[str, Any]]:
    return [{"limit": limit, "per_s": per_s, "scope": "key"} for limit, per_s in windows]


@pytest.fixture
def own(upstreams: Upstreams, db: None) -> Credential:
    limits = of_key((30, 60), (333, DAY_S), (10_000, MONTH_S))
    row = Credential(provider=upstreams.provider("a", Keyed, limits=limits), label="mine")
    row.set_key("the-key-of-this-test")
    row.save()
    return row


def windows(own: Credential) -> list[tuple[float, float]]:
    found = Credential.objects.select_related("provider").get(pk=own.pk)
    return [(window.limit, window.per_s) for window in found.guard.windows]


def test_a_plan_sets_the_windows_of_its_key_alone(own: Credential) -> None:
    other = Credential(provider=own.provider, label="other")
    other.set_key("another-key")
    other.save()
    plans.keep(own, [Allowance(60, 60, 1, 30, "Hobby"), Allowance(120_000, MONTH_S, 41, None, "")])
    assert windows(own) == [(60, 60), (120_000, MONTH_S)]
    assert windows(other) == [(30, 60), (333, DAY_S), (10_000, MONTH_S)]
    own.refresh_from_db()
    assert own.plan == "Hobby"


def test_a_limit_that_makes_no_sense_is_not_kept(own: Credential) -> None:
    plans.keep(own, [Allowance(0, 60, None, None, None)])
    assert windows(own) == [(30, 60), (333, DAY_S), (10_000, MONTH_S)]


def test_a_key_that_is_spent_by_others_is_not_asked_with(
    own: Credential, upstreams: Upstreams
) -> None:
    plans.keep(own, [Allowance(1000, DAY_S, 1000, 3600, None)])
    with pytest.raises(OutOfTokens) as caught:
        call(own.provider, GasQuery(), Deadline(5))
    assert caught.value.wait == pytest.approx(3600, rel=0.1)
    assert upstreams.asked == []


def test_another_key_has_another_plan(own: Credential) -> None:
    plans.keep(own, [Allowance(60, 60, None, None, "Hobby")])
    own.set_key("a-new-key")
    own.save()
    assert windows(own)[0] == (30, 60)


def test_headers_that_tell_other_limits_set_them(
    own: Credential, upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    def readings(cls: Any, headers: Mapping[str, str]) -> list[Reading]:
        return [Reading(60, limit=float(headers["X-Limit"]), remaining=5)]

    monkeypatch.setattr(Keyed, "readings", classmethod(readings))

    def ask(limit: int) -> None:
        upstreams.play["a"] = lambda a: Said(200, usual(a).body, {"X-Limit": str(limit)})
        roster.forget()
        call(Provider.objects.get(), GasQuery(), Deadline(5))

    ask(30)
    own.refresh_from_db()
    assert own.plan_limits == []
    ask(500)
    assert windows(own)[0] == (500, 60)
    ask(700)
    assert windows(own)[0] == (500, 60), "a header that changes each time is believed now and then"
    Credential.objects.update(plan_read_at=now() - timedelta(minutes=11))
    ask(700)
    assert windows(own)[0] == (700, 60)


# -- The task, in front of the sandbox ---------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_plans_are_read_when_they_are_due(shipped: None, settings: Any) -> None:
    keyed = ("coingecko_pro", "coinmarketcap", "cryptocompare", "etherscan")
    Provider.objects.exclude(slug__in=keyed).update(enabled=False)
    for slug in keyed:
        row = Credential(provider=Provider.objects.get(slug=slug), label="of a test")
        row.set_key("sandbox-of-mine")
        row.save()
    with running(Sandbox()) as url:
        settings.SANDBOX, settings.SANDBOX_URL = True, url
        roster.forget()
        said = tasks.read_plans()
        assert said.count(": read") == 4, said
        assert tasks.read_plans() == "no plan to read"
    found = {row.provider.slug: row for row in Credential.objects.select_related("provider")}
    assert {slug: row.plan for slug, row in found.items()} == dict.fromkeys(keyed, "") | {
        "coingecko_pro": "Analyst"
    }
    seen = {slug: windows(row) for slug, row in found.items()}
    assert seen["coingecko_pro"] == [(500, 60), (500_000, MONTH_S)]
    assert seen["coinmarketcap"] == [(30, 60), (10_000, MONTH_S)]
    assert seen["etherscan"] == [(3, 1), (100_000, DAY_S)]
    assert seen["cryptocompare"][-1:] == [(100_000, MONTH_S)]
    assert calls.flush()
    assert set(Call.objects.values_list("purpose", flat=True)) == {"plan"}
    usage.forget()
    quotas = usage.quotas()[found["coingecko_pro"].guard_name]
    assert [quota.used for quota in quotas] == [104]


# -- Whatever they say -------------------------------------------------------------------------

JUNK: tuple[Any, ...] = (None, "", "x", "NaN", -1, 1.5, 10**50, [], {}, True, "99:99", "<b>")
SAID = (
    (CoinGeckoPro, GECKO),
    (CoinMarketCap, CMC),
    (EtherscanKey, ETHERSCAN),
    (CryptoCompare, COMPARE),
)


def leaves(value: Any, way: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(value, dict):
        return [way]
    return [way, *(leaf for name, inner in value.items() for leaf in leaves(inner, (*way, name)))]


def spoiled(value: Any, way: tuple[str, ...], junk: Any) -> Any:
    if not way:
        return junk
    return value | {way[0]: spoiled(value[way[0]], way[1:], junk)}


@pytest.mark.parametrize(("adapter", "payload"), SAID, ids=lambda value: getattr(value, "name", ""))
def test_a_spoiled_word_is_garbled_or_an_allowance_all_the_same(
    adapter: Any, payload: dict[str, Any]
) -> None:
    read = 0
    for way in leaves(payload)[1:]:
        for junk in JUNK:
            try:
                rows = told(adapter, spoiled(payload, way, junk))
            except (*UNREADABLE, ProviderError):
                continue
            read += 1
            assert rows
            for row in rows:
                assert row.limit >= 0
                assert row.per_s in (1, 60, 3600, DAY_S, MONTH_S)
                assert row.used is None or row.used >= 0
    assert read, "nothing but an error page was ever read"
