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
        # Days by their names, in whatever order and language:
        ("btc price on christmas 2025", "2025-12-25T00:00", "2025-12-26T00:00"),
        ("at christmas", "2025-12-25T00:00", "2025-12-26T00:00"),
        ("last halloween", "2026-10-31T00:00", "2026-11-01T00:00"),
        ("new year 2026", "2026-01-01T00:00", "2026-01-02T00:00"),
        ("new year\u2019s  eve 2025", "2025-12-31T00:00", "2026-01-01T00:00"),
        ("on easter 2025", "2025-04-20T00:00", "2025-04-21T00:00"),
        ("black friday", "2025-11-28T00:00", "2025-11-29T00:00"),
        ("since thanksgiving", "2025-11-27T00:00", None),
        ("eth in Q3 2025", "2025-07-01T00:00", "2025-10-01T00:00"),
        ("2025 Q3", "2025-07-01T00:00", "2025-10-01T00:00"),
        ("the third quarter of 2025", "2025-07-01T00:00", "2025-10-01T00:00"),
        ("first half of 2025", "2025-01-01T00:00", "2025-07-01T00:00"),
        ("eth price on the 3rd of May", "2026-05-03T00:00", "2026-05-04T00:00"),
        ("may 3rd, 2025", "2025-05-03T00:00", "2025-05-04T00:00"),
        ("am 3. mai 2026", "2026-05-03T00:00", "2026-05-04T00:00"),
        ("el 3 de mayo de 2026", "2026-05-03T00:00", "2026-05-04T00:00"),
        ("on 3.5.2026", "2026-05-03T00:00", "2026-05-04T00:00"),
        ("on 25/12/2025", "2025-12-25T00:00", "2025-12-26T00:00"),
        ("on 2026/05/03", "2026-05-03T00:00", "2026-05-04T00:00"),
        ("in 2026-05", "2026-05-01T00:00", "2026-06-01T00:00"),
        ("at the end of 2025", "2025-12-31T00:00", "2026-01-01T00:00"),
        ("end of last year", "2025-12-31T00:00", "2026-01-01T00:00"),
        ("start of this month", "2026-11-01T00:00", "2026-11-02T00:00"),
        ("us gdp 2023", "2023-01-01T00:00", "2024-01-01T00:00"),
        ("the day before yesterday", "2026-11-19T00:00", "2026-11-20T00:00"),
        ("prix du bitcoin hier", "2026-11-20T00:00", "2026-11-21T00:00"),
        ("比特币昨天的价格", "2026-11-20T00:00", "2026-11-21T00:00"),
        ("change in the last 15 minutes", "2026-11-21T15:15", None),
        ("how much did eth change in 1 hour", "2026-11-21T14:30", None),
        ("since the beginning of the year", "2026-01-01T00:00", None),
        ("since last monday", "2026-11-16T00:00", None),
        ("between christmas and new year", "2025-12-25T00:00", "2026-01-02T00:00"),
        ("diese woche", "2026-11-16T00:00", None),
        ("btc last weekend", "2026-11-14T00:00", "2026-11-16T00:00"),
        ("over the weekend", "2026-11-21T00:00", None),
        ("btc 2025 high", "2025-01-01T00:00", "2026-01-01T00:00"),
        ("past 1.5 years", "2025-05-23T03:30", None),
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
        "christmas 2026",
        "chinese new year",
        "price of btc in 3 days",
        "is btc above 2025",
        "end of the year",
    ],
)
def test_what_is_no_past_is_none(text: str) -> None:
    assert periods.find(text, NOW) is None


@pytest.mark.parametrize(
    ("text", "unread"),
    [
        ("btc on 2026-02-30", "2026-02-30"),
        ("btc on 5/3/2026", "5/3/2026"),
        ("btc at christmas 2026", "christmas 2026"),
        ("btc on 2027-01-01", "2027-01-01"),
        ("btc in 5 minutes", "in 5 minutes"),
        ("btc price next 7 days", "next 7 days"),
        ("btc yesterday vs today", "today"),
        ("btc on may 32", "may 32"),
        ("btc last summer", "last summer"),
        ("btc in the 90s", "in the 90s"),
        ("btc 24h volume on christmas", "on christmas"),
    ],
)
def test_a_time_that_is_none_or_has_not_come_is_told(text: str, unread: str) -> None:
    found = periods.unread(text, periods.find(text, NOW), NOW)
    assert [item.text for item in found] == [unread]


@pytest.mark.parametrize(
    "text", ["btc on 2026-05-03", "24h change today", "2000 usd in btc", "q3 2025", "btc at easter"]
)
def test_a_time_that_was_is_read(text: str) -> None:
    assert periods.unread(text, periods.find(text, NOW), NOW) == ()


@given(st.text(max_size=60))
def test_any_text_is_survived_and_no_period_begins_in_the_future(text: str) -> None:
    found = periods.find(text, NOW)
    assert found is None or found.start < NOW
