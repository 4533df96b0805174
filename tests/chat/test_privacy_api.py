from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser

from aggregator import callers
from aggregator.models import Client
from chat import holding
from chat.categories import Category
from chat.models import Conversation, Interaction
from chat.views import COOKIE

pytestmark = pytest.mark.django_db
TOKEN = "t" * 32


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def key() -> str:
    client = Client(name="a program")
    key = client.new_key()
    client.save()
    asked(Conversation(client=client, pseudonym=""), "=what of eth")
    callers.reload()
    return key


def asked(conversation: Conversation, query: str) -> Conversation:
    conversation.save()
    Interaction.objects.create(
        conversation=conversation,
        query=query,
        category=Category.NEWS,
        confidence=0.5,
        route="rule",
        answer="said",
        latency_ms=1.0,
    )
    return conversation


@pytest.fixture
def browser() -> Browser:
    """One from which something was asked."""
    browser = Browser()
    browser.cookies[COOKIE] = TOKEN
    asked(Conversation(pseudonym=holding.pseudonym_of(TOKEN)), "price of btc <b>")
    return browser


def post(path: str, body: Any, key: str = "") -> Any:
    headers = {"X-API-Key": key} if key else {}
    return Browser(headers=headers).post(path, body, content_type="application/json")


def test_a_program_agrees_and_takes_it_back(key: str) -> None:
    program = Browser(headers={"X-API-Key": key})
    first = program.get("/api/privacy/consent").json()
    assert {p["purpose"]: p["granted"] for p in first["purposes"]} == {
        "history": True,
        "training": False,
        "third_party": False,
    }
    assert all(p["said_at"] is None for p in first["purposes"])
    said = post("/api/privacy/consent", {"purpose": "training", "granted": True}, key).json()
    training = next(p for p in said["purposes"] if p["purpose"] == "training")
    assert training["granted"]
    assert training["said_at"]


def test_a_program_takes_everything_with_it_and_goes(key: str) -> None:
    program = Browser(headers={"X-API-Key": key})
    held = program.get("/api/privacy/export").json()["held"]
    assert [row["query"] for row in held["interactions"]] == ["=what of eth"]
    table = program.get("/api/privacy/export?shape=csv")
    assert table["Content-Type"] == "text/csv"
    assert table["Cache-Control"] == "no-store"
    assert "'=what of eth" in b"".join(table).decode()
    gone = post("/api/privacy/erase", {"confirm": True}, key)
    assert gone.json()["erased"]["interactions"] == 1
    assert not Interaction.objects.exists()


def test_the_id_of_a_conversation_is_the_proof_of_who_has_no_key(key: str) -> None:
    mine = asked(Conversation(), "mine")
    theirs = Conversation.objects.exclude(client=None).get()
    held = Browser().get(f"/api/privacy/export?conversation_id={mine.pk}").json()["held"]
    assert [row["query"] for row in held["interactions"]] == ["mine"]
    for id in (theirs.pk, uuid4()):
        assert Browser().get(f"/api/privacy/export?conversation_id={id}").status_code == 404
        body = {"confirm": True, "conversation_id": str(id)}
        assert post("/api/privacy/erase", body).status_code == 404
    assert Interaction.objects.count() == 2


@pytest.mark.parametrize(
    ("path", "body", "status", "names"),
    [
        ("consent", {"purpose": "fun", "granted": True}, 422, "purpose"),
        ("consent", {"purpose": "training"}, 422, "granted"),
        ("consent", {"purpose": "training", "granted": "perhaps"}, 422, "granted"),
        ("consent", [], 422, "body"),
        ("consent", {"purpose": "training", "granted": True}, 400, "conversation_id"),
        ("erase", {}, 422, "confirm"),
        ("erase", {"confirm": False}, 422, "confirm"),
        ("erase", {"confirm": True, "everybody": True}, 422, "everybody"),
        ("erase", {"confirm": True, "conversation_id": "1"}, 422, "conversation_id"),
    ],
)
def test_bad_input_is_told_by_name(path: str, body: Any, status: int, names: str) -> None:
    said = post(f"/api/privacy/{path}", body)
    assert said.status_code == status
    assert names in said.json()["errors"]


@pytest.mark.parametrize("query", ["shape=xml", "conversation_id=1", "all=1"])
def test_bad_parameters_are_told_by_name(key: str, query: str) -> None:
    said = Browser(headers={"X-API-Key": key}).get(f"/api/privacy/export?{query}")
    assert said.status_code == 400
    assert query.partition("=")[0] in said.json()["errors"]


# -- The page ----------------------------------------------------------------------------------


def test_a_browser_from_which_nothing_was_asked_is_told_so() -> None:
    said = Browser().get("/chat/privacy").content.decode()
    assert "Nothing is held of this browser" in said


def test_a_browser_sees_what_is_held_and_sets_its_switches(browser: Browser) -> None:
    said = browser.get("/chat/privacy").content.decode()
    assert "You said nothing about it yet" in said
    kept = browser.post("/chat/privacy", {"history": "yes", "training": "yes"}, follow=True)
    assert "Noted." in kept.content.decode()
    rows = browser.get("/chat/privacy/my-data.json").json()["held"]
    assert [(row["purpose"], row["granted"]) for row in rows["consents"]] == [("training", True)]
    assert rows["interactions"][0]["query"] == "price of btc <b>"
    table = b"".join(browser.get("/chat/privacy/my-data.csv")).decode()
    assert "price of btc" in table


def test_a_browser_erases_itself_after_saying_that_it_is_sure(browser: Browser) -> None:
    unsure = browser.post("/chat/privacy", {"erase": "1"})
    assert "Tick the box first" in unsure.content.decode()
    assert Interaction.objects.count() == 1
    gone = browser.post("/chat/privacy", {"erase": "1", "sure": "yes"})
    assert "Erased:" in gone.content.decode()
    assert not Interaction.objects.exists()
    assert browser.cookies[COOKIE].value == ""
