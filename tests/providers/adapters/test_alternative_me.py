from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from providers.adapters.alternative_me import AlternativeMe
from providers.adapters.base import Reply
from providers.datasets import FearGreed, SentimentQuery
from providers.errors import Broken, Garbled
from tests.providers.adapters.conftest import PAYLOADS, adapt

PAYLOAD = json.loads((PAYLOADS / "alternative_me/sentiment.json").read_text())
RECORDED = Path(__file__).parents[4] / "shared/recorded/alternative_me"


def ask(payload: Any, days: int = 3) -> tuple[list[FearGreed], Any, Any]:
    adapter, http = adapt(AlternativeMe, payload)
    return adapter.sentiment(SentimentQuery(days=days)), adapter, http


def test_texts_become_numbers_and_times() -> None:
    rows, _, http = ask(PAYLOAD)
    assert rows[0] == FearGreed(datetime(2026, 5, 18, tzinfo=UTC), 38, "Fear")
    assert [row.value for row in rows] == [38, 51, 80]
    assert http.asked == [("/fng/", {"limit": 3})]


def test_a_missing_day_stays_missing() -> None:
    rows, _, _ = ask(PAYLOAD)
    assert [row.time.date() for row in rows] == [date(2026, 5, day) for day in (18, 17, 15)]


def test_the_newest_day_comes_first_and_never_more_than_asked() -> None:
    rows, _, _ = ask(PAYLOAD | {"data": PAYLOAD["data"][::-1]}, days=2)
    assert [row.value for row in rows] == [38, 51]


def test_no_question_asks_for_the_whole_history() -> None:
    _, _, http = ask(PAYLOAD, days=0)
    assert http.asked == [("/fng/", {"limit": 1})]


@pytest.mark.parametrize("value", ["-1", "101", "50.5", "", None, "NaN"])
def test_a_value_that_is_no_index_is_dropped_and_counted(value: Any) -> None:
    rows, adapter, _ = ask({"data": [PAYLOAD["data"][0], {**PAYLOAD["data"][1], "value": value}]})
    assert [row.value for row in rows] == [38]
    assert adapter.dropped == 1


def test_an_error_inside_a_200_is_an_error() -> None:
    with pytest.raises(Broken):
        ask({"name": "Fear and Greed Index", "data": [], "metadata": {"error": "maintenance"}})


@pytest.mark.parametrize("body", [b"<html>down</html>", b"[]", b'{"metadata": null}', b"5"])
def test_what_is_no_error_of_its_own_is_left_to_its_status(body: bytes) -> None:
    assert AlternativeMe.diagnose(Reply(502, {}, body)) is None


def test_a_ping_asks_for_one_day() -> None:
    adapter, http = adapt(AlternativeMe, PAYLOAD)
    adapter.ping()
    assert http.asked == [("/fng/", {"limit": 1})]
    with pytest.raises(Garbled):
        adapt(AlternativeMe, b"<html>")[0].ping()


@pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded answers here")
@pytest.mark.parametrize("name", ["fng_data_array_30", "fng_data_array_full_history"])
def test_the_recorded_index_is_read_whole(name: str) -> None:
    data = json.loads((RECORDED / f"{name}.json").read_text())
    rows, adapter, _ = ask({"data": data}, days=len(data))
    assert (len(rows), adapter.dropped) == (len(data), 0)
    assert rows[0].time - rows[-1].time >= timedelta(days=29)
    assert [str(row.value) for row in rows] == [item["value"] for item in data]
