"""Language models are asked one after the other until one answers as it should."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from aggregator import completing
from aggregator.completing import AUTO, complete, offers, stream, well
from providers import roster
from providers.datasets.completions import joined
from providers.errors import (
    BadQuery,
    Garbled,
    NotFound,
    ProviderError,
    Unanswered,
)
from providers.health import Health, Kind
from providers.models import Call, Provider
from providers.resilience import Deadline
from providers.standing import Status
from tests.providers.language import Hosts, asked, hosts, patience

pytestmark = pytest.mark.django_db(transaction=True)

SCHEMA = {
    "type": "object",
    "properties": {"intent": {"enum": ["NEWS", "PRICE_QUERY"]}},
    "required": ["intent"],
    "additionalProperties": False,
}


@pytest.fixture
def world(settings: Any) -> Iterator[Hosts]:
    with hosts(settings) as found:
        yield found


@pytest.fixture
def two(world: Hosts) -> Hosts:
    world.row("groq")  # priority 90
    world.row("gemini")  # 80
    return world


def test_the_best_answers(two: Hosts) -> None:
    done = complete(asked(), patience())
    assert (done.provider, done.attempts) == ("groq", ())
    assert "86106.50" in done.completion.text


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("status=500", "broken"),
        ("status=401", "no_key"),
        ("status=402", "no_credit"),
        ("status=403", "not_allowed"),
        ("status=429", "throttled"),
        ("status=503", "busy"),
        ("html", "garbled"),
        ("malformed", "garbled"),
        ("reset", "unreachable"),
        ("delay=30", "timed_out"),
    ],
)
def test_when_it_fails_the_next_one_answers(two: Hosts, fault: str, outcome: str) -> None:
    groq = two.row("groq", timeout_s=0.5)
    two.spoil(groq, fault)
    done = complete(asked(), patience())
    assert done.provider == "gemini"
    assert [(a.provider, a.outcome) for a in done.attempts] == [("groq", outcome)]
    streamed = stream(asked(), patience())
    assert streamed.provider == "gemini"
    assert joined(streamed.chunks).text == done.completion.text


def test_when_nobody_answers_it_says_who_was_asked(two: Hosts) -> None:
    for slug in ("groq", "gemini"):
        two.spoil(two.row(slug), "status=500")
    with pytest.raises(Unanswered) as failed:
        complete(asked(), patience())
    assert {a.provider for a in failed.value.attempts} == {"groq", "gemini"}


def test_without_a_key_anywhere_it_says_that_keys_are_missing(world: Hosts) -> None:
    world.row("groq", key="")
    with pytest.raises(Unanswered, match="key"):
        complete(asked(), patience())


def test_the_schema_is_held_against_the_answer(two: Hosts) -> None:
    done = complete(asked("What is the price?", schema=SCHEMA), patience())
    assert done.value == {"intent": "PRICE_QUERY"}


def test_who_does_not_obey_it_is_passed_over(two: Hosts) -> None:
    two.row("groq", options={"dialect": "groq", "model": "rambler"})
    done = complete(asked("What is the price?", schema=SCHEMA), patience())
    assert (done.provider, done.value) == ("gemini", {"intent": "PRICE_QUERY"})
    assert [(a.provider, a.outcome) for a in done.attempts] == [("groq", "garbled")]


@pytest.mark.parametrize("schema", [{"type": "bananas"}, {"enum": 7}, {"x": "y" * 60_000}])
def test_what_is_no_schema_is_the_callers_fault(two: Hosts, schema: Any) -> None:
    with pytest.raises(BadQuery):
        complete(asked(schema=schema), patience())
    assert not two.sandbox.log.last(1)


def test_nothing_that_a_schema_refers_to_is_fetched() -> None:
    read = completing._checker({"$ref": "http://127.0.0.1:1/schema.json"})
    with pytest.raises(Garbled):
        read("{}")


def test_a_pattern_that_takes_for_ever_is_not_tried() -> None:
    read = completing._checker({"type": "string", "pattern": "^(a+)+$"})
    assert read('"' + "a" * 40 + '!"').endswith("!")


def test_json_in_a_fence_is_json() -> None:
    assert completing._checker(SCHEMA)('```json\n{"intent": "NEWS"}\n```') == {"intent": "NEWS"}


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        (None, "groq"),
        (AUTO, "groq"),
        ("gemini", "gemini"),
        ("gemini/gemini-3.5-flash", "gemini"),
        ("gemini-3.1-flash-lite", "gemini"),
        ("groq/openai/gpt-oss-20b", "groq"),
    ],
)
def test_a_model_is_named_with_its_provider_or_alone(
    two: Hosts, model: str | None, provider: str
) -> None:
    done = complete(asked(model=model), patience())
    assert done.provider == provider
    if model and "/" in model:
        assert done.completion.model == model.partition("/")[2]


@pytest.mark.parametrize("model", ["nobody/has-it", "gpt-9", "gemini/no-such-model", "mistral"])
def test_a_model_that_nobody_has_is_not_found(two: Hosts, model: str) -> None:
    with pytest.raises(NotFound):
        complete(asked(model=model), patience())


def test_who_was_not_meant_is_not_named_among_the_attempts(two: Hosts) -> None:
    two.spoil(two.row("gemini"), "status=500")
    with pytest.raises(Unanswered) as failed:
        complete(asked(model="gemini"), patience())
    assert [a.provider for a in failed.value.attempts] == ["gemini"]


def test_what_is_offered_is_what_may_be_asked(two: Hosts) -> None:
    two.row("vllm")  # whose row names no model
    assert [offer.name for offer in offers()] == [
        "groq/llama-3.1-8b-instant",
        "gemini/gemini-3.1-flash-lite",
    ]


def test_after_the_first_piece_a_failure_is_told_and_nobody_else_is_asked(two: Hosts) -> None:
    two.spoil(two.row("groq"), "truncate")
    streamed = stream(asked(), patience())
    assert streamed.provider == "groq"
    pieces: list[str] = []
    with pytest.raises(ProviderError):
        pieces.extend(chunk.text for chunk in streamed.chunks)
    assert "".join(pieces)
    assert not two.sandbox.log.last(9, "generativelanguage.googleapis.com")


def test_a_stream_goes_on_in_another_thread(two: Hosts) -> None:
    streamed = stream(asked(), patience())
    found = [next(streamed.chunks)]
    thread = threading.Thread(target=lambda: found.extend(streamed.chunks))
    thread.start()
    thread.join()
    assert "86106.50" in joined(found).text


def test_the_deadline_bounds_all_of_them_together(two: Hosts) -> None:
    for slug in ("groq", "gemini"):
        two.spoil(two.row(slug), "delay=30")
    deadline = Deadline(1.0)
    with pytest.raises(Unanswered):
        complete(asked(), deadline)
    assert deadline.left() < 0.5


def test_no_word_of_it_is_kept(two: Hosts, caplog: pytest.LogCaptureFixture) -> None:
    from providers import calls

    with caplog.at_level("DEBUG"):
        complete(asked("my secret plan"), patience())
    calls.flush()
    assert "secret plan" not in caplog.text
    assert "secret plan" not in str(list(Call.objects.values()))


# -- How they are, and whose -------------------------------------------------------------------


def judge(slug: str, how: Status) -> None:
    """What the checks have just found."""
    fields = {"status": how, "kind": Kind.LLM, "fresh_until": now() + timedelta(minutes=5)}
    row = Provider.objects.get(slug=slug)
    Health.objects.update_or_create(name=slug, defaults={"provider": row, **fields})
    roster.forget()


@pytest.mark.parametrize("how", [Status.DOWN, Status.MISCONFIGURED, Status.MAINTENANCE])
def test_who_is_ill_by_the_checks_is_asked_last(two: Hosts, how: Status) -> None:
    two.row("cohere")
    judge("groq", how)
    done = complete(asked(), patience())
    assert (done.provider, [(a.provider, a.outcome) for a in done.attempts]) == (
        "gemini",
        [("groq", "unwell")],
    )
    assert stream(asked(), patience()).provider == "gemini"
    for slug in ("gemini", "cohere"):
        two.spoil(two.row(slug), "status=500")
    assert complete(asked(), patience()).provider == "groq", "nobody else is left"


def test_who_is_degraded_comes_after_who_is_healthy(two: Hosts) -> None:
    judge("groq", Status.DEGRADED)
    judge("gemini", Status.HEALTHY)
    assert complete(asked(), patience()).provider == "gemini"


def test_well_is_who_answered_its_checks_lately(two: Hosts) -> None:
    assert well() == [], "nobody was checked yet"
    judge("groq", Status.DEGRADED)
    judge("gemini", Status.HEALTHY)
    with CaptureQueriesContext(connection) as found:
        roster.current()
        before = len(found)
        assert [offer.provider.slug for offer in well()] == ["groq", "gemini"]
        assert len(found) == before
    judge("groq", Status.DOWN)
    assert [offer.provider.slug for offer in well()] == ["gemini"]


def test_nobody_is_asked_but_those_it_is_meant_for(two: Hosts) -> None:
    assert complete(asked(), patience(), among={"gemini"}).provider == "gemini"
    two.spoil(two.row("gemini"), "status=500")
    with pytest.raises(Unanswered):
        complete(asked(), patience(), among={"gemini"})
    with pytest.raises(Unanswered):
        complete(asked(), patience(), among=())
    assert not two.sandbox.log.last(9, "api.groq.com")


def test_what_is_told_to_a_model_of_ones_own_stays_at_home(two: Hosts) -> None:
    two.row("ollama")
    two.row("vllm", options={"dialect": "g4f", "model": "gpt-4o-mini"})  # a relay, at home
    assert {o.provider.slug: o.is_own for o in offers()} == {
        "groq": False,
        "gemini": False,
        "ollama": True,
        "vllm": False,
    }
    two.row("ollama", options={"dialect": "ollama", "model": "gpt-oss:120b-cloud"})
    assert not any(offer.is_own for offer in offers())
