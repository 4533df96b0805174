"""What the worker does for monitoring: see `aggregator.tasks` for how a task is written."""

from __future__ import annotations

from django.utils.timezone import now

from monitoring import cycle, pruning, rollups
from providers import calls


def run_checks() -> str:
    """Whatever is due, and the roll-ups that it changes."""
    try:
        done = cycle.run()
        rollups.run(now())
    finally:
        calls.flush()
    return str(done)


def prune_checks() -> str:
    gone = pruning.prune(now())
    return ", ".join(f"{number} {name}" for name, number in gone.items()) + " deleted"
