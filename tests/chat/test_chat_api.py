"""POST /api/chat and what belongs to it, by the public door."""

from __future__ import annotations

import json
import uuid
from typing import Any

import jsonschema
import pytest
from django.test import Client as Browser
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pytest_django import Settings

from aggregator.meter import meter
from aggregator.models import Client
from chat.categories import Category
from chat.figures_guard import check
from chat.models import Conversation, Feedback, Interaction
from tests.chat import shelved

pytestmark = pytest.mark.django_db(transaction=True)

PATH, FEEDBACK = "/api/chat", "/api/chat/feedback"
CORS = {"Access-Control-Allow-Origin"}


@pytest.fixture
def answered() -> None:
    shelved.coins()
    shelved.everything()


def post(body: Any, path: str = PATH, **headers: str) -> Any:
    sent = body if isinstance(body, bytes) else json.dumps(body)
    browser = Browser(enforce_csrf_checks=True)
    return browser.post(path, sent, content_type="application/json", headers=headers)


def ask(query: str, conversation: str | None = None) -> dict[str, Any]:
    body = {"query": query} | ({"conversation_id": conversation} if conversation else {})
    response = post(body)
    assert response.status_code == 200, response.content
    assert response["Cache-Control"] == "no-store"
    found: dict[str, Any] = response.json()
    return found


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert (body["status"], body["code"]) == (status, code)
    return body


def key() -> str:
    client = Client(name=f"client {uuid.uuid4()}")
    found = client.new_key()
    client.save()
    return found


# -- Answers -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("answered")
def test_a_price_is_answered_with_its_source_and_age() -> None:
    found = ask("what is the price of btc and eth?")
    assert (found["category"], found["route"]) == ("PRICE_QUERY", "rule")
    assert 0.9 < found["confidence"] <= 1
    assert uuid.UUID(found["id"]).version == uuid.UUID(found["conversation_id"]).version == 4
    assert "Bitcoin costs 86,011.36\N{NO-BREAK SPACE}USD" in found["answer"]
    assert [asset["key"] for asset in found["entities"]["assets"]] == ["BTC", "ETH"]
    source = found["sources"][0]
    assert (source["provider"], source["dataset"]) == ("kraken", "price")
    assert 11 < source["age_s"] < 30
    assert found["suggestions"]


@pytest.mark.usefixtures("answered")
def test_figures_keep_the_digits_of_their_provider() -> None:
    response = post({"query": "btc"})
    assert b'"value":86011.36000,' in response.content


QUESTIONS = [
    ("market cap of ethereum", "267,000,000,000"),
    ("2.5 btc in eur", "193,525.56"),
    ("100 usd in btc", "0.001162637121"),
    ("5000 sats in usd", "4.300568"),
    ("eth gas", "2.25"),
    ("us inflation", "+"),
    ("rsi of bitcoin", "RSI 14 of 1d candles"),
    ("compare btc and eth", "Bitcoin is the largest"),
    ("what is staking", "Staking"),
    ("should i buy bitcoin", "no advice"),
    ("hello", "Hello"),
]


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize(("query", "said"), QUESTIONS)
def test_each_kind_of_question_is_answered_from_the_shelf(query: str, said: str) -> None:
    found = ask(query)
    assert found["route"] == "rule"
    assert said in found["answer"]
    assert "Not answered" not in found["answer"]


@pytest.mark.usefixtures("answered")
def test_what_others_wrote_stays_text() -> None:
    found = ask("news about bitcoin")
    [article] = found["data"]
    assert article["title"] == shelved.HOSTILE
    assert article["url"] == "https://news.example/1"


@pytest.mark.usefixtures("answered")
def test_parts_that_fail_are_named_and_the_rest_is_answered() -> None:
    found = ask("btc price, bitcoin fees and latest news")
    lines = found["answer"].splitlines()
    assert lines[0].startswith("Bitcoin costs 86,011.36")
    assert any(shelved.HOSTILE in line for line in lines)
    assert lines[-1] == "Not answered: fees on Bitcoin (no provider could answer just now)."


