"""The chat page without its scripts: everything by forms, and what others wrote as text."""

from __future__ import annotations

import html
import re
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from aggregator.meter import meter
from chat.models import Conversation, Feedback, Interaction
from tests.chat import shelved

pytestmark = pytest.mark.django_db(transaction=True)

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _answered() -> None:
    shelved.coins()
    shelved.everything()


def ask(client: Client, query: str, id: str = "") -> Any:
    return client.post("/chat", {"query": query, "conversation": id}, follow=True)


def page_of(response: Any) -> str:
    found: str = response.content.decode()
    return found


def conversation_in(page: str) -> str:
    found = re.search(r'id="conversation" value="([^"]*)"', page)
    assert found
    return found.group(1)


def test_a_question_is_posted_and_the_page_comes_back_with_its_answer(client: Client) -> None:
    response = ask(client, "price of btc")
    [(where, status)] = response.redirect_chain
    assert status == 303
    interaction = Interaction.objects.get()
    assert where == f"/chat/{interaction.conversation_id}#a-{interaction.pk}"
    page = html.unescape(page_of(response))
    assert "Bitcoin costs 86,011.36" in page
    assert re.search(r'class="source">kraken</span>', page)
    assert re.search(r'data-age="1[2-9]\.', page)
    assert conversation_in(page) == str(interaction.conversation_id)


def test_who_keeps_no_history_is_shown_the_answer_now_or_never(client: Client) -> None:
    ask(client, "hello")  # brings the cookie
    client.post("/chat/privacy", {"training": "yes"})
    response = ask(client, "price of btc")
    assert response.redirect_chain == []
    assert "Bitcoin costs 86,011.36" in html.unescape(page_of(response))
    kept = Interaction.objects.latest("at")
    assert (kept.query, kept.answer, kept.category) == ("", "", "PRICE_QUERY")


def test_the_next_question_goes_on_with_the_conversation(client: Client) -> None:
    id = conversation_in(page_of(ask(client, "market cap of btc")))
    page = page_of(ask(client, "and ethereum?", id))
    assert Conversation.objects.count() == 1
    assert page.count('class="turn"') == 2
    assert "267,000,000,000" in page


def test_a_browser_keeps_its_pseudonym_and_nobody_can_read_it(client: Client) -> None:
    ask(client, "hello")
    ask(client, "hello")
    cookie = client.cookies["chat"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    one, other = Conversation.objects.values_list("pseudonym", flat=True)
    assert one == other
    assert cookie.value not in one
    ask(Client(), "hello")
    assert len(set(Conversation.objects.values_list("pseudonym", flat=True))) == 2


def test_markup_of_users_and_of_upstreams_is_text(client: Client) -> None:
    page = page_of(ask(client, "news about bitcoin"))
    assert html.escape(shelved.HOSTILE) in page
    assert shelved.HOSTILE not in page
    page = page_of(ask(client, "<script>alert(2)</script> btc"))
    assert "&lt;script&gt;alert(2)" in page
    assert "<script>alert" not in page


def test_an_answer_is_thumbed_down_and_corrected_by_forms(client: Client) -> None:
    ask(client, "hello")
    id = Interaction.objects.get().pk
    page = page_of(
        client.post("/chat/feedback", {"interaction_id": id, "type": "down"}, follow=True)
    )
    assert 'value="down" class="quiet thumb" aria-pressed="true"' in page
    said = {"interaction_id": id, "type": "correction", "text": "the news", "category": "NEWS"}
    page = page_of(client.post("/chat/feedback", said, follow=True))
    assert "Somebody will look at your correction" in page
    assert sorted(Feedback.objects.values_list("type", flat=True)) == ["correction", "down"]


def test_with_htmx_the_new_turn_comes_alone(client: Client) -> None:
    response = client.post("/chat", {"query": "btc"}, headers=HTMX)
    page = page_of(response)
    id = Interaction.objects.get().conversation_id
    assert response["HX-Push-Url"] == f"/chat/{id}"
    assert "<html" not in page
    assert conversation_in(page) == str(id)
    interaction = Interaction.objects.get().pk
    said = {"interaction_id": interaction, "type": "up"}
    thumbs = page_of(client.post("/chat/feedback", said, headers=HTMX))
    assert f'id="f-{interaction}"' in thumbs
    assert "<html" not in thumbs


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_is_wrong_is_said_where_it_was_typed(client: Client, headers: dict[str, str]) -> None:
    response = client.post("/chat", {"query": "a\x07b"}, headers=headers)
    assert response.status_code == 422
    assert "U+0007" in page_of(response)
    assert client.post("/chat", {"query": " "}, headers=headers).status_code == 422
    wrong = {"query": "hi", "conversation": "x"}
    assert client.post("/chat", wrong, headers=headers).status_code == 422
    gone = {"query": "hi", "conversation": uuid.uuid4()}
    assert client.post("/chat", gone, headers=headers).status_code == 404
    said = {"interaction_id": uuid.uuid4(), "type": "up"}
    assert client.post("/chat/feedback", said, headers=headers).status_code == 404
    assert client.post("/chat/feedback", {"type": "up"}, headers=headers).status_code == 422
    assert Interaction.objects.count() == 0


def test_a_form_of_another_site_is_refused() -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/chat", {"query": "hi"}).status_code == 403
    assert strict.post("/chat/feedback", {"type": "up"}).status_code == 403


def test_questions_of_the_page_count_like_those_of_the_api(
    client: Client, settings: Settings
) -> None:
    settings.ANONYMOUS_PER_MINUTE = 1
    meter.forget()
    assert client.post("/chat", {"query": "hi"}).status_code == 303
    assert client.post("/chat", {"query": "hi"}).status_code == 429
    assert Interaction.objects.count() == 1


def test_where_a_key_is_needed_staff_alone_may_ask_here(client: Client, settings: Settings) -> None:
    settings.ANONYMOUS_ACCESS = False
    assert client.get("/chat").status_code == 403
    assert client.post("/chat", {"query": "hi"}).status_code == 403
    assert Interaction.objects.count() == 0
    client.force_login(User.objects.create_superuser("root"))
    assert client.get("/chat").status_code == 200
    assert client.post("/chat", {"query": "hi"}).status_code == 303


def test_a_conversation_nobody_knows_is_a_404(client: Client) -> None:
    assert client.get(f"/chat/{uuid.uuid4()}").status_code == 404
    assert client.get("/chat/x").status_code == 404


def test_the_page_is_in_the_navigation_and_brings_its_own_scripts(client: Client) -> None:
    assert 'href="/chat"' in page_of(client.get("/"))
    response = client.get("/chat/")
    page = page_of(response)
    assert re.findall(r'src="([^"]+)"', page)
    assert not re.search(r"<script(?![^>]*src=)", page), "no script stands in the page"
    assert not re.search(r"\son\w+=", page)
    assert "script-src 'self'" in response["Content-Security-Policy"]
