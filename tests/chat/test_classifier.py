"""Which model answers: obeyed soon, the same for a conversation, and never an unknown file."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import DatabaseError

from chat import classifier, deployment, trials
from chat.deployment import Refused
from chat.models import Artefact, Deployment, ModelVersion
from tests.chat.learners import model
from tests.conftest import Clock

pytestmark = pytest.mark.django_db
Role = ModelVersion.Role


@pytest.fixture(autouse=True)
def _empty() -> None:
    classifier._memory.models.clear()


def test_without_a_model_it_says_so() -> None:
    with pytest.raises(classifier.NoModel, match="trainchat"):
        classifier.classify("price of btc")
    assert classifier.ask("price of btc") is None


def test_the_champion_answers() -> None:
    row = model(role=Role.CHAMPION)
    classifier.forget()
    said = classifier.classify("price of btc")
    assert said.model == row.code
    assert sum(said.scores.values()) == pytest.approx(1)


def test_a_promotion_of_another_process_is_seen_within_a_second(clock: Clock) -> None:
    first, second = model(0, Role.CHAMPION), model(1)
    assert classifier.current(clock).champion == first.sha256
    ModelVersion.objects.filter(pk=first.pk).update(role=Role.RETIRED)
    ModelVersion.objects.filter(pk=second.pk).update(role=Role.CHAMPION)
    clock.tick(0.5)
    assert classifier.current(clock).champion == first.sha256
    clock.tick(0.6)
    assert classifier.current(clock).champion == second.sha256
    classifier._memory.looked_at = float("-inf")  # that clock was not the process's own


def test_a_changed_artefact_is_not_loaded() -> None:
    row = model(role=Role.CHAMPION)
    Artefact.objects.filter(model=row).update(data=b"something else")
    classifier.forget()
    with pytest.raises(classifier.NoModel, match="SHA-256"):
        classifier.classify("price of btc")


def test_without_the_database_the_known_model_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    row = model(role=Role.CHAMPION)
    classifier.forget()
    classifier.classify("price of btc")

    def away() -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(classifier, "_look", away)
    classifier.forget()
    assert classifier.classify("price of btc").model == row.code


def test_a_conversation_meets_one_arm() -> None:
    champion, challenger = model(0, Role.CHAMPION), model(1)
    trials.start("b", challenger, by="me")
    classifier.forget()
    met = {}
    for unit in (str(uuid4()) for _ in range(40)):
        met[unit] = classifier.classify("price of btc", unit).model
        assert classifier.classify("and news?", unit).model == met[unit]
    assert set(met.values()) == {champion.code, challenger.code}
    assert classifier.classify("price of btc").model == champion.code  # of no conversation


def test_promote_and_roll_back() -> None:
    first, second = model(0), model(1)
    deployment.promote(first, "ann", "it is the first")
    deployment.promote(second, "ann")
    first.refresh_from_db()
    assert first.role == Role.RETIRED
    done = deployment.roll_back("bob")
    assert (done.model, done.previous, done.action) == (first, second, "roll_back")
    assert deployment.champion() == first
    deployment.roll_back("bob")
    assert deployment.champion() == second
    assert Deployment.objects.count() == 4


def test_what_cannot_be_is_refused() -> None:
    first, second = model(0), model(1)
    with pytest.raises(Refused, match="before"):
        deployment.roll_back()
    deployment.promote(first)
    for verb in (deployment.promote, deployment.retire, deployment.shadow, deployment.challenge):
        with pytest.raises(Refused):
            verb(first)
    trials.start("b", second, by="me")
    with pytest.raises(Refused, match="experiment"):
        deployment.promote(second)
    with pytest.raises(Refused, match="stop it first"):
        trials.start("c", first, by="me")


def test_there_is_one_shadow() -> None:
    model(role=Role.CHAMPION)
    one, other = model(1), model(2)
    deployment.shadow(one)
    deployment.shadow(other)
    assert set(ModelVersion.objects.filter(role=Role.SHADOW)) == {other}