@pytest.mark.usefixtures("answered")
def test_a_follow_up_refers_back() -> None:
    first = ask("how many euros are 2 btc")
    second = ask(
        "and ethereum?", ask("market cap of btc", first["conversation_id"])["conversation_id"]
    )
    assert second["conversation_id"] == first["conversation_id"]
    assert second["category"] == "MARKET_DATA"
    assert second["answer"].startswith("Ethereum")
    alone = ask("and ethereum?")
    assert alone["category"] == "PRICE_QUERY"


@pytest.mark.usefixtures("answered")
def test_what_nobody_understands_is_asked_back() -> None:
    found = ask("qwertz uiop asdf")
    assert found["route"] == "clarify"
    assert found["confidence"] == 0
    assert (found["data"], found["sources"]) == ([], [])
    assert found["suggestions"]


@pytest.mark.usefixtures("answered")
def test_a_suggestion_is_a_question_that_is_answered() -> None:
    for suggestion in ask("qwertz bitcoin uiop asdf")["suggestions"]:
        assert ask(suggestion)["route"] == "rule", suggestion


def test_a_misspelt_name_is_answered_and_told() -> None:
    shelved.coins()
    shelved.everything()
    assert "I read \u201csolona\u201d as Solana." in ask("solona price")["answer"]


# -- Conversations -----------------------------------------------------------------------------


@pytest.mark.usefixtures("answered")
def test_a_conversation_is_kept_in_order_and_encrypted() -> None:
    first = ask("price of btc")
    id = first["conversation_id"]
    ask("and eth?", id)
    body = Browser().get(f"/api/chat/conversations/{id}").json()
    assert [item["query"] for item in body["interactions"]] == ["price of btc", "and eth?"]
    assert body["total"] == 2
    newest = Browser().get(f"/api/chat/conversations/{id}?limit=1").json()
    assert [item["query"] for item in newest["interactions"]] == ["and eth?"]
    assert newest["interactions"][0]["sources"][0]["age_s"] >= 12


def test_a_conversation_of_a_client_is_nobody_elses() -> None:
    mine, other = key(), key()
    response = post({"query": "hello"}, x_api_key=mine)
    id = response.json()["conversation_id"]
    path = f"/api/chat/conversations/{id}"
    assert Browser().get(path, headers={"X-API-Key": mine}).status_code == 200
    assert Conversation.objects.get().pseudonym == ""
    for headers in ({}, {"X-API-Key": other}):
        problem(Browser().get(path, headers=headers), 404, "not_found")
    problem(post({"query": "hi", "conversation_id": id}), 404, "not_found")
    said = {"interaction_id": response.json()["id"], "type": "up"}
    problem(post(said, FEEDBACK), 404, "not_found")


def test_an_unknown_conversation_is_a_404_and_a_bad_id_a_422() -> None:
    problem(post({"query": "hi", "conversation_id": str(uuid.uuid4())}), 404, "not_found")
    found = problem(post({"query": "hi", "conversation_id": "x"}), 422, "unprocessable")
    assert set(found["errors"]) == {"conversation_id"}
    problem(Browser().get("/api/chat/conversations/x"), 404, "not_found")
    found = problem(
        Browser().get(f"/api/chat/conversations/{uuid.uuid4()}?page=0"), 400, "bad_query"
    )
    assert set(found["errors"]) == {"page"}
    found = problem(Browser().get(f"/api/chat/conversations/{uuid.uuid4()}?x=1"), 400, "bad_query")
    assert set(found["errors"]) == {"x"}
    assert Interaction.objects.count() == 0


# -- Feedback ----------------------------------------------------------------------------------


def test_feedback_is_kept_once_and_a_thumb_takes_the_other_back() -> None:
    id = ask("hello")["id"]
    for type in ("up", "up", "down"):
        response = post({"interaction_id": id, "type": type}, FEEDBACK)
        assert response.status_code == 200, response.content
        assert response.json()["type"] == type
    wish = {"interaction_id": id, "type": "correction", "text": "the news!", "category": "NEWS"}
    assert post(wish, FEEDBACK).json()["category"] == "NEWS"
    assert sorted(Feedback.objects.values_list("type", flat=True)) == ["correction", "down"]
    kept = Feedback.objects.get(type="correction")
    assert (kept.text, kept.category) == ("the news!", Category.NEWS)


