"""Training runs: one worker at a time, progress one can watch, and an end that says why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils.timezone import now

from chat import classifier, datasets, deployment, questions, tasks
from chat.categories import Category
from chat.models import Artefact, DatasetContent, ModelVersion, TrainingRun
from chat.training import fitting, gate, runs
from tests.chat.learners import few, model, trained

pytestmark = pytest.mark.django_db
State = TrainingRun.State


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs learn from few questions, and are looked at with few: the real ones take long."""
    monkeypatch.setattr(gate, "WORST_CALIBRATION", 1.0)  # of so few it is mere chance
    monkeypatch.setattr(datasets, "read", lambda version: list(few()))
    monkeypatch.setattr(questions, "held_out", lambda: few(40))


def queued() -> TrainingRun:
    return TrainingRun.objects.create(dataset=datasets.freeze()[0])


def test_a_run_ends_with_a_model_and_its_verdict() -> None:
    run = queued()
    assert runs.claim(run, now())
    assert runs.work(run).state == State.PASSED
    assert run.progress_percent == 100
    made = ModelVersion.objects.get(run=run)
    assert made.role == ModelVersion.Role.CHAMPION  # nothing answered before
    assert bytes(Artefact.objects.get(model=made).data).startswith(b"aggregator classifier")
    assert made.metrics["questions"] == len(few(40))


def test_two_workers_cannot_have_one_run() -> None:
    run = queued()
    same = TrainingRun.objects.get(pk=run.pk)
    assert runs.claim(run, now())
    assert not runs.claim(same, now())
    assert runs.due(now()) == []


def test_a_dead_workers_run_is_taken_over_and_the_dead_may_not_write() -> None:
    dead = queued()
    assert runs.claim(dead, now())
    later = now() + runs.LEASE + timedelta(seconds=1)
    [found] = runs.due(later)
    assert runs.claim(found, later)
    with pytest.raises(runs.Overtaken):
        runs._tell(dead, 50, "still here")
    runs._tell(found, 10, "anew")
    found.refresh_from_db()
    assert found.progress_percent == 10


def test_a_run_that_kills_its_worker_is_given_up() -> None:
    run, moment = queued(), now()
    for _ in range(runs.MOST_ATTEMPTS + 1):
        assert runs.claim(run, moment)
        moment += runs.LEASE
    assert runs.work(run).state == State.FAILED
    assert runs.due(moment + runs.LEASE) == []


def test_what_goes_wrong_is_written_into_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise fitting.TooFew("GAS: too few")

    monkeypatch.setattr(fitting, "train", fail)
    run = queued()
    runs.claim(run, now())
    assert runs.work(run).error == "GAS: too few"
    assert (run.state, run.lease_until) == (State.FAILED, None)


def test_an_archived_dataset_is_no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    run = queued()
    DatasetContent.objects.all().delete()
    runs.claim(run, now())
    assert "archived" in runs.work(run).error


@pytest.mark.slow
def test_the_gate_refuses_who_is_worse_than_the_champion() -> None:
    champion = model(1, role=ModelVersion.Role.CHAMPION)
    champion.metrics |= {"macro_f1_low": 1.01, "macro_f1": 1.02, "macro_f1_high": 1.03}
    champion.save()
    run = queued()
    runs.claim(run, now())
    assert runs.work(run).state == State.REFUSED
    assert "champion" in run.reasons[0]
    assert ModelVersion.objects.filter(run=run).exists()  # one may look at it, and promote it


@pytest.mark.slow
def test_training_the_same_again_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "train", lambda *args, **kwargs: trained())
    for _ in range(2):
        run = queued()
        runs.claim(run, now())
        runs.work(run)
    assert "to the byte" in run.doing
    assert ModelVersion.objects.count() == 1


def test_a_run_that_is_started_is_rung_for(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(runs, "ring", rung.append)
    with django_capture_on_commit_callbacks(execute=True):
        runs.start(datasets.freeze()[0])
    assert rung == ["chat.tasks.train_models"]
    assert "passed" in tasks.train_models()
    assert tasks.train_models() == "nothing to train"


@pytest.mark.slow
def test_the_worker_trains_the_first_model_and_it_answers(settings: Any) -> None:
    settings.CHAT_BASE_MODEL = False
    assert tasks.train_models() == "nothing to train"
    settings.CHAT_BASE_MODEL = True
    assert "passed" in tasks.train_models()
    classifier.forget()
    assert classifier.classify("price of bitcoin").category in Category
    assert tasks.train_models() == "nothing to train"


def test_the_base_model_is_trained_once_and_answers(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("trainchat", "--if-missing")
    assert "macro-F1" in capsys.readouterr().out
    first = deployment.champion()
    classifier.forget()
    assert classifier.classify("price of bitcoin").category in Category
    call_command("trainchat", "--if-missing")
    assert deployment.champion() == first
    assert TrainingRun.objects.count() == 1
