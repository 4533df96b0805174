"""
What the worker does. A task is short: call the verb, return a sentence for the log.

The database is the truth and the queue only a doorbell: a task that is lost is made good by the
next, a task that runs twice does no harm.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from django.utils.timezone import now
from django_q.models import Failure, Success
from django_q.tasks import async_task

from aggregator import answers
from aggregator.pruning import prune
from aggregator.warming import warm
from providers import calls, learning, planning, ranking
from providers.errors import ProviderError

logger = logging.getLogger(__name__)

Task = Callable[[], str]


def task(work: Task) -> Task:
    """Calls are written before the task ends: a worker process leaves without saying goodbye."""

    @wraps(work)
    def run() -> str:
        try:
            return work()
        finally:
            calls.flush()

    return run


def ring(func: str) -> None:
    """Have the worker run a task now. When the queue is away it comes with its next schedule."""
    try:
        async_task(func)
    except Exception:
        logger.exception("%s could not be rung for; it comes with its schedule", func)


def refused(name: str) -> str:
    """What runs instead of something that is no task of ours: see `aggregator.allowed`."""
    raise PermissionError(f"{name} is no task of ours, and was not run")


@task
def warm_answers() -> str:
    done, failed = warm()
    return f"{done} answers warmed, {failed} failed"


@task
def prune_rows() -> str:
    """Old rows of ours, and the queue's own records of more than two weeks."""
    gone = prune()
    before = now() - timedelta(days=14)
    for kind in (Success, Failure):
        gone[kind.__name__.lower()] = kind.objects.filter(stopped__lt=before).delete()[0]
    return ", ".join(f"{number} {name}" for name, number in gone.items()) + " deleted"


@task
def read_plans() -> str:
    """Ask what our keys may ask, where that was not read for hours."""
    said = []
    for credential in planning.due():
        try:
            planning.read(credential)
        except ProviderError as error:
            said.append(f"{credential}: {error.code}")
        else:
            said.append(f"{credential}: read")
    return "; ".join(said) or "no plan to read"


@task
def learn_listings() -> str:
    """Ask each provider that has a list what it calls our assets."""
    said = []
    for provider in learning.teachers():
        try:
            learned = learning.learn(provider)
        except ProviderError as error:
            said.append(f"{provider}: {error.code}")
        else:
            said.append(
                f"{provider}: {learned.new} new, {learned.changed} changed, {learned.gone} gone"
            )
    said.append(_rank())
    return "; ".join(said)


def _rank() -> str:
    """Which coin is the largest of its name; what is shelved under a name that changed goes."""
    whose, changed = ranking.refresh()
    if changed:
        answers.purge()
    told = f"ranked by {whose}" if whose else "nobody had a ranking"
    return told + (", and some words mean another asset now" if changed else "")
