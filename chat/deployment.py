"""
Which model has which role: promoted, rolled back, put into the shadow, by one click each.

Every change is one transaction and one row of `Deployment`. Processes that classify see it within
a second or two (`chat.classifier`).
"""

from __future__ import annotations

from typing import ClassVar

from django.db import transaction

from chat import classifier
from chat.models import Deployment, Experiment, ModelVersion
from providers.errors import GatewayError

Role = ModelVersion.Role
Action = Deployment.Action


class Refused(GatewayError):
    """This model cannot have that role now."""

    code: ClassVar[str] = "refused"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "This cannot be done now"


def champion() -> ModelVersion | None:
    return ModelVersion.objects.filter(role=Role.CHAMPION).first()


@transaction.atomic
def promote(
    model: ModelVersion, by: str = "", why: str = "", action: Action = Action.PROMOTE
) -> Deployment:
    """Make it the champion; the one before retires. Raises Refused."""
    row = _locked(model)
    _no_experiment()
    before = champion()
    if before == row:
        raise Refused(f"{row} is the champion already.")
    if before:
        ModelVersion.objects.filter(pk=before.pk).update(role=Role.RETIRED)
    return _give(row, Role.CHAMPION, action, before, by, why)


@transaction.atomic
def roll_back(by: str = "", why: str = "") -> Deployment:
    """Make the champion before this one the champion again. Raises Refused."""
    now = champion()
    last = (
        Deployment.objects.select_related("previous")
        .filter(model=now, action__in=[Action.PROMOTE, Action.ROLL_BACK])
        .first()
    )
    if last is None or last.previous is None:
        raise Refused("There was no champion before this one.")
    return promote(last.previous, by, why, Action.ROLL_BACK)


@transaction.atomic
def shadow(model: ModelVersion, by: str = "", why: str = "") -> Deployment:
    """Let it be asked beside the champion, unheard; another shadow steps back. Raises Refused."""
    row = _locked(model)
    if row.role not in (Role.CANDIDATE, Role.RETIRED):
        raise Refused(f"{row} is {row.role} already.")
    ModelVersion.objects.filter(role=Role.SHADOW).update(role=Role.CANDIDATE)
    return _give(row, Role.SHADOW, Action.SHADOW, None, by, why)


@transaction.atomic
def challenge(model: ModelVersion, by: str = "", why: str = "") -> Deployment:
    """Let it answer some conversations, for an experiment. Raises Refused."""
    row = _locked(model)
    if row.role == Role.CHAMPION:
        raise Refused(f"{row} is the champion: it cannot challenge itself, but in an A/A test.")
    return _give(row, Role.CHALLENGER, Action.CHALLENGE, champion(), by, why)


@transaction.atomic
def retire(model: ModelVersion, by: str = "", why: str = "") -> Deployment:
    """Take its role away. Raises Refused for the champion, as somebody has to answer."""
    row = _locked(model)
    if row.role == Role.CHAMPION:
        raise Refused(f"{row} answers: promote another instead.")
    _no_experiment(row)
    return _give(row, Role.RETIRED, Action.RETIRE, None, by, why)


def _locked(model: ModelVersion) -> ModelVersion:
    """The row as it is, with all of them held: two changes of roles come one after the other."""
    rows = {row.pk: row for row in ModelVersion.objects.select_for_update().order_by("pk")}
    return rows[model.pk]


def _give(
    row: ModelVersion,
    role: str,
    action: Action,
    previous: ModelVersion | None,
    by: str,
    why: str,
) -> Deployment:
    row.role = role
    row.save(update_fields=["role"])
    transaction.on_commit(classifier.forget)
    return Deployment.objects.create(
        model=row, previous=previous, action=action, by=by, why=why[:300]
    )


def _no_experiment(row: ModelVersion | None = None) -> None:
    running = Experiment.objects.filter(state=Experiment.State.RUNNING).first()
    if running and row in (None, running.challenger):
        raise Refused(f"The experiment {running} is running: stop it first.")
