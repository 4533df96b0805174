"""Limits as providers spell them, in one form; what was not said stays None."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import ratelimits
from providers.ratelimits import (
    DAY_S,
    MINUTE_S,
    MONTH_S,
    MOST_S,
    Level,
    Observation,
    cooldown_s,
    follow,
    hinted_s,
    read,
    seconds_until,
)

NOW = datetime(2026, 7, 25, 12, 0, tzinfo=UTC).timestamp()
FAMILIES = [
    ratelimits.plain,
    ratelimits.spelt,
    ratelimits.anthropic,
    ratelimits.bare,
    ratelimits.ietf,
]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2m59.56s", 179.56),
        ("7.66s", 7.66),
        ("6m0s", 360),
        ("1h2m3s", 3723),
        ("520ms", 0.52),
        ("33011.382867", 33011.382867),
        ("2026-07-25T12:05:00Z", 300),
        ("Sat, 25 Jul 2026 12:05:00 GMT", 300),
        (str(int((NOW + 90) * 1000)), 90),
        (str(int(NOW + 90)), 90),
        ("0", 0),
        ("2026-07-25T11:00:00Z", 0),
        ("999h", MOST_S),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("NaN", None),
        ("5 bananas", None),
        ("12:00", None),
        ("9" * 400, None),
    ],
)
def test_a_reset_means_seconds_from_now(text: str, seconds: float | None) -> None:
    found = seconds_until(text, NOW)
    assert found == (None if seconds is None else pytest.approx(seconds))


@given(st.text(max_size=60))
def test_no_text_is_too_strange_for_a_reset(text: str) -> None:
    found = seconds_until(text, NOW)
    assert found is None or 0 <= found <= MOST_S


GROQ = {
    "x-ratelimit-limit-requests": "14400",
    "x-ratelimit-remaining-requests": "14370",
    "x-ratelimit-reset-requests": "2m59.56s",
    "x-ratelimit-limit-tokens": "6000",
    "x-ratelimit-remaining-tokens": "5997",
    "x-ratelimit-reset-tokens": "7.66s",
}


def test_groq_counts_requests_by_the_day_and_tokens_by_the_minute() -> None:
    windows = {"requests": DAY_S, "tokens": MINUTE_S}
    requests, tokens = read(GROQ, [ratelimits.plain], NOW, windows)
    assert (requests.metric, requests.window_s, requests.limit) == ("requests", DAY_S, 14400)
    assert requests.resets_in_s == pytest.approx(179.56)
    assert (tokens.metric, tokens.window_s, tokens.remaining) == ("tokens", MINUTE_S, 5997)
    assert tokens.names == tuple(name for name in GROQ if name.endswith("tokens"))


def test_whose_window_nobody_tells_is_unknown() -> None:
    assert [o.window_s for o in read(GROQ, [ratelimits.plain], NOW)] == [None, None]


def test_cerebras_and_mistral_name_the_window() -> None:
    cerebras = {
        "X-RateLimit-Limit-Requests-Day": "14400",
        "X-RateLimit-Remaining-Requests-Day": "14399",
        "X-RateLimit-Reset-Requests-Day": "33011.382867",
        "x-ratelimit-limit-tokens-minute": "30000",
    }
    day, minute = read(cerebras, [ratelimits.spelt], NOW)
    assert (day.window_s, day.limit, day.remaining) == (DAY_S, 14400, 14399)
    assert day.resets_in_s == pytest.approx(33011.382867)
    assert (minute.metric, minute.limit, minute.remaining) == ("tokens", 30000, None)
    mistral = {"x-ratelimit-limit-req-minute": "0", "x-ratelimit-limit-tokens-month": "4000000"}
    requests, tokens = read(mistral, [ratelimits.spelt], NOW)
    assert (requests.metric, requests.limit, requests.is_exhausted) == ("requests", 0, True)
    assert (tokens.window_s, tokens.resets_in_s) == (MONTH_S, None)


def test_anthropic_counts_input_and_output_apart() -> None:
    headers = {
        "anthropic-ratelimit-input-tokens-limit": "50000",
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": "2026-07-25T12:00:30Z",
        "anthropic-ratelimit-requests-remaining": "49",
    }
    tokens, requests = read(headers, [ratelimits.anthropic], NOW)
    assert (tokens.metric, tokens.remaining, tokens.resets_in_s) == ("input_tokens", 0, 30)
    assert (requests.limit, requests.remaining) == (None, 49)


def test_bare_headers_and_the_draft_of_the_ietf() -> None:
    (found,) = read(
        {"X-RateLimit-Limit": "20", "X-RateLimit-Reset": str(int((NOW + 60) * 1000))},
        [ratelimits.bare],
        NOW,
    )
    assert (found.metric, found.limit, found.remaining, found.resets_in_s) == (
        "requests", 20, None, 60,
    )  # fmt: skip
    draft = {
        "RateLimit": '"api";r=123;t=55',
        "RateLimit-Policy": '"fixed window";"api";q=500;w=300',
    }
    (found,) = read(draft, [ratelimits.ietf], NOW)
    assert (found.limit, found.remaining, found.window_s, found.resets_in_s) == (500, 123, 300, 55)


def test_a_header_of_another_family_or_of_nobody_is_ignored() -> None:
    assert read(GROQ, [ratelimits.spelt, ratelimits.anthropic], NOW) == []
    assert read({"x-ratelimit-limit-bananas": "3", "content-type": "x"}, FAMILIES, NOW) == []


def test_junk_is_unknown_and_never_nought() -> None:
    junk = dict.fromkeys(GROQ, "many")
    assert read(junk, FAMILIES, NOW) == []


@given(
    st.dictionaries(
        st.sampled_from([*GROQ, "ratelimit", "ratelimit-policy", "x-ratelimit-reset"]), st.text()
    )
)
def test_no_header_is_too_strange(headers: dict[str, str]) -> None:
    for found in read(headers, FAMILIES, NOW):
        for value in (found.limit, found.remaining, found.resets_in_s):
            assert value is None or value >= 0


def test_we_rest_until_the_latest_of_the_exhausted_windows() -> None:
    seen = [
        Observation("requests", remaining=5, resets_in_s=9000),
        Observation("tokens", remaining=0, resets_in_s=7.2),
        Observation("requests", remaining=0, resets_in_s=30),
    ]
    assert cooldown_s(seen) == 30
    assert cooldown_s(seen[:1]) is None
    assert cooldown_s([Observation("requests", limit=0)]) is None


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("Rate limit reached. Please try again in 7m12s. Visit", 432),
        ("Please retry in 12.3s.", 13),
        ("Please try again in 520ms", 1),
        ("Please retry in a while", None),
        ("", None),
    ],
)
def test_sentences_hint_at_a_wait(said: str, seconds: float | None) -> None:
    assert hinted_s(said) == seconds


def test_the_pace_is_what_went_between_two_looks() -> None:
    def seen(left: float) -> Observation:
        return Observation("requests", DAY_S, 100, left, 5000)

    first = follow(None, seen(100), NOW)
    assert (first.used_per_s, first.exhausted_at()) == (None, None)
    second = follow(first, seen(90), NOW + 10)
    assert second.used_per_s == pytest.approx(1)
    assert second.exhausted_at() == pytest.approx(NOW + 100)
    anew = follow(second, seen(100), NOW + 20)
    assert anew.used_per_s == second.used_per_s


def test_what_lasts_until_it_comes_back_is_not_forecast_to_end() -> None:
    level = Level(Observation("requests", DAY_S, 100, 90, resets_in_s=50), NOW, used_per_s=1)
    assert level.exhausted_at() is None
    assert Level(Observation("requests", remaining=0), NOW).exhausted_at() == NOW


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0.001, 1e6))
def test_a_pace_is_never_below_nought(before: float, after: float, elapsed: float) -> None:
    first = follow(None, Observation("tokens", remaining=before), NOW)
    second = follow(first, Observation("tokens", remaining=after), NOW + elapsed)
    assert second.used_per_s is None or second.used_per_s >= 0
