"""
Which model answers, and what it says to a question.

Every process reads at most once a second which models have a role, so that a promotion is obeyed
everywhere within two seconds; the model itself is read when its hash is new. While the database
is away, the model that was known is asked.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.db import DatabaseError

from chat import experiments
from chat.models import Artefact, Experiment, ModelVersion
from chat.weights import BadWeights, Prediction, Weights, read

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0

Role = ModelVersion.Role


class NoModel(LookupError):
    """Nothing was trained yet, or what was trained cannot be read."""


@dataclass(frozen=True)
class Trial:
    """An experiment as far as choosing goes: `models` are hashes by arm."""

    salt: str
    share_percent: int
    models: Mapping[experiments.Arm, str]


@dataclass(frozen=True)
class Lineup:
    """Hashes of the champion and the shadow, and the experiment that runs."""

    champion: str | None = None
    shadow: str | None = None
    trial: Trial | None = None


@dataclass
class _Memory:
    """What this process knows. `lock` is held while a model is read, so that it is read once."""

    lineup: Lineup | None = None
    looked_at: float = float("-inf")
    models: dict[str, Weights] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


_memory = _Memory()


def classify(text: str, unit: str = "") -> Prediction:
    """
    What a question asks for. `unit` is what an experiment sticks to: the id of the conversation.

    Raises NoModel.
    """
    lineup = current()
    sha256 = lineup.champion
    if lineup.trial and unit:
        arm = experiments.arm_of(lineup.trial.salt, unit, lineup.trial.share_percent)
        sha256 = lineup.trial.models[arm]
    if sha256 is None:
        raise NoModel("No model answers yet: `manage.py trainchat` trains one.")
    return model(sha256).predict(text)


def ask(text: str, unit: str = "") -> Prediction | None:
    """The same, for who can do without: None where no model answers."""
    try:
        return classify(text, unit)
    except NoModel as error:
        logger.debug("%s", error)
        return None


def current(clock: Callable[[], float] = time.monotonic) -> Lineup:
    """Who has which role, as of a second ago at most."""
    known = _memory.lineup
    if known is not None and clock() - _memory.looked_at < LOOK_EVERY_S:
        return known
    # Before it looks, so that other threads go on with what is known; the first ones all look.
    _memory.looked_at = clock()
    try:
        found = _look()
    except DatabaseError as error:
        if known is None:
            raise
        logger.warning("who answers could not be read, the model that did goes on: %s", error)
        return known
    _memory.lineup = found
    return found


def model(sha256: str) -> Weights:
    """The model of that hash. Raises NoModel."""
    if known := _memory.models.get(sha256):
        return known
    with _memory.lock:
        if known := _memory.models.get(sha256):
            return known
        try:
            found = Artefact.objects.get(model__sha256=sha256)
            weights = read(bytes(found.data), sha256)
        except (Artefact.DoesNotExist, BadWeights) as error:
            raise NoModel(f"Model {sha256[:12]} cannot be loaded: {error}") from None
        wanted = _wanted(_memory.lineup or Lineup())
        kept = {known: old for known, old in _memory.models.items() if known in wanted}
        _memory.models = {**kept, sha256: weights}
        return weights


def forget() -> None:
    """Look again at the next question."""
    _memory.looked_at = float("-inf")


def _look() -> Lineup:
    held = dict(
        ModelVersion.objects.filter(role__in=[Role.CHAMPION, Role.SHADOW]).values_list(
            "role", "sha256"
        )
    )
    running = (
        Experiment.objects.filter(state=Experiment.State.RUNNING)
        .values_list("salt", "share_percent", "champion__sha256", "challenger__sha256")
        .first()
    )
    trial = None
    if running:
        salt, share_percent, champion, challenger = running
        trial = Trial(salt, share_percent, {"champion": champion, "challenger": challenger})
    return Lineup(held.get(Role.CHAMPION), held.get(Role.SHADOW), trial)


def _wanted(lineup: Lineup) -> set[str | None]:
    of_trial = lineup.trial.models.values() if lineup.trial else ()
    return {lineup.champion, lineup.shadow, *of_trial}
