"""What the worker makes of new questions: votes, a queue, exposures; each once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.timezone import now

from chat import classifier, experiments, tasks, trials, watching
from chat.deployment import Refused
from chat.models import (
    Artefact,
    Conversation,
    Experiment,
    Exposure,
    Feedback,
    Interaction,
    ModelVersion,
    ReviewItem,
    ShadowVote,
)
from tests.chat.learners import asked, model

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("all_agree")]
Role = ModelVersion.Role


@pytest.fixture(autouse=True)
def _fresh() -> None:
    classifier.forget()


def reasons_of(row: Interaction) -> list[str]:
    return list(ReviewItem.objects.get(interaction=row).reasons)


def test_questions_are_looked_at_once() -> None:
    unsure = asked(confidence=0.1)
    for _ in range(3):
        watching.run(now())
    assert "low_confidence" in reasons_of(unsure)
    assert ReviewItem.objects.count() >= 1
    assert ReviewItem.objects.filter(interaction=unsure).count() == 1


def test_bad_words_to_an_old_question_count_too() -> None:
    old = asked(at=now() - timedelta(days=30))
    watching.run(now())
    Feedback.objects.create(interaction=old, type="correction", category="GAS")
    watching.run(now())
    assert reasons_of(old) == ["negative"]
    assert ReviewItem.objects.get().suggested == "GAS"


def test_bad_words_lift_what_is_in_the_queue() -> None:
    row = asked(confidence=0.1)
    watching.run(now())
    Feedback.objects.create(interaction=row, type="down")
    for _ in range(2):
        watching.run(now())
    assert reasons_of(row)[:2] == ["negative", "low_confidence"]
    assert ReviewItem.objects.get(interaction=row).priority == 100


def test_the_shadow_votes_and_disagreement_is_reviewed() -> None:
    model(0, Role.CHAMPION)
    shadow = model(1, Role.SHADOW)
    told = asked("latest news about ethereum", category="GAS", model_version="abc")
    asked("latest news about ethereum")  # by a rule: no classifier was asked
    for _ in range(2):
        watching.run(now())
    [vote] = ShadowVote.objects.all()
    assert (vote.interaction, vote.model, vote.category) == (told, shadow, "NEWS")
    assert "disagreement" in reasons_of(told)


def trial_of_two() -> Experiment:
    model(0, Role.CHAMPION)
    return trials.start("b", model(1), horizon=100, by="me")


def served(trial: Experiment) -> Interaction:
    """A question that the model of its arm answered."""
    conversation = Conversation.objects.create()
    arm = experiments.arm_of(trial.salt, str(conversation.pk), trial.share_percent)
    code = getattr(trial, arm).code
    return asked(conversation=conversation, model_version=code)


def test_exposure_is_what_was_served() -> None:
    trial = trial_of_two()
    rows = [served(trial) for _ in range(30)]
    asked()  # by a rule
    asked(model_version="somebodyelse")
    for _ in range(2):
        watching.run(now())
    assert Exposure.objects.count() == 30
    assert set(Exposure.objects.values_list("arm", flat=True)) == {"champion", "challenger"}
    found = watching.units(trial)
    assert sum(unit.questions for units in found.values() for unit in units) == len(rows)


def test_an_experiment_ends_at_its_horizon() -> None:
    trial = trial_of_two()
    Experiment.objects.update(horizon=5)
    for _ in range(30):
        Feedback.objects.create(interaction=served(trial), type="up")
    assert "no difference" in tasks.watch_questions()
    trial.refresh_from_db()
    assert trial.state == "finished"
    assert trial.verdict["champion"]["helpful"]["value"] == 1.0
    trial.challenger.refresh_from_db()
    assert trial.challenger.role == Role.RETIRED


def test_a_guard_rail_rolls_back_by_itself() -> None:
    trial = trial_of_two()
    for _ in range(150):
        row = served(trial)
        if row.model_version == trial.challenger.code:
            Feedback.objects.create(interaction=row, type="down")
    assert "negative feedback" in tasks.watch_questions()
    trial.refresh_from_db()
    assert trial.state == "rolled_back"
    classifier.forget()
    assert classifier.current().trial is None


def test_an_a_a_test_can_be_run() -> None:
    champion = model(0, Role.CHAMPION)
    trial = trials.start("a/a", champion, by="me")
    for _ in range(20):
        served(trial)
    watching.run(now())
    assert set(Exposure.objects.values_list("arm", flat=True)) == {"champion", "challenger"}
    trials.stop(trial, "me")
    champion.refresh_from_db()
    assert champion.role == Role.CHAMPION
    with pytest.raises(Refused):
        trials.stop(trial, "me")


def test_a_broken_shadow_stops_nothing() -> None:
    shadow = model(1, Role.SHADOW)
    Artefact.objects.filter(model=shadow).update(data=b"broken")
    classifier._memory.models.clear()
    unsure = asked(confidence=0.1, model_version="abc")
    watching.run(now())
    assert "low_confidence" in reasons_of(unsure)
    assert not ShadowVote.objects.exists()