def test_feedback_that_says_nothing_is_refused() -> None:
    id = ask("hello")["id"]
    for body, field in (
        ({"type": "up"}, "interaction_id"),
        ({"interaction_id": id}, "type"),
        ({"interaction_id": id, "type": "love"}, "type"),
        ({"interaction_id": id, "type": "correction"}, "text"),
        ({"interaction_id": id, "type": "flag", "text": "a\x00b"}, "text"),
        ({"interaction_id": id, "type": "down", "category": "NOPE"}, "category"),
        ({"interaction_id": id, "type": "up", "stars": 5}, "stars"),
        ([], "body"),
    ):
        found = problem(post(body, FEEDBACK), 422, "unprocessable")
        assert set(found["errors"]) == {field}
    unknown = {"interaction_id": str(uuid.uuid4()), "type": "up"}
    problem(post(unknown, FEEDBACK), 404, "not_found")
    assert Feedback.objects.count() == 0


# -- Bad input and limits ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "query"),
        ({"query": ""}, "query"),
        ({"query": None}, "query"),
        ({"query": 5}, "query"),
        ({"query": ["a"]}, "query"),
        ({"query": "a" * 1001}, "query"),
        ({"query": "bell \x07"}, "query"),
        ({"query": "hi", "model": "x"}, "model"),
        ([], "body"),
        ("hi", "body"),
    ],
)
def test_what_is_no_question_is_a_422_that_names_the_field(body: Any, field: str) -> None:
    found = problem(post(body), 422, "unprocessable")
    assert set(found["errors"]) == {field}
    assert Interaction.objects.count() == 0


def test_a_body_that_is_no_json_is_a_400() -> None:
    problem(post(b"{"), 400, "parse_error")
    problem(Browser().post(PATH, "x", content_type="text/plain"), 415, "unsupported_media_type")
    problem(Browser().get(PATH), 405, "method_not_allowed")


def test_questions_count_like_any_other_request(settings: Settings) -> None:
    settings.ANONYMOUS_PER_MINUTE = 2
    meter.forget()
    assert [post({"query": "hi"}).status_code for _ in range(3)] == [200, 200, 429]
    settings.ANONYMOUS_ACCESS = False
    problem(post({"query": "hi"}), 401, "unauthorized")


def test_the_schema_promises_what_is_sent(client: Browser) -> None:
    shelved.coins()
    shelved.everything()
    document = json.loads(
        client.get("/api/schema", headers={"Accept": "application/vnd.oai.openapi+json"}).content
    )
    promised = document["paths"]["/api/chat"]["post"]["responses"]["200"]
    schema = promised["content"]["application/json"]["schema"]
    validator = jsonschema.Draft202012Validator(schema | {"components": document["components"]})
    for query, _ in QUESTIONS:
        validator.validate(ask(query))


class AnyQuestion(TestCase):
    """Whatever is asked, something is answered, and no figure in it is not in `data`."""

    def setUp(self) -> None:
        shelved.coins()
        shelved.everything()

    @given(st.text(min_size=1, max_size=60))
    @hypothesis_settings(max_examples=25)
    def test_is_answered_or_refused(self, text: str) -> None:
        response = post({"query": text})
        assert response.status_code in (200, 422), response.content

    def test_has_no_figure_of_its_own(self) -> None:
        from datetime import UTC, datetime

        from chat import entities, known, phrasing
        from chat.skills import SKILLS, Question
        from providers.resilience import Deadline

        now = datetime.now(UTC)
        for category, skill in SKILLS.items():
            for text in ("btc and eth past 7 days", "gas", "us inflation", "hello", "2 btc in eur"):
                found = entities.find(text, now, known.lookup, known.spellings())
                facts = skill(Question(text, found, now, Deadline(2)))
                body = phrasing.body(facts, now.timestamp(), sources=False)
                assert check("\n".join(body), facts) == [], (category, text)
