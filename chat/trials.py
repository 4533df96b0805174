"""Experiments as they run: begun and stopped by people, ended by their horizon or a guard rail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from secrets import token_hex
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from chat import classifier, deployment, experiments, watching
from chat.deployment import Refused
from chat.models import Experiment, ModelVersion

State = Experiment.State


def start(
    name: str, challenger: ModelVersion, *, share_percent: int = 50, horizon: int = 1250, by: str
) -> Experiment:
    """Let a model answer some; with the champion it is an A/A test. Raises Refused."""
    try:
        with transaction.atomic():
            champion = deployment.champion()
            if champion is None:
                raise Refused("No model answers yet, so there is nothing to compare with.")
            if champion != challenger:
                deployment.challenge(challenger, by, f"experiment {name}")
            trial = Experiment.objects.create(
                name=name,
                champion=champion,
                challenger=challenger,
                salt=token_hex(16),
                share_percent=share_percent,
                horizon=horizon,
            )
    except IntegrityError:
        if Experiment.objects.filter(name=name).exists():
            raise Refused("There was an experiment of that name: choose another.") from None
        raise Refused("Another experiment is running: stop it first.") from None
    classifier.forget()
    return trial


def stop(trial: Experiment, by: str) -> None:
    """End it by hand, without a verdict. Raises Refused."""
    if not _end(trial, State.STOPPED, {"outcome": "stopped", "by": by, **arms(trial)}, by):
        raise Refused(f"{trial} is not running.")


def look(trial: Experiment) -> str:
    """End it when a guard rail says so, or its horizon is reached: what was found."""
    found = {arm: experiments.figures(units) for arm, units in watching.units(trial).items()}
    champion, challenger = found["champion"], found["challenger"]
    told = {arm: asdict(figures) for arm, figures in found.items()}
    if alarms := experiments.alarms(champion, challenger):
        _end(trial, State.ROLLED_BACK, {"outcome": "rolled back", "alarms": alarms, **told})
        return "; ".join(alarms)
    verdict = experiments.verdict(champion, challenger, trial.horizon)
    if verdict is None:
        return f"{champion.units} and {challenger.units} of {trial.horizon} conversations"
    _end(trial, State.FINISHED, {**asdict(verdict), **told})
    return verdict.outcome


def arms(trial: Experiment) -> Mapping[str, Any]:
    """The figures of both arms as they are now."""
    found = watching.units(trial)
    return {arm: asdict(experiments.figures(units)) for arm, units in found.items()}


@transaction.atomic
def _end(trial: Experiment, state: str, verdict: Mapping[str, Any], by: str = "") -> bool:
    running = Experiment.objects.filter(pk=trial.pk, state=State.RUNNING)
    if not running.update(state=state, verdict=verdict, ended_at=now()):
        return False
    trial.refresh_from_db()
    if trial.challenger.role == ModelVersion.Role.CHALLENGER:
        deployment.retire(trial.challenger, by, f"{trial} {state}")
    transaction.on_commit(classifier.forget)
    return True
