"""What the worker does for monitoring: see `aggregator.tasks` for how a task is written."""

from __future__ import annotations

from django.utils.timezone import now

from monitoring import aimodels, cycle, prepared, pruning, silence
from monitoring.alerts import evaluating
from monitoring.incidents import keeping
from monitoring.models import Plan
from monitoring.notices import outbox
from providers import calls


def run_checks() -> str:
    """Whatever is due, and the roll-ups that it changes."""
    try:
        done = cycle.run()
        prepared.roll_up(now())
    finally:
        calls.flush()
    return str(done)


def watch() -> str:
    """Incidents and alerts, by how everything is now."""
    silence.listen(Plan.current(), now)
    steps = keeping.review(now())
    return f"{steps} steps of incidents, {evaluating.run(now())}"


def send_notices() -> str:
    return str(outbox.drain())


def scan_models() -> str:
    """The AI models, when an interval has passed since the last scan began."""
    try:
        scan = aimodels.run_if_due()
    finally:
        calls.flush()
    if scan is None:
        return "no scan is due"
    return f"{scan.looked_at} of {scan.total} models looked at, {scan.tried} tried"


def prune_checks() -> str:
    gone = pruning.prune(now()) | pruning.prune_models(now())
    return ", ".join(f"{number} {name}" for name, number in gone.items()) + " deleted"
