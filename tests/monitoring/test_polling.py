"""What many dashboards ask of a web process is told once, and asks nobody."""

from __future__ import annotations

import pytest

from tests.bench.pollers import measure

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def test_pollers_cost_few_queries_and_ask_no_provider() -> None:
    found = measure(clients=60, lasting_s=7.0)
    assert set(found.statuses) <= {200, 304}
    assert found.statuses[304] > 0
    assert found.polls >= 120
    assert found.queries < found.polls
    assert found.calls == 0
