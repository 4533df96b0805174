"""Stretches of time in questions, with a clock that stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import periods

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("past 7 days", "2026-11-14T15:30", None),
        ("over the last week", "2026-11-14T15:30", None),
        ("24h change", "2026-11-20T15:30", None),
        ("last three months", "2026-08-23T15:30", None),
        ("since March", "2026-03-01T00:00", None),
        ("since december", "2025-12-01T00:00", None),
        ("since 2024-05-06", "2024-05-06T00:00", None),
        ("in 2021", "2021-01-01T00:00", "2022-01-01T00:00"),
        ("q1 2025", "2025-01-01T00:00", "2025-04-01T00:00"),
        ("from jan to march 2024", "2024-01-01T00:00", "2024-04-01T00:00"),
        ("on march 5 2024", "2024-03-05T00:00", "2024-03-06T00:00"),
        ("yesterday's close", "2026-11-20T00:00", "2026-11-21T00:00"),
        ("today", "2026-11-21T00:00", None),
        ("this month", "2026-11-01T00:00", None),
        ("ytd", "2026-01-01T00:00", None),
        ("last tuesday", "2026-11-17T00:00", "2026-11-18T00:00"),
        ("on friday", "2026-11-20T00:00", "2026-11-21T00:00"),
        ("this saturday", "2026-11-21T00:00", None),
        ("last saturday", "2026-11-14T00:00", "2026-11-15T00:00"),
        ("since monday", "2026-11-16T00:00", None),
    ],
)
def test_a_period_is_found(text: str, start: str, end: str | None) -> None:
    found = periods.find(text, NOW)
    assert found is not None
    assert found.start == datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert found.end == (datetime.fromisoformat(end).replace(tzinfo=UTC) if end else None)


def test_a_moment_is_no_stretch() -> None:
    found = periods.find("what was btc a month ago", NOW)
    assert found is not None
    assert found.at
    assert found.start == NOW - timedelta(days=30)


@pytest.mark.parametrize(
    "text",
    [
        "btc may go up",
        "price of btc",
        "since 2024-13-45",
        "next 7 days",
        "in 2099",
        "2000 usd in btc",
        "give me a day trading tip",
        "since",
    ],
)
def test_what_is_no_past_is_none(text: str) -> None:
    assert periods.find(text, NOW) is None


@given(st.text(max_size=60))
def test_any_text_is_survived_and_no_period_begins_in_the_future(text: str) -> None:
    found = periods.find(text, NOW)
    assert found is None or found.start < NOW
