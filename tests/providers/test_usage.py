from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils.timezone import now

from providers import calls, purposes, roster, tallies, usage
from providers.client import call
from providers.datasets import GasQuery
from providers.errors import Broken, OutOfTokens, PlanLimit
from providers.models import Call, Credential, Provider
from providers.quota import DAY_S, Quota
from providers.resilience import Circuit, Deadline
from providers.tallies import Tally, hour_of
from providers.usage import Subject
from tests.upstreams import Asked, Keyed, Said, Upstreams, usual

pytestmark = pytest.mark.django_db

MONTH_S = 30 * DAY_S
A_DAY = [{"limit": 100, "per_s": DAY_S, "burst": 100}]
A_DAY_OF_A_KEY = [{"limit": 100, "per_s": DAY_S, "burst": 100, "scope": "key"}]


def key(provider: Provider, label: str = "mine", **fields: Any) -> Credential:
    row = Credential(provider=provider, label=label, **fields)
    row.set_key(f"the-{label}-key")
    row.save()
    return row


def used(provider: Provider, cost: float, own: Credential | None = None, hours: int = 0) -> None:
    """So much was spent so many hours ago."""
    hour = hour_of(now() - timedelta(hours=hours))
    Tally.objects.create(provider=provider, key=own.pk if own else 0, hour=hour, cost=cost)


def quota(provider: Provider, own: Credential | None = None) -> Quota:
    subject = Subject(provider, own)
    [found] = usage.quotas_of([subject])[subject.name]
    return found


def anew() -> None:
    roster.forget()
    usage.forget()


def ask(provider: Provider, **more: Any) -> Any:
    anew()
    return call(Provider.objects.get(pk=provider.pk), GasQuery(), Deadline(5), **more)


# -- What is counted ---------------------------------------------------------------------------


