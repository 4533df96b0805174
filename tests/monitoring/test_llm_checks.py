"""How language models are checked: for free where that says something, and else within a budget."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from monitoring import cycle, probing, readings, roll, scheduling
from monitoring.health import Finding
from monitoring.models import Endpoint, Plan
from monitoring.probing import Found, Task
from monitoring.ranking import get_healthiest_provider
from providers import calls, roster
from providers.client import call
from providers.health import Health, Kind
from providers.models import Call, Provider
from tests.monitoring.test_cycle import Calendar
from tests.providers.language import KEY, RETIRED, ROWS, Hosts, asked, hosts, patience

pytestmark = pytest.mark.django_db(transaction=True)

LISTS_TO_ALL = ("nvidia", "huggingface_router")


@pytest.fixture
def world(settings: Any) -> Iterator[Hosts]:
    with hosts(settings) as found:
        yield found


def look(row: Provider, generations: int = 0) -> Found:
    roster.forget()
    calls.flush()
    moment = now()
    found = probing.look(Task(row, 5, moment - timedelta(minutes=5), generations), moment)
    calls.flush()
    return found


def posts(world: Hosts, row: Provider) -> int:
    host = row.address.split("://")[1].split("/")[0]
    return sum(line["method"] == "POST" for line in world.sandbox.log.last(99, host))


@pytest.mark.parametrize(
    "slug", ["groq", "openrouter", "anthropic", "gemini", "deepseek", "mistral"]
)
def test_a_list_or_a_key_is_asked_for_and_nothing_is_written(world: Hosts, slug: str) -> None:
    row = world.row(slug)
    found = look(row)
    assert (found.finding, found.reached, found.key_accepted) == (Finding.GOOD, True, True)
    assert posts(world, row) == 0


@pytest.mark.parametrize("slug", LISTS_TO_ALL)
def test_a_list_that_everybody_may_read_proves_no_key(world: Hosts, slug: str) -> None:
    row = world.row(slug, key="a-key-of-somebody-else")
    found = look(row)
    assert (found.finding, found.reached, found.key_accepted) == (Finding.GOOD, True, None)
    found = look(row, generations=1)
    assert (found.finding, found.key_accepted, found.reached) == (Finding.OURS, False, True)


def test_a_small_answer_proves_the_key_within_its_budget_of_the_day(world: Hosts) -> None:
    row = world.row("nvidia")
    assert look(row, generations=2).key_accepted is True
    assert posts(world, row) == 1
    for _ in range(3):
        assert look(row, generations=2).finding is Finding.GOOD
    assert posts(world, row) == 1, "the next one is due in twelve hours"
    Call.objects.filter(dataset="completion").update(at=now() - timedelta(hours=13))
    look(row, generations=2)
    assert posts(world, row) == 2
    Call.objects.filter(dataset="completion").update(at=now() - timedelta(hours=13))
    look(row, generations=2)
    assert posts(world, row) == 2, "two in one day are its budget"


def test_where_a_visitor_was_answered_none_is_asked_for(world: Hosts) -> None:
    row = world.row("nvidia")
    call(row, asked(), patience(), purpose="visitor")
    calls.flush()
    Call.objects.update(at=now() - timedelta(minutes=20))
    look(row, generations=1)
    assert posts(world, row) == 1


def test_a_budget_of_nothing_spends_nothing(world: Hosts) -> None:
    row = world.row("groq")
    look(row, generations=0)
    assert posts(world, row) == 0


def test_each_key_has_a_budget_of_its_own(world: Hosts) -> None:
    row = world.row("groq")
    world.key(row, "two", "sandbox-two")
    for _ in range(4):
        look(row, generations=1)
    labels = Call.objects.filter(dataset="completion").values_list("credential__label", flat=True)
    assert sorted(labels) == ["one", "two"]


@pytest.mark.parametrize(
    ("status", "finding", "key_accepted"),
    [
        (402, Finding.OURS, False),
        (403, Finding.OURS, False),
        (429, Finding.LIMITED, None),
        (500, Finding.PARTIAL, None),
        (529, Finding.PARTIAL, None),
    ],
)
def test_who_lists_its_models_and_does_not_answer(
    world: Hosts, status: int, finding: Finding, key_accepted: bool | None
) -> None:
    from providers.sandbox.faults import Rule

    row = world.row("groq")
    path = "/openai/v1/chat"
    world.sandbox.rules.add(Rule("api.groq.com", f"status={status}", path=path))
    found = look(row, generations=1)
    assert (found.finding, found.reached) == (finding, True)
    if key_accepted is not None:
        assert found.key_accepted is key_accepted


def test_an_unpaid_bill_stays_ours_while_its_key_rests(world: Hosts) -> None:
    row = world.row("groq")
    world.spoil(row, "status=402", times=1)
    assert look(row).finding is Finding.OURS
    again = look(row)
    assert (again.finding, again.reason) == (Finding.OURS, "wants to be paid first")
    assert 80_000 < (again.wait_s or 0) <= 86_400


def test_a_throttled_key_is_limited_while_it_rests(world: Hosts) -> None:
    row = world.row("groq")
    world.spoil(row, "status=429", times=1)
    assert look(row).finding is Finding.LIMITED
    assert look(row).finding is Finding.LIMITED


def test_a_model_that_left_the_list_is_a_partial_failure(world: Hosts) -> None:
    row = world.row("groq", options={"dialect": "groq", "model": "gone-since-june"})
    found = look(row)
    assert (found.finding, found.outcome, found.reached) == (Finding.PARTIAL, "model_gone", True)
    assert "gone-since-june" in found.reason


def test_a_relay_is_asked_for_a_small_answer_each_quarter_of_an_hour(world: Hosts) -> None:
    row = world.row("g4f_groq", limits=Provider.objects.get(slug="g4f_groq").limits)
    found = look(row)
    assert (found.finding, found.reached) == (Finding.GOOD, True)
    assert posts(world, row) == 1
    assert scheduling.affordable_s(row, 300, 5) == 900


def test_a_trial_key_is_looked_at_seldom(world: Hosts) -> None:
    row = world.row("cohere", limits=Provider.objects.get(slug="cohere").limits)
    (key,) = roster.current().keys_of(row)
    assert scheduling.affordable_s(row, 300, 5, key) == pytest.approx(2592000 / 1000 / 0.05)


def test_how_long_a_text_takes_makes_nobody_slow(world: Hosts) -> None:
    row = world.row("groq")
    Call.objects.bulk_create(
        Call(
            provider=row,
            dataset="completion",
            outcome="ok",
            seconds=20,
            at=now(),
            purpose="visitor",
        )
        for _ in range(9)
    )
    found = look(row)
    assert (found.finding, found.p95_ms, found.response_time_ms) == (Finding.GOOD, None, None)
    assert found.key_accepted is True


@pytest.mark.parametrize("slug", [*RETIRED, "g4f", "google"])
def test_who_is_off_says_why(world: Hosts, slug: str) -> None:
    row = Provider.objects.get(slug=slug)
    found = look(row)
    assert found.finding is Finding.OFF
    assert len(found.reason) > len("switched off")
    if slug in RETIRED:
        assert found.reason.startswith("retired: ")
        Provider.objects.filter(slug=slug).update(enabled=True)
        assert look(Provider.objects.get(slug=slug)).reason == "retired"


def test_the_routes_tell_language_models_apart(world: Hosts, client: Client) -> None:
    for slug in ("groq", "gemini"):
        world.row(slug)
    Provider.objects.filter(slug="mistral").update(enabled=True)
    roster.forget()
    calendar = Calendar()
    cycle.run(calendar)
    calendar.tick(minutes=10)
    cycle.run(calendar)
    readings.forget()
    assert set(Health.objects.values_list("kind", flat=True)) == {Kind.LLM}
    told = client.get("/api/providers/status?kind=llm").json()["providers"]
    assert set(told) == {*ROWS, *RETIRED}
    assert (told["groq"]["endpoint_up"], told["groq"]["credential_valid"]) == (True, True)
    assert (told["mistral"]["status"], told["mistral"]["reason"]) == ("disabled", "no key")
    choice = get_healthiest_provider(kind="llm", dataset="completion")
    assert choice.name in ("groq", "gemini")
    best = client.get("/api/providers/best?kind=llm").json()
    assert best["best_provider"] in ("groq", "gemini")
    stats = client.get("/api/providers/groq/stats").json()
    limits = {(limit["metric"], limit["window_s"]): limit for limit in stats["rate_limits"]}
    assert limits["requests", 86400]["limit"] == 14400
    assert limits["requests", 86400]["source"] == "header"
    assert KEY not in str(stats)
    assert client.get("/status").status_code == 200


def test_the_budget_is_the_plans_unless_the_endpoint_says_otherwise(world: Hosts) -> None:
    row = world.row("nvidia")
    roll.sync()
    Plan(generations_per_day=0).save()
    calendar = Calendar()
    cycle.run(calendar)
    assert posts(world, row) == 0
    Endpoint.objects.filter(health__name="nvidia").update(generations_per_day=4, next_due=None)
    calendar.tick(minutes=10)
    cycle.run(calendar)
    assert posts(world, row) == 1
