"""What a model must hold to be let in."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chat.training.gate import refusals


def metrics(f1: float = 0.9, **other: Any) -> dict[str, Any]:
    category = {"precision": f1, "recall": f1, "f1": f1, "questions": 50}
    return {
        "macro_f1": f1,
        "macro_f1_low": f1 - 0.02,
        "macro_f1_high": f1 + 0.02,
        "calibration_error": 0.02,
        "p95_ms": 1.0,
        "by_category": {"NEWS": category, "GAS": category},
        **other,
    }


def test_a_good_first_model_passes() -> None:
    assert refusals(metrics(), None, 1000) == []


def test_each_bound_is_told() -> None:
    assert "NEWS: F1 0.590" in refusals(metrics(0.59), None, 1000)[0]
    assert "calibration" in refusals(metrics(calibration_error=0.06), None, 1000)[0]
    assert "10.1 ms" in refusals(metrics(p95_ms=10.1), None, 1000)[0]
    assert "bytes" in refusals(metrics(), None, 10_000_001)[0]


@given(st.floats(0.75, 1), st.floats(0.75, 1))
def test_it_may_not_be_below_the_champions_interval(candidate: float, champion: float) -> None:
    said = refusals(metrics(candidate), metrics(champion), 1000)
    assert bool(said) == (candidate < champion - 0.02)


def test_a_category_may_not_get_lost() -> None:
    forgetful = metrics()
    forgetful["by_category"] = {"NEWS": forgetful["by_category"]["NEWS"]}
    assert refusals(forgetful, metrics(), 1000) == ["it does not know GAS"]