def test_every_call_is_counted_by_key_and_hour(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", Keyed)
    own = key(provider)
    for _ in range(3):
        ask(provider)
    assert calls.flush()
    ask(provider)
    assert calls.flush()
    tallies = Tally.objects.filter(key=own.pk)
    assert sum(tally.calls for tally in tallies) == Call.objects.count() == 4
    assert sum(tally.cost for tally in tallies) == 4


def test_what_could_not_be_written_is_not_counted_twice(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(upstreams.provider("a"))
    add = tallies.add

    def out(batch: Any) -> None:
        add(batch)
        raise DatabaseError("gone")

    monkeypatch.setattr(tallies, "add", out)
    assert not calls.flush()
    assert (Tally.objects.count(), Call.objects.count()) == (0, 0)
    monkeypatch.setattr(tallies, "add", add)
    assert calls.flush()
    assert Tally.objects.get().calls == Call.objects.count() == 1


def test_a_window_counts_what_lies_in_it(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", limits=A_DAY)
    used(provider, 50, hours=30)
    used(provider, 20, hours=20)
    used(provider, 10)
    found = quota(provider)
    assert found.used == pytest.approx(30)
    assert found.left == pytest.approx(70)


def test_of_the_hour_in_which_a_window_begins_a_part_counts(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", limits=A_DAY)
    used(provider, 60, hours=24)
    part = 1 - (now() - hour_of(now())).total_seconds() / 3600
    assert quota(provider).used == pytest.approx(60 * part, abs=0.5)


def test_an_address_counts_all_keys_and_a_key_itself_alone(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", Keyed, limits=[*A_DAY, *A_DAY_OF_A_KEY])
    one, two = key(provider, "one"), key(provider, "two")
    used(provider, 10, one)
    used(provider, 5, two)
    assert [quota(provider, who).used for who in (None, one, two)] == [15, 10, 5]


def test_windows_shorter_than_an_hour_are_no_quotas(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", limits=[{"limit": 30, "per_s": 60}])
    assert usage.quotas_of([Subject(provider)]) == {}


def test_the_pace_of_a_month_is_that_of_its_last_day(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", limits=[{"limit": 3000, "per_s": MONTH_S}])
    used(provider, 500, hours=200)
    used(provider, 240, hours=10)
    found = quota(provider)
    assert found.used == 740
    assert found.pace == pytest.approx(240 / DAY_S)
    assert found.ends_in_s == pytest.approx(2260 / 240 * DAY_S)


def test_the_pace_of_who_is_new_is_not_stretched_over_a_day(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", limits=[{"limit": 3000, "per_s": MONTH_S}])
    used(provider, 60, hours=2)
    minutes = now().minute + 120
    assert quota(provider).pace == pytest.approx(60 / (minutes * 60), rel=0.02)


def test_what_the_provider_told_counts_where_it_is_more(upstreams: Upstreams) -> None:
    """Others may use the same key."""
    provider = upstreams.provider("a", Keyed, limits=A_DAY_OF_A_KEY)
    own = key(provider)
    ask(provider)
    told = [{"limit": 500, "per_s": DAY_S, "used": 400, "resets_at": None}]
    Credential.objects.update(plan_limits=told, plan_read_at=now())
    ask(provider)
    ask(provider)
    assert calls.flush()
    own.refresh_from_db()
    found = quota(provider, own)
    assert (found.limit, found.used, found.resets_in_s) == (500, 402, None)


def test_what_was_told_of_a_period_that_is_over_counts_no_more(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", Keyed, limits=A_DAY_OF_A_KEY)
    own = key(provider)
    told: dict[str, Any] = {"limit": 500, "per_s": DAY_S, "used": 400}
    for seconds, expected in ((60, 400), (-60, 0)):
        own.plan_limits = [told | {"resets_at": (now() + timedelta(seconds=seconds)).isoformat()}]
        own.plan_read_at = now()
        assert quota(provider, own).used == expected


# -- What is warned of -------------------------------------------------------------------------


def test_it_is_said_once_that_a_quota_comes_to_its_end(
    upstreams: Upstreams, caplog: pytest.LogCaptureFixture
) -> None:
    provider = upstreams.provider("a", Keyed, limits=A_DAY_OF_A_KEY)
    own = key(provider)
    used(provider, 79, own)

    def warned() -> list[str]:
        caplog.clear()
        with caplog.at_level(logging.WARNING, "providers.usage"):
            anew()
            usage.quotas()
        return [record.getMessage() for record in caplog.records]

    assert warned() == []
    Tally.objects.update(cost=84)
    [said] = warned()
    assert said.startswith("a: key 'mine' has used 84 % of 100 in 1 day; at today's pace it ends")
    assert warned() == []
    Tally.objects.update(cost=75)
    assert warned() == []
    Tally.objects.update(cost=85)
    assert warned() == [], "it was never far from its end"
    Tally.objects.update(cost=10)
    assert warned() == []
    Tally.objects.update(cost=100)
    assert warned() == ["a: key 'mine' has used 100 % of 100 in 1 day: nothing is left"]


def test_without_a_database_calls_go_out_all_the_same(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = upstreams.provider("a", limits=A_DAY)
    roster.current()

    def out(*args: Any) -> Any:
        raise DatabaseError("gone")

    monkeypatch.setattr(usage, "quotas_of", out)
    assert usage.quotas() == {}
    ask(provider)


# -- Who steps back ----------------------------------------------------------------------------


def hurried(upstreams: Upstreams, cost: float) -> Provider:
    """A provider whose month ends early at today's pace."""
    provider = upstreams.provider("a", limits=[{"limit": 1000, "per_s": MONTH_S}])
    used(provider, cost)
    return provider


@pytest.mark.parametrize(
    ("spent", "held_back"),
    [(100, {"warming", "listing"}), (600, {"warming", "listing", "refresh"})],
)
def test_visitors_are_served_when_others_step_back(
    upstreams: Upstreams, spent: float, held_back: set[str]
) -> None:
    provider = hurried(upstreams, spent)
    refused: dict[str, tuple[str, float | None]] = {}
    for purpose in ("warming", "refresh", "listing", "visitor", "test"):
        provider.guard.reset()
        with purposes.serving(purpose):
            ask(provider)  # one is always let through
            try:
                ask(provider)
            except OutOfTokens as error:
                refused[purpose] = str(error), error.wait
    assert set(refused) == held_back
    assert all("others go first" in said and wait for said, wait in refused.values())


def test_visitors_share_what_is_left_of_the_last_fifth(upstreams: Upstreams) -> None:
    provider = hurried(upstreams, 900)
    ask(provider)
    with pytest.raises(OutOfTokens) as caught:
        ask(provider)
    assert caught.value.wait == pytest.approx(MONTH_S / 100 * 2, rel=0.02)
    ask(provider, purpose="test")  # somebody wants to see it now


def test_a_key_that_is_saved_is_passed_over_for_the_next(upstreams: Upstreams) -> None:
    limits = [{"limit": 1000, "per_s": MONTH_S, "scope": "key"}]
    provider = upstreams.provider("a", Keyed, limits=limits)
    used(provider, 900, key(provider, "one"))
    key(provider, "two", order=1)
    for _ in range(3):
        ask(provider)
    sent = [asked.key for asked in upstreams.asked]
    assert sent == ["the-one-key", "the-two-key", "the-two-key"]


# -- Plans and the limit over all --------------------------------------------------------------


def test_what_one_plan_lacks_the_next_key_is_asked_for(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = upstreams.provider("a", Keyed)
    poor, rich = key(provider, "poor"), key(provider, "rich", order=1)

    def diagnose(cls: Any, reply: Any) -> Any:
        return PlanLimit("not in this plan") if reply.status == 409 else None

    monkeypatch.setattr(Keyed, "diagnose", classmethod(diagnose))

    def behave(asked: Asked) -> Said:
        return usual(asked) if asked.key == "the-rich-key" else Said(409)

    upstreams.play["a"] = behave
    ask(provider)
    assert [asked.key for asked in upstreams.asked] == ["the-poor-key", "the-rich-key"]
    poor.refresh_from_db()
    assert poor.set_aside_at is None
    Credential.objects.filter(pk=rich.pk).update(enabled=False)
    with pytest.raises(PlanLimit):
        ask(provider)


def test_one_limit_counts_the_calls_of_all(upstreams: Upstreams, settings: Any) -> None:
    settings.GLOBAL_CALLS_PER_MINUTE = 4  # of which one may go out at once
    limits = [{"limit": 100, "per_s": 3600, "burst": 50}]
    one, two = (upstreams.provider(slug, limits=limits) for slug in "ab")
    ask(one)
    with pytest.raises(OutOfTokens, match="limit over all providers") as caught:
        ask(two)
    assert caught.value.wait == pytest.approx(20, abs=1)
    assert len(upstreams.asked) == 1
    standing = two.guard.standing()
    assert standing.circuit == Circuit()
    assert standing.tokens["3600"].level == pytest.approx(50), "what was not used is given back"
    settings.GLOBAL_CALLS_PER_MINUTE = 0
    ask(two)


def test_a_failure_of_one_does_not_rest_all(upstreams: Upstreams, settings: Any) -> None:
    settings.GLOBAL_CALLS_PER_MINUTE = 100
    upstreams.play["a"] = lambda asked: Said(500)
    with pytest.raises(Broken):
        ask(upstreams.provider("a"))
    ask(upstreams.provider("b"))


def test_a_dead_database_is_not_asked_again_at_once(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = upstreams.provider("a", limits=A_DAY)
    used(provider, 10)
    asked: list[Any] = []

    def out(*args: Any) -> Any:
        asked.append(args)
        raise DatabaseError("gone")

    anew()
    before = usage.quotas()
    monkeypatch.setattr(usage, "quotas_of", out)
    usage._quotas_now.outdate()
    assert [usage.quotas(), usage.quotas()] == [before, before]
    assert len(asked) == 1
