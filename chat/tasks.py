"""What the worker does for the chat: see `aggregator.tasks` for how a task is written."""

from __future__ import annotations

from django.utils.timezone import now

from chat import datasets, privacy, trials, watching
from chat.models import Experiment
from chat.training import runs


def train_models() -> str:
    """
    Every run that nobody is at; the first of all is that of the base model. Also rung when one is
    queued, so that it need not wait.
    """
    done = []
    runs.begin(now())
    for run in runs.due(now()):
        if runs.claim(run, now()):
            done.append(f"{run}: {runs.work(run).state}")
    return "; ".join(done) or "nothing to train"


def watch_questions() -> str:
    """The shadow, the review queue, and experiments that have come to their end."""
    said = [f"{watching.run(now())} questions looked at"]
    running = Experiment.objects.filter(state=Experiment.State.RUNNING)
    for trial in running.select_related("champion", "challenger"):
        said.append(f"{trial}: {trials.look(trial)}")
    return "; ".join(said)


def archive_datasets() -> str:
    return f"{datasets.archive()} datasets archived"


def let_go() -> str:
    """What people said goes when it has had its time."""
    gone = privacy.retain()
    return ", ".join(f"{number} {name}" for name, number in gone.items()) + " deleted"
