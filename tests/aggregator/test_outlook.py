from __future__ import annotations

import html
import re
from itertools import islice

import pytest
from django.test import Client as Browser
from hypothesis import given, settings

from aggregator import asking
from aggregator.outlook import Outlook, outlooks, prospects
from aggregator.selection import Candidate, rank
from providers import roster
from providers.datasets import GAS, NEWS
from providers.models import Call, Policy, Provider, Strategy
from tests.aggregator.test_selection import candidates, strategies
from tests.aggregator.test_strategies import aged, did
from tests.providers.operator import edit, errors_of
from tests.upstreams import Keyed, Upstreams

# -- Pure --------------------------------------------------------------------------------------


def told(strategy: str, *found: Candidate) -> list[tuple[str, float, str]]:
    return [(p.name, p.leads_percent, p.why) for p in prospects(strategy, found)]


@settings(max_examples=40, deadline=None)  # each plays a hundred turns
@given(strategies, candidates)
def test_everybody_is_shown_and_somebody_leads_each_question(
    strategy: str, found: list[Candidate]
) -> None:
    shown = prospects(strategy, found)
    assert sorted(p.name for p in shown) == sorted(c.name for c in found)
    assert sum(p.leads_percent for p in shown) == pytest.approx(100 if found else 0)
    assert all(p.why for p in shown)


@pytest.mark.parametrize("strategy", ["priority", "fastest", "freshest", "cheapest"])
@settings(max_examples=40, deadline=None)
@given(candidates)
def test_where_nothing_is_left_to_chance_the_order_is_the_one_that_is_asked(
    strategy: str, found: list[Candidate]
) -> None:
    shown = [p.name for p in prospects(strategy, found)]
    assert shown == [c.name for c in rank(strategy, found, 7)]


def test_each_strategy_says_why() -> None:
    a = Candidate("a", 90, failures=2, latency_s=0.3, weight=3, cost=0.0002, lately=did(9, 0.25))
    b = Candidate("b", 50, latency_s=1.2, resting=True)
    assert told("priority", a, b) == [
        ("a", 100, "priority 90, 2 failures in a row, 300 ms"),
        ("b", 0, "priority 50, 1,200 ms; rests, so it comes last"),
    ]
    assert told("fastest", a, b)[0] == ("a", 100, "250 ms lately")
    assert "1,200 ms over the day" in told("fastest", a, b)[1][2]
    assert told("weighted", a)[0][2] == "weight 3 of 3"
    assert told("cheapest", a)[0][2] == "0.0002 US dollars a call"
    assert told("cheapest", Candidate("c", cost=0.0))[0][2] == "0 US dollars a call"
    assert told("round_robin", a, Candidate("c"))[0] == ("a", 50, "one of 2 in the circle")
    old = Candidate("a", lately=aged(90))
    assert told("freshest", old)[0][2] == "its newest row was 1 min 30 s old on arrival"
    assert "253 ms until an answer: 100 % of recent" in told("adaptive", a)[0][2]


@pytest.mark.parametrize(
    ("strategy", "says"),
    [
        ("priority", "not asked for a day"),
        ("fastest", "counts as the median"),
        ("freshest", "nobody knows how old"),
        ("cheapest", "counts as dearest"),
        ("adaptive", "is a guess"),
    ],
)
def test_what_nobody_knows_is_said_to_be_unknown(strategy: str, says: str) -> None:
    assert says in told(strategy, Candidate("a"))[0][2]


def test_who_saves_the_last_of_its_budget_is_named() -> None:
    shown = told("priority", Candidate("a", 90, tokens_left=0.05), Candidate("b"))
    assert [name for name, _, _ in shown] == ["b", "a"]
    assert "saves the last of its budget" in shown[1][2]


# -- Of rows and cells -------------------------------------------------------------------------


def by_name(found: list[Outlook]) -> dict[str, Outlook]:
    return {str(outlook.strategy): outlook for outlook in found}


