"""Each provider of language models as it is asked through the real way out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from providers import observed, roster, streaming
from providers.client import call
from providers.datasets import PingQuery
from providers.datasets.completions import CompletionQuery, joined
from providers.errors import (
    BadKey,
    Broken,
    Busy,
    Garbled,
    ModelGone,
    NoCredit,
    NoKey,
    NotAllowed,
    ProviderError,
    Rejected,
    Throttled,
    TimedOut,
    Unsupported,
)
from providers.models import Call, Provider
from tests.providers.language import FACTS, ROWS, Hosts, asked, hosts, patience

pytestmark = pytest.mark.django_db

MODELS = {"vllm": "local/model"}  # whose row names none
SCHEMA = {
    "type": "object",
    "properties": {"intent": {"enum": ["NEWS", "PRICE_QUERY"]}, "sure": {"type": "number"}},
    "required": ["intent", "sure"],
}


@pytest.fixture
def world(settings: Any) -> Iterator[Hosts]:
    with hosts(settings) as found:
        yield found


def query(slug: str, text: str = FACTS, **more: Any) -> CompletionQuery:
    return asked(text, model=more.pop("model", MODELS.get(slug)), **more)


@pytest.mark.parametrize("slug", [row for row in ROWS if row != "g4f_grok"])
def test_it_answers_whole_and_in_pieces_and_tells_the_tokens(world: Hosts, slug: str) -> None:
    row = world.row(slug)
    call(row, PingQuery(), patience())
    (whole,) = call(row, query(slug, max_tokens=200), patience()).rows
    assert "86106.50" in whole.text
    assert whole.finish_reason == "stop"
    assert whole.prompt_tokens > 0
    assert whole.completion_tokens > 0
    pieces = list(streaming.stream(row, query(slug, max_tokens=200), patience()))
    assert len(pieces) > 5
    again = joined(pieces)
    assert (again.text, again.finish_reason) == (whole.text, whole.finish_reason)
    if row.options.get("dialect") not in ("mistral", "gemini", "g4f", "g4f_key"):
        assert again.completion_tokens == whole.completion_tokens


@pytest.mark.parametrize("slug", [row for row in ROWS if row != "g4f_grok"])
def test_a_schema_is_asked_for_in_its_own_way(world: Hosts, slug: str) -> None:
    row = world.row(slug)
    (found,) = call(row, query(slug, "What is the price?", schema=SCHEMA), patience()).rows
    if row.adapter_name != "openai_compatible" or row.adapter_class.dialect.json == "schema":  # type: ignore[attr-defined]
        assert json.loads(found.text) == {"intent": "PRICE_QUERY", "sure": 0.75}


@pytest.mark.parametrize("slug", ["groq", "gemini", "anthropic", "cohere", "ollama"])
def test_an_answer_may_be_cut(world: Hosts, slug: str) -> None:
    (found,) = call(world.row(slug), query(slug, max_tokens=5), patience()).rows
    assert found.finish_reason == "length"
    assert len(found.text) < 40


KEYED = ["groq", "openrouter", "nvidia", "huggingface_router", "mistral", "gemini", "anthropic"]
KEYED += ["cohere", "openai", "cerebras", "together", "deepseek"]


@pytest.mark.parametrize("slug", KEYED)
def test_a_key_that_is_refused_is_set_aside_and_the_next_is_used(world: Hosts, slug: str) -> None:
    row = world.row(slug, key="a-key-of-somebody-else")
    with pytest.raises(NoKey):
        call(row, query(slug), patience())
    assert "accepted" in row.credentials.get().set_aside_reason
    world.key(row, "two", "sandbox-two")
    (found,) = call(row, query(slug), patience()).rows
    assert found.text


@pytest.mark.parametrize("slug", ["cohere", "gemini", "groq", "openrouter", "deepseek"])
def test_a_free_question_tells_a_bad_key(world: Hosts, slug: str) -> None:
    row = world.row(slug, key="a-key-of-somebody-else")
    with pytest.raises(NoKey):
        call(row, PingQuery(), patience())


@pytest.mark.parametrize("slug", ["openrouter", "nvidia", "gemini", "anthropic", "cohere", "groq"])
@pytest.mark.parametrize(
    ("status", "meant"),
    [
        (400, Rejected),
        (402, NoCredit),
        (403, NotAllowed),
        (413, Rejected),
        (422, Rejected),
        (429, Throttled),
        (500, Broken),
        (502, Broken),
        (503, ProviderError),
        (529, Busy),
    ],
)
def test_a_status_means_the_same_whoever_says_it(
    world: Hosts, slug: str, status: int, meant: type[ProviderError]
) -> None:
    row = world.row(slug)
    world.spoil(row, f"status={status}")
    with pytest.raises(meant):
        call(row, query(slug), patience())
    row.guard.reset()
    for credential in roster.current().keys_of(row):
        credential.guard.reset()
    with pytest.raises(meant):
        streaming.stream(row, query(slug), patience())


@pytest.mark.parametrize("slug", ["groq", "gemini", "anthropic", "cohere", "huggingface_router"])
def test_a_model_that_is_not_served_is_not_the_provider_that_is_ill(
    world: Hosts, slug: str
) -> None:
    row = world.row(slug)
    with pytest.raises(ModelGone):
        call(row, query(slug, model="no-such-model"), patience())
    assert row.guard.standing().circuit.failures == 0


def test_an_account_that_may_not_ask_a_model_keeps_its_key(world: Hosts) -> None:
    row = world.row("nvidia")
    with pytest.raises(NotAllowed):
        call(row, query("nvidia", model="no-such-model"), patience())
    assert row.credentials.get().set_aside_at is None


def test_the_model_of_the_row_that_is_listed_no_more_is_noticed_for_free(world: Hosts) -> None:
    row = world.row("groq", options={"dialect": "groq", "model": "gone-since-june"})
    with pytest.raises(ModelGone):
        call(row, PingQuery(), patience())


def test_tokens_that_are_no_numbers_are_unknown(world: Hosts) -> None:
    row = world.row("groq")
    world.spoil(row, "types")
    (found,) = call(row, query("groq", "Say something"), patience()).rows
    assert found.text
    assert (found.prompt_tokens, found.completion_tokens) == (None, None)


@pytest.mark.parametrize("fault", ["html", "malformed", "truncate"])
@pytest.mark.parametrize("slug", ["groq", "gemini", "anthropic", "cohere"])
def test_what_is_no_answer_is_garbled(world: Hosts, slug: str, fault: str) -> None:
    row = world.row(slug)
    world.spoil(row, fault)
    with pytest.raises(Garbled):
        call(row, query(slug), patience())
    row.guard.reset()
    with pytest.raises(Garbled):
        list(streaming.stream(row, query(slug), patience()))


def test_a_slow_one_is_given_up_at_the_deadline(world: Hosts) -> None:
    row = world.row("groq", timeout_s=0.3)
    world.spoil(row, "delay=5")
    with pytest.raises(TimedOut):
        call(row, query("groq"), patience())
    row.guard.reset()
    with pytest.raises(TimedOut):
        streaming.stream(row, query("groq"), patience())


def test_an_answer_that_drips_is_given_up_in_the_middle(world: Hosts) -> None:
    row = world.row("groq", timeout_s=3)
    world.spoil(
        row, "drip=0.006"
    )  # seconds a byte: the first piece is there in time, the end is not
    pieces = streaming.stream(row, query("groq"), patience())
    assert next(pieces) is not None
    with pytest.raises(TimedOut):
        list(pieces)


def test_who_leaves_early_blames_nobody(world: Hosts) -> None:
    from providers import calls

    row = world.row("groq")
    pieces = streaming.stream(row, query("groq"), patience())
    next(pieces)
    pieces.close()
    calls.flush()
    assert Call.objects.get().outcome == "cancelled"
    assert row.guard.standing().circuit.failures == 0
    (found,) = call(row, query("groq"), patience()).rows
    assert found.text


def test_a_paid_question_is_never_sent_twice(world: Hosts) -> None:
    row = world.row("groq", attempts=5)
    world.spoil(row, "reset")
    with pytest.raises(ProviderError):
        call(row, query("groq"), patience())
    assert len(world.sandbox.log.last(10, "api.groq.com")) == 1


@pytest.mark.parametrize(
    ("slug", "limits"),
    [
        ("groq", {("requests", 86400.0): 14400, ("tokens", 60.0): 6000}),
        ("cerebras", {("requests", 86400.0): 2400, ("tokens", 60.0): 30000}),
        ("openai", {("requests", None): 500, ("tokens", None): 200000}),
        ("together", {("requests", None): 60, ("tokens", None): 60000}),
        ("anthropic", {("requests", 60.0): 50, ("input_tokens", 60.0): 50000}),
        ("deepseek", {}),
    ],
)
def test_what_it_says_of_its_limits_is_kept_in_one_form(
    world: Hosts, slug: str, limits: dict[tuple[str, float | None], float]
) -> None:
    row = world.row(slug)
    for _ in range(3):
        call(row, query(slug), patience())
    found = observed.known(row)
    assert {(one.metric, one.window_s): one.limit for one in found} == limits
    assert {one.credential for one in found} <= {"one"}
    requests = [one for one in found if one.metric == "requests"]
    assert all(one.used_per_s and one.source == "header" for one in requests)


def test_openrouter_tells_its_credit_at_no_cost(world: Hosts) -> None:
    row = world.row("openrouter")
    call(row, PingQuery(), patience())
    found = {one.metric: one for one in observed.known(row)}
    assert (found["credits"].limit, found["credits"].remaining) == (10, 9.75)
    assert found["credits"].source == "quota_api"
    assert (found["requests"].limit, found["requests"].remaining) == (50, 47)


def test_an_allowance_of_nothing_is_no_throttling(world: Hosts) -> None:
    from providers.adapters.base import Reply
    from providers.errors import QuotaSpent

    mistral = world.row("mistral").adapter_class
    reply = Reply(429, {"x-ratelimit-limit-req-minute": "0"}, b'{"message":"Rate limit exceeded"}')
    error = mistral.diagnose(reply)
    assert type(error) is QuotaSpent
    assert error.wait == 86400


def test_without_a_model_nobody_is_asked(world: Hosts) -> None:
    row = world.row("vllm")
    with pytest.raises(Unsupported):
        call(row, asked(), patience())
    assert not world.sandbox.log.last(1, "127.0.0.1:8000")


def test_no_word_of_a_question_is_in_its_key() -> None:
    one, other = asked("my secret plan"), asked("another plan")
    assert "secret" not in one.key
    assert one.key == asked("my secret plan").key != other.key


@pytest.mark.parametrize(
    "options",
    [{"dialect": "klingon"}, {"model": "../../etc"}, {"model": 7}, {"colour": "red"}, [], "groq"],
)
def test_options_that_make_no_sense_are_refused_by_name(world: Hosts, options: Any) -> None:
    from django.core.exceptions import ValidationError

    row = Provider.objects.get(slug="groq")
    row.options = options
    with pytest.raises(ValidationError) as refused:
        row.full_clean()
    assert set(refused.value.message_dict) == {"options"}


def test_a_key_that_was_refused_is_not_in_the_reason(world: Hosts) -> None:
    row = world.row("groq", key="gsk_made-up-and-not-a-key")
    with pytest.raises(NoKey):
        call(row, query("groq"), patience())
    assert "gsk_" not in row.credentials.get().set_aside_reason


def test_bad_keys_and_spent_quotas_are_told_apart() -> None:
    assert not issubclass(NoCredit, BadKey)
