"""POST /api/sentiment/analyze: whatever is sent, it is read or refused with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client as Browser
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from aggregator.api.parsers import MOST_BYTES
from aggregator.api.sentiment import LONGEST, MOST_TEXTS
from aggregator.meter import meter
from aggregator.models import Client
from aggregator.sentiment import analyze
from providers.models import Call

pytestmark = pytest.mark.django_db

PATH = "/api/sentiment/analyze"
GOOD = "Bitcoin surges to a record high"
BAD = "Exchange hacked, millions drained"


def post(body: Any, *, kind: str = "application/json", **headers: str) -> Any:
    sent = body if isinstance(body, bytes) else json.dumps(body)
    browser = Browser(enforce_csrf_checks=True)
    return browser.post(PATH, sent, content_type=kind, headers=headers)


def rows(body: Any) -> list[dict[str, Any]]:
    response = post(body)
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["data"]
    return found


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["detail"]
    return body


# -- What is read ----------------------------------------------------------------------------


def test_a_text_is_read_by_our_own_words_unless_told_otherwise() -> None:
    response = post({"text": GOOD})
    (row,) = response.json()["data"]
    ours = analyze(GOOD)
    assert row == {
        "label": "bullish",
        "score": ours.score,
        "confidence": ours.confidence,
        "method": "lexicon",
        "model": None,
    }
    meta = response.json()["meta"]
    assert (meta["source"], meta["cache"], meta["age_s"]) == ("lexicon", "miss", 0)
    assert (meta["attempts"], meta["fallback"], meta["stale"]) == ([], None, False)
    assert response["Cache-Control"] == "no-store"


def test_several_texts_are_read_in_their_order() -> None:
    assert [row["label"] for row in rows({"texts": [GOOD, BAD, "Markets open on Monday"]})] == [
        "bullish",
        "bearish",
        "neutral",
    ]
    assert len(rows({"texts": [GOOD] * MOST_TEXTS})) == MOST_TEXTS


@pytest.mark.parametrize(
    "text",
    [
        f"<h1>{GOOD}</h1><img src=x onerror=alert(1)>",
        "Bitcoin <b>surges</b> to a record&nbsp;high",
        f"\x00\x07{GOOD}\x1b[31m",
        f"\ufeff{GOOD}\u202e",
        f"\ud83d{GOOD}",
        f"🚀 {GOOD} 日本語 Ω",
    ],
)
def test_markup_and_control_characters_are_no_words(text: str) -> None:
    (row,) = rows({"text": text})
    assert (row["label"], row["score"]) == ("bullish", analyze(GOOD).score)


def test_every_line_is_a_headline() -> None:
    (together,) = rows({"text": f"{GOOD}\n{BAD}\r\n"})
    assert together["score"] == analyze(f"{GOOD}\n{BAD}").score
    assert together["score"] != rows({"text": GOOD})[0]["score"]


def test_what_has_no_letter_is_neutral_and_nobody_is_sure() -> None:
    (row,) = rows({"text": "42 !!!"})
    assert (row["label"], row["score"], row["confidence"]) == ("neutral", 0, 0)


def test_nothing_of_a_text_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    post({"text": "My secret plan surges"})
    assert "secret" not in caplog.text
    assert not Call.objects.exists()


def test_people_see_it_laid_out() -> None:
    for body, status in (({"text": GOOD}, 200), ({"text": ""}, 422)):
        response = post(body, accept="text/html")
        assert response.status_code == status
        assert response["Content-Type"].startswith("text/html")


# -- What is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        (b"", "text"),
        ([], "body"),
        ("text", "body"),
        (None, "body"),
        ({"text": GOOD, "texts": [GOOD]}, "text"),
        ({"text": GOOD, "model": "x"}, "model"),
        ({"text": None}, "text"),
        ({"text": 7}, "text"),
        ({"text": True}, "text"),
        ({"text": [GOOD]}, "text"),
        ({"text": ""}, "text"),
        ({"text": " \n\t"}, "text"),
        ({"text": "\x00\x00"}, "text"),
        ({"text": "<p></p>"}, "text"),
        ({"text": "x" * (LONGEST + 1)}, "text"),
        ({"texts": []}, "texts"),
        ({"texts": GOOD}, "texts"),
        ({"texts": {"0": GOOD}}, "texts"),
        ({"texts": [GOOD] * (MOST_TEXTS + 1)}, "texts"),
        ({"texts": [GOOD, 7]}, "texts[1]"),
        ({"texts": [GOOD, GOOD, ""]}, "texts[2]"),
        ({"texts": [[GOOD]]}, "texts[0]"),
        ({"x" * 500: 1}, "x" * 60),
    ],
)
def test_a_field_that_makes_no_sense_is_named(body: Any, field: str) -> None:
    assert list(problem(post(body), 422, "unprocessable")["errors"]) == [field]


@pytest.mark.parametrize(
    "body",
    [b" ", b"{", b"text=up", b"\xff\xfe", b"[" * 50_000, b'{"text": NaN}', b"<html>", b"{'a': 1}"],
)
def test_what_is_no_json_is_a_bad_request(body: bytes) -> None:
    assert "JSON" in problem(post(body), 400, "parse_error")["detail"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "nonsense"])
def test_another_kind_of_body_is_refused(kind: str) -> None:
    problem(post(b"text=up", kind=kind), 415, "unsupported_media_type")


def test_a_megabyte_is_too_much() -> None:
    problem(post({"text": "x" * 1024 * 1024}), 413, "too_large")
    problem(post(b" " * (MOST_BYTES + 1)), 413, "too_large")
    assert post(json.dumps({"text": GOOD}).encode().ljust(MOST_BYTES)).status_code == 200


def test_it_is_asked_by_post_alone() -> None:
    browser = Browser()
    for method in ("put", "patch", "delete"):
        problem(getattr(browser, method)(PATH), 405, "method_not_allowed")
    assert "POST" in problem(browser.get(PATH), 404, "not_found")["detail"]
    assert browser.post(f"{PATH}/", {"text": GOOD}, content_type="application/json").json()["data"]


# -- Who may ask, and how often --------------------------------------------------------------


def test_a_client_key_is_enough_and_no_token_of_a_form_is_asked_for(settings: Any) -> None:
    settings.ANONYMOUS_ACCESS = False
    problem(post({"text": GOOD}), 401, "unauthorized")
    client = Client(name="a program")
    key = client.new_key()
    client.save()
    assert post({"text": GOOD}, **{"X-API-Key": key}).status_code == 200
    bearer = {"Authorization": f"Bearer {key}", "Origin": "https://elsewhere.example"}
    assert post({"text": GOOD}, **bearer).status_code == 200


def test_every_post_counts_also_those_that_are_refused(settings: Any) -> None:
    settings.ANONYMOUS_PER_MINUTE = 3
    meter.forget()
    statuses = [post({"text": GOOD}).status_code, post({}).status_code, post(b"{").status_code]
    assert statuses == [200, 422, 400]
    found = problem(post({"text": GOOD}), 429, "throttled")
    assert found["retry_after_s"] >= 1


class AnyText(TestCase):
    """No text anywhere makes it stumble."""

    @hypothesis_settings(max_examples=80, deadline=None)
    @given(st.lists(st.text(max_size=200), min_size=1, max_size=5))
    def test_any_text_is_read_or_refused(self, texts: list[str]) -> None:
        response = post({"texts": texts})
        assert response.status_code in (200, 422), response.content
        if response.status_code == 200:
            for row in response.json()["data"]:
                assert -1 <= row["score"] <= 1
                assert 0 <= row["confidence"] <= 1

    @hypothesis_settings(max_examples=80, deadline=None)
    @given(st.binary(max_size=200))
    def test_any_bytes_are_read_or_refused(self, body: bytes) -> None:
        assert post(body).status_code in (200, 400, 422)