@pytest.mark.django_db
def test_the_chosen_strategy_comes_first_and_all_are_there(upstreams: Upstreams) -> None:
    for slug, priority in (("a", 10), ("b", 90)):
        upstreams.provider(slug, priority=priority)
    upstreams.provider("keyless", Keyed)
    Policy.objects.create(dataset="gas", strategy="fastest")
    rows = [Call(provider=Provider.objects.get(slug="a"), dataset="gas", outcome="ok", seconds=0.1)]
    rows += [Call(provider=Provider.objects.get(slug="b"), dataset="gas", outcome="ok", seconds=2)]
    Call.objects.bulk_create(rows)
    found = outlooks(GAS)
    assert [outlook.chosen for outlook in found] == [True] + [False] * (len(Strategy) - 1)
    assert {outlook.strategy for outlook in found} == set(Strategy)
    shown = {name: [p.name for p in o.prospects] for name, o in by_name(found).items()}
    assert shown["fastest"] == ["a", "b"]
    assert shown["priority"] == ["b", "a"]
    assert [o.strategy for o in outlooks(NEWS) if o.chosen] == ["priority"]


@pytest.mark.django_db
def test_to_look_uses_up_nobody_s_turn(upstreams: Upstreams) -> None:
    for slug in "abc":
        upstreams.provider(slug)
    Policy.objects.create(dataset="gas", strategy="round_robin")
    seen = []
    for _ in range(3):
        seen.append(asking.candidates(GAS)[0].slug)
        outlooks(GAS)
    assert sorted(seen) == ["a", "b", "c"]


# -- The page ----------------------------------------------------------------------------------


def text_of(browser: Browser, row: Policy) -> str:
    page = browser.get(f"/admin/providers/policy/{row.pk}/change/").content.decode()
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.mark.django_db
def test_the_page_of_a_policy_says_who_would_be_asked_and_why(
    admin_client: Browser, upstreams: Upstreams
) -> None:
    upstreams.provider("kind", priority=90, weight=1)
    upstreams.provider("plain", priority=10, weight=0)
    row = Policy.objects.create(dataset="gas", strategy="priority")
    shown = text_of(admin_client, row)
    assert "priority (saved): kind, plain" in shown
    assert "kind 100 % priority 90, not asked for a day" in shown
    assert "plain 0 % weight 0 of 1" in shown
    assert all(f"{name} " in shown for name in islice(Strategy.values, 2, None))
    row.strategy = "weighted"
    row.save()
    roster.forget()
    assert "weighted (saved): kind, plain" in text_of(admin_client, row)


@pytest.mark.django_db
def test_where_all_are_asked_at_once_the_page_says_so(
    admin_client: Browser, upstreams: Upstreams
) -> None:
    upstreams.provider("a")
    for dataset, merged in (("news", True), ("gas", False)):
        shown = text_of(admin_client, Policy.objects.create(dataset=dataset))
        assert ("asked at once" in shown) is merged


@pytest.mark.django_db
def test_without_anybody_to_ask_the_page_says_so(
    admin_client: Browser, upstreams: Upstreams
) -> None:
    upstreams.provider("off", enabled=False)
    row = Policy.objects.create(dataset="gas")
    assert "No provider that is enabled" in text_of(admin_client, row)
    Policy.objects.filter(pk=row.pk).update(dataset="gone")
    assert "Whom each strategy" not in text_of(admin_client, row)


@pytest.mark.django_db
def test_weight_and_cost_are_edited_and_nonsense_is_refused(
    admin_client: Browser, upstreams: Upstreams
) -> None:
    row = upstreams.provider("a")
    for wrong in ({"weight": "-1"}, {"weight": "1001"}, {"cost_per_call": "-1"}):
        assert set(errors_of(edit(admin_client, row, **wrong))) == set(wrong)
    edit(admin_client, row, weight="3", cost_per_call="0.0002")
    row.refresh_from_db()
    assert (row.weight, row.cost_per_call) == (3, 0.0002)
    edit(admin_client, row, cost_per_call="")
    row.refresh_from_db()
    assert row.cost_per_call is None
