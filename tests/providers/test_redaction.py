from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers import redaction
from providers.redaction import MASK, hide, names_a_secret, redact

# What stands behind the prefixes that give a key away; no provider ever made one of it.
NOT_A_KEY = "ThisIsNotARealKeyAtAll0000"


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test hides is hidden in this test only."""
    _forget()
    yield
    _forget()


def _forget() -> None:
    redaction._hidden, redaction._forms = set(), ()


SECRETS = st.text(st.characters(codec="utf-8"), min_size=redaction.SHORTEST, max_size=60)
TEXTS = st.text(max_size=60)


class TestWhatIsKnownToBeASecret:
    @given(SECRETS, TEXTS, TEXTS)
    @example("***&xyz", "token=hidden&xyz ", "")  # a removal that would build the secret
    @example("'=\"\\\n\t%", "", "")
    def test_never_survives_in_any_text(self, secret: str, before: str, after: str) -> None:
        _forget()
        hide(secret)
        assert secret not in redact(before + secret + after)
        assert secret not in redact(secret.join([before, after, before]))

    @given(SECRETS, TEXTS)
    def test_never_survives_encoded(self, secret: str, around: str) -> None:
        _forget()
        hide(secret)
        for encoded in (
            quote(secret),
            quote(secret, safe=""),
            quote_plus(secret),
            re.sub("%..", lambda triplet: triplet[0].lower(), quote(secret, safe="")),
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
            repr(secret)[1:-1],
        ):
            assert encoded not in redact(f"{around}{encoded}{around}")
        assert quote_plus(secret) not in redact(f"https://h/x?{urlencode({'q': secret, 'b': 1})}")

    @given(st.text(st.characters(codec="ascii"), min_size=12, max_size=60), TEXTS)
    def test_never_survives_in_base64(self, secret: str, user: str) -> None:
        _forget()
        hide(secret)
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            token = encode(f"{user}:{secret}".encode()).decode()
            left = redact(token).replace(MASK, "")
            assert len(left) <= len(token) - (len(secret) * 8 // 6 - 3)

    def test_leaves_the_rest_alone(self) -> None:
        hide("0123456789abcdef")
        assert redact("asked 0123456789abcdef twice") == f"asked {MASK} twice"

    def test_a_short_one_is_not_registered(self) -> None:
        hide("price")
        assert redact("the price of BTC") == "the price of BTC"

    def test_the_longer_of_two_goes_first(self) -> None:
        hide("abcdefgh")
        hide("abcdefghijkl")
        assert redact("abcdefghijkl") == MASK

    def test_hiding_again_costs_nothing(self) -> None:
        hide("abcdefgh")
        forms = redaction._forms
        hide("abcdefgh")
        assert redaction._forms is forms


class TestWhatLooksLikeASecret:
    @pytest.mark.parametrize(
        ("text", "left"),
        [
            ("GET /x?a=1&apikey=sesame&b=2", "GET /x?a=1&apikey=***&b=2"),
            ("?api_key=sesame", "?api_key=***"),
            ("?apiKey=sesame#top", "?apiKey=***#top"),
            ("?key=sesame", "?key=***"),
            ("?auth_token=sesame", "?auth_token=***"),
            ("?x_cg_demo_api_key=CG-sesame", "?x_cg_demo_api_key=***"),
            ("?x_cg_pro_api_key=sesame&ids=a", "?x_cg_pro_api_key=***&ids=a"),
            ("?access_token=a.b-c&x", "?access_token=***&x"),
            ("?next=https%3A%2F%2Fh%3Fapikey%3Dsesame", "?next=https%3A%2F%2Fh%3Fapikey%3D***"),
            ("client_secret=sesame", "client_secret=***"),
            ("https://me:sesame@host/x", "https://***@host/x"),
            ("postgres://me:p@ss@db/name", "postgres://***@db/name"),
            ("Authorization: Bearer abc", "Authorization: ***"),
            ("authorization: sesame", "authorization: ***"),
            ("X-Api-Key: sesame\r\nHost: h", "X-Api-Key: ***\r\nHost: h"),
            ("x-cg-demo-api-key: CG-sesame", "x-cg-demo-api-key: ***"),
            ("Set-Cookie: sessionid=abc; Path=/", "Set-Cookie: *** Path=/"),
            ("{'X-Api-Key': 'sesame', 'a': 'b'}", "{'X-Api-Key': '***', 'a': 'b'}"),
            ('{"apiKey": "ses\\"ame", "n": 1}', '{"apiKey": "***", "n": 1}'),
            ("{'Authorization': b'Bearer x'}", "{'Authorization': b'***'}"),
            ("sent Bearer abcdefgh.ijk", "sent Bearer ***"),
            ("Basic bWU6c2VzYW1lIG9wZW4=", "Basic ***"),
            ("key sk-" + NOT_A_KEY + " refused", "key *** refused"),
            ("CG-" + NOT_A_KEY, "***"),
            ("hf_" + NOT_A_KEY, "***"),
            ("ghp_" + NOT_A_KEY, "***"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "***"),
            ("/bot123456789:AAabcdefghijklmnopqrstuvwxyz123456/send", "/***/send"),
        ],
    )
    def test_is_removed(self, text: str, left: str) -> None:
        assert redact(text) == left

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "binance: 429, rests 60 s",
            "GET /api/market?currency=usd&limit=100 200",
            "no monkey=business here, and max_tokens=5",
            "the key was refused; a token: any",
            "price 64000.12 at 2026-01-02T03:04:05Z",
            "mail me@example.com",
            "https://host/x@y?z=@",
            "task-123, risk-abcdefghijklmnopqrstuvwxyz",
        ],
    )
    def test_what_does_not_stays(self, text: str) -> None:
        assert redact(text) == text

    @pytest.mark.parametrize(
        "unit",
        [
            "_",
            "-",
            "a",
            "key",
            "api_",
            "://",
            "%26",
            '"key":"',
            "Bearer ",
            "eyJaaaaaaaa.",
            "a-key:",
        ],
    )
    def test_takes_time_in_proportion_to_the_text(self, unit: str) -> None:
        text = unit * (200_000 // len(unit))
        started = time.process_time()
        redact(text)
        assert time.process_time() - started < 1.0

    @given(st.text())
    def test_twice_is_no_different_from_once_for_names(self, name: str) -> None:
        assert redact(redact(f"?apikey={name}")) == redact(f"?apikey={name}")

    def test_names(self) -> None:
        for name in ("apikey", "api_key", "apiKey", "Authorization", "x-cg-demo-api-key", "token"):
            assert names_a_secret(name)
        for name in ("symbol", "monkey", "tokens", "keys", "price", ""):
            assert not names_a_secret(name)
