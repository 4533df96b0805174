"""The official `openai` package, unchanged, against /v1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from django.test import Client as Browser
from openai import OpenAI

from aggregator import callers
from aggregator.models import Client
from tests.providers.language import FACTS, Hosts, hosts

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

SCHEMA = {
    "type": "object",
    "properties": {"intent": {"enum": ["NEWS", "PRICE_QUERY"]}},
    "required": ["intent"],
}
ASKED: list[Any] = [{"role": "user", "content": FACTS}]


@pytest.fixture
def world(settings: Any) -> Iterator[Hosts]:
    with hosts(settings) as found:
        found.row("groq")
        found.row("gemini")
        yield found


@pytest.fixture
def key() -> str:
    client = Client(name="a program")
    text = client.new_key()
    client.save()
    callers.forget()
    return text


@pytest.fixture
def program(world: Hosts, key: str, live_server: Any) -> OpenAI:
    return OpenAI(base_url=f"{live_server.url}/v1", api_key=key, max_retries=0, timeout=10)


def test_it_lists_models(program: OpenAI) -> None:
    found = [model.id for model in program.models.list()]
    assert found == ["auto", "groq/llama-3.1-8b-instant", "gemini/gemini-3.1-flash-lite"]
    assert program.models.retrieve("auto").owned_by == "aggregator"
    assert program.models.retrieve("groq/llama-3.1-8b-instant").owned_by == "groq"
    with pytest.raises(openai.NotFoundError):
        program.models.retrieve("groq/no-such")


def test_it_chats(program: OpenAI) -> None:
    found = program.chat.completions.create(model="auto", messages=ASKED, max_tokens=100)
    assert "86106.50" in (found.choices[0].message.content or "")
    assert found.choices[0].finish_reason == "stop"
    assert found.model == "groq/llama-3.1-8b-instant"
    assert found.usage
    assert found.usage.total_tokens == found.usage.prompt_tokens + found.usage.completion_tokens


def test_it_streams(program: OpenAI) -> None:
    whole = program.chat.completions.create(model="auto", messages=ASKED)
    stream = program.chat.completions.create(
        model="auto", messages=ASKED, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage == whole.usage
    assert len({chunk.id for chunk in chunks}) == 1


@pytest.mark.parametrize("model", ["gemini", "gemini/gemini-3.5-flash", "gemini-3.1-flash-lite"])
def test_a_model_is_asked_by_name(program: OpenAI, model: str) -> None:
    found = program.chat.completions.create(model=model, messages=ASKED)
    assert found.model.startswith("gemini/")


def test_json_obeys_its_schema(program: OpenAI) -> None:
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
    asked: list[Any] = [{"role": "user", "content": "What is the price?"}]
    found = program.chat.completions.create(model="auto", messages=asked, response_format=wanted)
    assert json.loads(found.choices[0].message.content or "") == {"intent": "PRICE_QUERY"}


def test_instructions_and_parts_are_understood(program: OpenAI) -> None:
    turns: list[Any] = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": FACTS}]},
    ]
    found = program.chat.completions.create(model="auto", messages=turns)
    assert "86106.50" in (found.choices[0].message.content or "")


def test_whoever_fails_before_the_first_word_is_replaced(program: OpenAI, world: Hosts) -> None:
    world.spoil(world.row("groq"), "status=500")
    stream = program.chat.completions.create(model="auto", messages=ASKED, stream=True)
    assert {chunk.model.partition("/")[0] for chunk in stream} == {"gemini"}


def test_whoever_fails_in_the_middle_is_an_error_of_the_api(program: OpenAI, world: Hosts) -> None:
    world.spoil(world.row("groq"), "truncate")
    stream = program.chat.completions.create(model="auto", messages=ASKED, stream=True)
    seen: list[Any] = []
    with pytest.raises(openai.APIError, match="broke off"):
        seen.extend(stream)
    assert len(seen) > 1


def test_a_wrong_key_and_none_are_no_way_in(world: Hosts, live_server: Any) -> None:
    stranger = OpenAI(base_url=f"{live_server.url}/v1", api_key="agg_wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        stranger.models.list()
    with pytest.raises(openai.AuthenticationError):
        stranger.chat.completions.create(model="auto", messages=ASKED)
    assert Browser().get("/v1/models").status_code == 401


def test_a_client_that_is_switched_off_is_told(program: OpenAI) -> None:
    Client.objects.update(enabled=False)
    callers.forget()
    with pytest.raises(openai.PermissionDeniedError):
        program.models.list()


def test_a_client_over_its_limit_waits(program: OpenAI) -> None:
    Client.objects.update(per_minute=1)
    callers.forget()
    program.models.list()
    with pytest.raises(openai.RateLimitError) as refused:
        program.models.list()
    assert int(refused.value.response.headers["retry-after"]) > 0


def test_when_all_of_them_are_throttled_it_is_a_rate_limit(program: OpenAI, world: Hosts) -> None:
    for slug in ("groq", "gemini"):
        world.spoil(world.row(slug), "status=429;retry_after=30")
    with pytest.raises(openai.RateLimitError) as refused:
        program.chat.completions.create(model="auto", messages=ASKED)
    assert "groq (throttled)" in str(refused.value)
    assert int(refused.value.response.headers["retry-after"]) >= 30


def test_when_nobody_answers_it_is_a_server_error(program: OpenAI, world: Hosts) -> None:
    for slug in ("groq", "gemini"):
        world.spoil(world.row(slug), "status=500")
    with pytest.raises(openai.InternalServerError) as refused:
        program.chat.completions.create(model="auto", messages=ASKED)
    assert refused.value.status_code == 503


def test_a_model_that_nobody_has_is_not_found(program: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        program.chat.completions.create(model="gpt-9", messages=ASKED)
    assert refused.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
         "messages[0].content"),
        ({"messages": [{"role": "user", "content": "x", "tool_calls": []}]},
         "messages[0].tool_calls"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": "x" * 200_001}]}, "messages"),
        ({"model": ""}, "model"),
        ({"model": None}, "model"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"n": 2}, "n"),
        ({"stream": "yes"}, "stream"),
        ({"stream": 1}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"tools": []}, "tools"),
        ({"response_format": {"type": "xml"}}, "response_format"),
        ({"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "x"}}}},
         "response_format"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(world: Hosts, key: str, more: dict[str, Any], param: str) -> None:
    body = {"model": "auto", "messages": ASKED} | more
    found = post(key, body)
    assert found.status_code == 400, found.content
    error = found.json()["error"]
    assert error["param"] == param
    assert param in error["message"] or "schema" in error["message"]
    assert not world.sandbox.log.last(1)


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "[" * 100_000])
def test_what_is_no_json_object_is_refused(world: Hosts, key: str, body: str) -> None:
    assert post(key, body).status_code == 400


def test_errors_have_one_shape_everywhere_below_v1(world: Hosts, key: str) -> None:
    sent = {"authorization": f"Bearer {key}"}
    for reply in (
        Browser().get("/v1/models"),
        Browser().get("/v1/embeddings"),
        Browser().get("/v1"),
        Browser().get("/v1/chat/completions", headers=sent),
    ):
        assert reply.status_code in (401, 404, 405)
        assert set(reply.json()["error"]) == {"message", "type", "param", "code"}


def test_who_leaves_in_the_middle_ends_the_call(world: Hosts, key: str) -> None:
    from providers import calls
    from providers.models import Call

    reply = post(key, {"model": "auto", "messages": ASKED, "stream": True})
    stream = iter(reply.streaming_content)
    assert b"chat.completion.chunk" in next(stream)
    next(stream)
    reply.close()
    calls.flush()
    assert [call.outcome for call in Call.objects.all()] == ["cancelled"]


def post(key: str, body: Any) -> Any:
    sent = body if isinstance(body, str) else json.dumps(body)
    return Browser().post(
        "/v1/chat/completions",
        sent,
        content_type="application/json",
        headers={"authorization": f"Bearer {key}"},
    )
