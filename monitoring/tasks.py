"""What the worker does for monitoring: see `aggregator.tasks` for how a task is written."""

from __future__ import annotations

from django.utils.timezone import now

from monitoring import cycle, pruning, rollups
from monitoring.alerts import evaluating
from monitoring.incidents import keeping
from monitoring.notices import outbox
from providers import calls


def run_checks() -> str:
    """Whatever is due, and the roll-ups that it changes."""
    try:
        done = cycle.run()
        rollups.run(now())
    finally:
        calls.flush()
    return str(done)


def watch() -> str:
    """Incidents and alerts, by how everything is now."""
    steps = keeping.review(now())
    return f"{steps} steps of incidents, {evaluating.run(now())}"


def send_notices() -> str:
    return str(outbox.drain())


def prune_checks() -> str:
    gone = pruning.prune(now())
    return ", ".join(f"{number} {name}" for name, number in gone.items()) + " deleted"
