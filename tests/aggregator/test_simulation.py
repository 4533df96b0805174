"""What docs/strategies.md says of adaptive, on the traces that it is said of; see tests/bench."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aggregator.selection import STRATEGIES
from tests.bench import traces
from tests.bench.strategies import BUSY_S, ORACLE, simulate

SYNTHETIC = traces.synthetic()


def waits(title: str, *names: str) -> dict[str, float]:
    """The mean seconds of a question, by strategy."""
    draws = [traces.drawn(SYNTHETIC[title], 1, BUSY_S)]
    return {
        name: simulate(SYNTHETIC[title], name, BUSY_S, draws).mean_s for name in (*names, ORACLE)
    }


@pytest.mark.parametrize(
    ("title", "most"),
    [("latency drifts", 0.75), ("slow for a while", 0.75), ("flaky fast, steady slow", 0.25)],
)
def test_where_things_change_or_fail_adaptive_is_worth_its_place(title: str, most: float) -> None:
    found = waits(title, *STRATEGIES)
    regrets = {name: seconds - found[ORACLE] for name, seconds in found.items() if name != ORACLE}
    mine = regrets.pop("adaptive")
    assert mine <= most * min(regrets.values())


@pytest.mark.parametrize("title", ["stationary", "throttles"])
def test_where_nothing_changes_it_costs_next_to_nothing(title: str) -> None:
    found = waits(title, "adaptive")
    assert found["adaptive"] <= found[ORACLE] + 0.02


def test_all_strategies_meet_the_same_luck() -> None:
    one, other = (traces.drawn(SYNTHETIC["stationary"], 7, 60.0) for _ in range(2))
    assert one == other
    assert one != traces.drawn(SYNTHETIC["stationary"], 8, 60.0)


def test_a_recorded_trace_is_made_of_what_headers_say(tmp_path: Path) -> None:
    assert traces.recorded(tmp_path) == {}
    timed = {"a": ("X-Runtime", "0.25"), "b": ("x-envoy-upstream-service-time", "40")}
    rows = [
        {"provider": name, "status": status, "headers": {header: value}}
        for name, (header, value) in timed.items()
        for status in [200] * traces.LEAST + [503]
    ]
    rows += [{"provider": "untimed", "status": 200, "headers": None}]
    (tmp_path / "manifest.json").write_text(json.dumps(rows))
    found = traces.recorded(tmp_path)["recorded"]
    assert {name: set(upstream.times_s) for name, upstream in found.items()} == {
        "a": {0.25},
        "b": {0.04},
    }
    share = traces.LEAST / (traces.LEAST + 1)
    assert found["a"].manner(0).share == pytest.approx(share)
