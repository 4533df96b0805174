"""The official `openai` package against the whole installation: web process, edge and sandbox."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
import requests
from openai import OpenAI

from providers.sandbox.control import Remote
from tests.e2e.houses import Env, manage, upstreams, web
from tests.private import installation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

GROQ, GEMINI = "api.groq.com", "generativelanguage.googleapis.com"
FACTS = "Facts:\n- Bitcoin costs 86106.50 USD\n- It rose 2.1 percent\nPhrase them."
ASKED: list[Any] = [{"role": "user", "content": FACTS}]
MAKE_A_KEY = (
    "from aggregator.models import Client; c = Client(name='a program'); "
    "k = c.new_key(); c.save(); print('key', k)"
)


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Env]:
    folder: Path = tmp_path_factory.mktemp("installation")
    keys = dict.fromkeys(("GROQ_API_KEY", "GEMINI_API_KEY"), "sandbox-of-mine")
    env = installation(folder, SANDBOX="1", **keys)
    manage(env, "start", "--prepare-only")
    with upstreams(env):
        yield env


@pytest.fixture(scope="module")
def url(env: Env) -> Iterator[str]:
    with web(env) as url:
        yield url


@pytest.fixture(scope="module")
def program(env: Env, url: str) -> OpenAI:
    key = manage(env, "shell", "-c", MAKE_A_KEY).split("key ")[1].split()[0]
    end = time.monotonic() + 10  # a new key is known within two seconds
    while (
        requests.get(f"{url}/v1/models", headers={"X-API-Key": key}, timeout=10).status_code != 200
    ):
        assert time.monotonic() < end
        time.sleep(0.1)
    return OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=20)


def test_nobody_comes_in_without_a_key_and_hears_it_in_that_shape(url: str) -> None:
    for headers in ({}, {"Authorization": "Bearer agg_wrong"}, {"X-API-Key": "agg_wrong"}):
        for method, path in (("GET", "/v1/models"), ("POST", "/v1/chat/completions")):
            said = requests.request(method, url + path, headers=headers, json={}, timeout=10)
            assert said.status_code == 401, said.text
            error = said.json()["error"]
            assert set(error) == {"message", "type", "param", "code"}
            assert error["code"] == "invalid_api_key"
    too_long = requests.post(f"{url}/v1/chat/completions", data=b"x" * 2**21, timeout=10)
    assert (too_long.status_code, too_long.json()["error"]["code"]) == (413, "too_large")


def test_a_program_lists_chats_and_streams(program: OpenAI) -> None:
    names = [model.id for model in program.models.list()]
    assert names[0] == "auto"
    assert {"groq", "gemini"} <= {name.partition("/")[0] for name in names}
    whole = program.chat.completions.create(model="groq", messages=ASKED)
    assert "86106.50" in (whole.choices[0].message.content or "")
    pieces = list(program.chat.completions.create(model="groq", messages=ASKED, stream=True))
    text = "".join(p.choices[0].delta.content or "" for p in pieces)
    assert text == whole.choices[0].message.content
    assert len(pieces) > 5


def test_whoever_fails_before_a_word_is_replaced_and_in_the_middle_is_an_error(
    env: Env, program: OpenAI
) -> None:
    sandbox = Remote(int(env["SANDBOX_PORT"]))
    sandbox.fault(GROQ, "truncate", times=1)
    stream = program.chat.completions.create(model="auto", messages=ASKED, stream=True)
    seen: list[Any] = []
    with pytest.raises(openai.APIError, match="broke off"):
        seen.extend(stream)
    assert len(seen) > 1
    assert not any(p.choices and p.choices[0].finish_reason for p in seen), "no end was told"
    began = time.monotonic()
    again = program.chat.completions.create(model="auto", messages=ASKED)  # groq rests
    assert again.model.startswith("gemini/")
    assert time.monotonic() - began < 5
    sandbox.fault(GEMINI, "status=500")
    with pytest.raises(openai.InternalServerError) as refused:
        program.chat.completions.create(model="gemini", messages=ASKED)
    assert refused.value.status_code == 503
