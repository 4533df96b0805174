"""What the worker does for monitoring: see `aggregator.tasks` for how a task is written."""

from __future__ import annotations

from monitoring import cycle
from providers import calls


def run_checks() -> str:
    try:
        return str(cycle.run())
    finally:
        calls.flush()
