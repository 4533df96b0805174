"""
A training run from the queue to the verdict of the gate.

The row is the truth, the queue a doorbell: whoever claims the row by a conditional UPDATE trains,
and a run whose worker died is claimed anew when its lease has run out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils.timezone import now

from aggregator.tasks import ring
from chat import datasets, deployment, questions, weights
from chat.models import Artefact, DatasetVersion, ModelVersion, TrainingRun
from chat.questions import QuestionError
from chat.training import gate
from chat.training.evaluation import Report, evaluate

logger = logging.getLogger("chat.training")

LEASE = timedelta(seconds=90)  # a task of the queue ends after 55, done or not
MOST_ATTEMPTS = 3

State = TrainingRun.State


class Overtaken(RuntimeError):
    """Our lease ran out, and another worker has the run."""


def start(dataset: DatasetVersion, seed: int = 0, by: Any = None) -> TrainingRun:
    """Queue a run, and ring for the worker."""
    run = TrainingRun.objects.create(dataset=dataset, seed=seed, started_by=by)
    transaction.on_commit(partial(ring, "chat.tasks.train_models"))
    return run


def begin(moment: datetime) -> TrainingRun | None:
    """The run of the base model, where nothing was ever trained; None else."""
    if not settings.CHAT_BASE_MODEL or TrainingRun.objects.exists():
        return None
    dataset, _ = datasets.freeze()
    return TrainingRun.objects.create(dataset=dataset, at=moment)


def due(moment: datetime) -> list[TrainingRun]:
    """Runs that nobody is at, oldest first."""
    free = Q(state=State.QUEUED) | Q(state=State.RUNNING, lease_until__lte=moment)
    return list(TrainingRun.objects.filter(free).order_by("at"))


def claim(run: TrainingRun, moment: datetime) -> bool:
    """Make the run ours; False when somebody was faster."""
    token = run.lease_token + 1
    free = Q(state=State.QUEUED) | Q(state=State.RUNNING, lease_until__lte=moment)
    ours = TrainingRun.objects.filter(free, pk=run.pk, lease_token=run.lease_token)
    if not ours.update(
        state=State.RUNNING,
        lease_token=token,
        lease_until=moment + LEASE,
        attempts=F("attempts") + 1,
    ):
        return False
    run.refresh_from_db()
    return True


def work(run: TrainingRun, clock: Callable[[], float] = time.perf_counter) -> TrainingRun:
    """Train a run that is ours, evaluate, and ask the gate. What goes wrong is written into it."""
    try:
        if run.attempts > MOST_ATTEMPTS:
            _end(run, State.FAILED, error="Its worker died again and again.")
        else:
            _train(run, clock)
    except Overtaken:
        logger.warning("%s goes on elsewhere", run)
    except (datasets.Archived, QuestionError, ValueError) as error:
        _end(run, State.FAILED, error=str(error))
    except Exception as error:
        _end(run, State.FAILED, error=f"{type(error).__name__}: it has been logged.")
        logger.exception("%s failed", run)
    run.refresh_from_db()
    return run


def _train(run: TrainingRun, clock: Callable[[], float]) -> None:
    # It brings scikit-learn along, which the web process never loads.
    from chat.training import fitting

    began = clock()

    def tell(done: float, doing: str) -> None:
        _tell(run, round(done * 90), doing)

    about = {"dataset": run.dataset.number, "dataset_sha256": run.dataset.sha256}
    trained = fitting.train(datasets.read(run.dataset), about, seed=run.seed, progress=tell)
    seconds = clock() - began
    # By the time of this thread: that others keep the machine busy says nothing of the model.
    _tell(run, 90, "evaluation on the frozen questions")
    model = weights.read(trained.data, trained.sha256)
    report = evaluate(model.predict, questions.held_out(), clock=time.thread_time)
    _tell(run, 98, "the gate")
    _settle(run, trained.data, trained.sha256, report, seconds)


def _settle(run: TrainingRun, data: bytes, sha256: str, report: Report, seconds: float) -> None:
    """The model, its artefact and the verdict, in one transaction."""
    champion = deployment.champion()
    reasons = gate.refusals(report.as_json(), champion.metrics if champion else None, len(data))
    with transaction.atomic():
        same = ModelVersion.objects.filter(sha256=sha256).first()
        _end(
            run,
            State.REFUSED if reasons else State.PASSED,
            reasons=reasons,
            doing=f"it made {same} again, to the byte" if same else "",
            progress_percent=100,
        )
        if same:
            return
        model = ModelVersion.objects.create(
            code=sha256[:12],
            sha256=sha256,
            size_bytes=len(data),
            run=run,
            metrics=report.as_json(),
            trained_s=round(seconds, 3),
        )
        Artefact.objects.create(model=model, data=data)
        # Where nothing answers, a modest model is better than none: it says how sure it is.
        if champion is None:
            deployment.promote(model, why="the first model")


def _tell(run: TrainingRun, percent: int, doing: str) -> None:
    _write(run, progress_percent=percent, doing=doing, lease_until=now() + LEASE)


def _end(run: TrainingRun, state: str, **fields: Any) -> None:
    _write(run, state=state, lease_until=None, finished_at=now(), **({"doing": ""} | fields))


def _write(run: TrainingRun, **fields: Any) -> None:
    ours = TrainingRun.objects.filter(pk=run.pk, lease_token=run.lease_token, state=State.RUNNING)
    if not ours.update(**fields):
        raise Overtaken
