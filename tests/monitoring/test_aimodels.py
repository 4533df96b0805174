"""Scans of AI models, before a Hub that really answers, as it should or otherwise."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils.timezone import now

from aggregator.sentiment import local
from monitoring import aimodels, pruning, tasks
from monitoring.aimodels_readout import ai_models
from monitoring.models import ModelMetric, ModelStats, Scan, ScanPlan
from providers import roster
from providers.aimodels import AiModel, ModelStatus
from providers.models import Call, Credential, Provider
from providers.sandbox.limits import Budget
from tests.monitoring.hub import HUB_HOST, RUNNER_HOST, Hub, model, newest, token
from tests.monitoring.hub import hub as hub

pytestmark = pytest.mark.django_db(transaction=True)

FINBERT, BART, DISTILBART = (
    "ProsusAI/finbert",
    "facebook/bart-large-cnn",
    "sshleifer/distilbart-cnn-12-6",
)
BERTWEET = "finiteautomata/bertweet-base-sentiment-analysis"


def statuses() -> Counter[str]:
    return Counter(AiModel.objects.values_list("status", flat=True))


# -- Without a token ---------------------------------------------------------------------------


def test_without_a_token_the_hub_alone_is_asked_and_nothing_is_spent(hub: Hub) -> None:
    done = hub.scan()
    assert (done.total, done.looked_at, done.tried, done.hub_answered) == (21, 21, 0, True)
    assert (hub.asked(HUB_HOST), hub.asked(RUNNER_HOST)) == (21, 0)
    assert statuses() == {
        "available": 11,
        "unserved": 6,
        "not_found": 2,
        "failed": 1,
        "auth_required": 1,
    }
    assert done.running is None
    assert done.finished_at == hub.now


def test_what_nobody_tried_has_no_time_of_its_own(hub: Hub) -> None:
    hub.scan()
    found = newest(FINBERT)
    assert (found.status, found.success, found.response_time_ms) == ("available", True, None)
    assert (found.test_input, found.test_output, found.confidence) == ("", "", None)
    assert model(FINBERT).stats.avg_response_time_ms is None
    assert model(FINBERT).stats.success_rate == 100


def test_one_that_does_not_exist_is_told_from_one_that_nobody_runs(hub: Hub) -> None:
    hub.scan()
    assert model("mayurjadhav/crypto-sentiment-model").status == ModelStatus.NOT_FOUND
    assert model("gpt2").status == ModelStatus.UNSERVED
    assert model("agarkovv/CryptoTrader-LM").status == ModelStatus.AUTH_REQUIRED
    assert newest("agarkovv/CryptoTrader-LM").success is None, "that is our configuration"
    assert model("gpt2").stats.success_rate == 0
    assert not Call.objects.filter(outcome="bad_key").exists()


def test_a_renamed_model_is_found_by_its_old_name(hub: Hub) -> None:
    sst2 = "distilbert-base-uncased-finetuned-sst-2-english"
    AiModel.objects.filter(model_id=sst2).update(canonical_id=sst2)
    hub.scan()
    assert model(sst2).status == ModelStatus.AVAILABLE


def test_what_the_hub_says_of_its_limit_is_learned(hub: Hub) -> None:
    hub.scan()
    row = Provider.objects.get(slug="huggingface_hub")
    left = row.guard.tokens_left(row.guard.standing())
    assert left is not None
    assert left == pytest.approx(1 - 21 / (500 / 4), abs=0.02), "of what may go out at once"


# -- A Hub that is ill -------------------------------------------------------------------------


def test_a_hub_out_of_reach_is_no_fault_of_the_models(hub: Hub) -> None:
    hub.scan()
    before = statuses()
    hub.spoil(HUB_HOST, "reset")
    hub.tick(minutes=5)
    done = hub.scan()
    assert (done.hub_answered, statuses()) == (False, before)
    assert newest(FINBERT).status == "unknown"
    assert newest(FINBERT).error_message
    assert model(FINBERT).stats.success_rate == 100
    assert model(FINBERT).stats.total_checks == 2


def test_what_nobody_has_heard_of_for_three_intervals_is_unknown(hub: Hub) -> None:
    hub.scan()
    found = model(FINBERT)
    assert found.status_at(hub.now + timedelta(minutes=14)) is ModelStatus.AVAILABLE
    assert found.status_at(hub.now + timedelta(minutes=15)) is ModelStatus.UNKNOWN


def test_a_hub_that_says_its_limit_is_reached_is_not_asked_further(hub: Hub) -> None:
    hub.sandbox.meter.spend((Budget("huggingface address", 500, 300, cost=495),))
    hub.scan()
    assert statuses()["unknown"] >= 10
    assert hub.asked(HUB_HOST) < 12, "those under way together may be too many"
    assert ModelMetric.objects.filter(error_message__contains="budget is spent").exists()


@pytest.mark.parametrize("fault", ["html", "malformed", "status=500", "truncate"])
def test_whatever_the_hub_answers_a_scan_comes_to_its_end(hub: Hub, fault: str) -> None:
    hub.spoil(HUB_HOST, fault)
    done = hub.scan()
    assert done.running is None
    assert done.looked_at == 21
    assert statuses()["available"] == 0


def test_a_hub_that_is_switched_off_here_is_not_asked(hub: Hub) -> None:
    Provider.objects.filter(slug="huggingface_hub").update(enabled=False)
    assert hub.scan().hub_answered is None
    assert hub.asked(HUB_HOST) == 0
    assert newest(FINBERT).error_message == "the Hub is switched off here"


# -- With a token ------------------------------------------------------------------------------


def test_with_a_token_those_that_are_served_read_a_text(hub: Hub) -> None:
    token()
    done = hub.scan()
    assert done.tried == 11
    found = newest(FINBERT)
    assert (found.way, found.status, found.success) == ("trial", "available", True)
    assert found.response_time_ms
    assert found.response_time_ms > 0
    assert found.test_output == "positive"
    assert 0 < (found.confidence or 0) <= 1
    assert model(FINBERT).stats.avg_response_time_ms == pytest.approx(
        found.response_time_ms, abs=0.1
    )
    assert newest("facebook/bart-large-mnli").test_output in ("markets", "sports")


def test_what_is_gone_is_told_from_what_is_being_loaded(hub: Hub) -> None:
    token()
    hub.scan()
    assert (model(BERTWEET).status, newest(BERTWEET).success) == ("unserved", False)
    assert model(BERTWEET).reason == "it runs this model no more"
    assert (model(DISTILBART).status, newest(DISTILBART).success) == ("loading", None)
    assert model(DISTILBART).stats.success_rate is None


def test_one_that_is_being_loaded_is_waited_for_once_and_not_for_long(hub: Hub) -> None:
    token()
    hub.scan()
    assert newest(BART).status == "available"
    assert newest(BART).test_output.startswith("Bitcoin climbed")
    assert sorted(hub.slept) == pytest.approx([2, 20], abs=0.5), "a minute was asked for"


def test_a_refused_token_is_our_configuration_and_no_failure(hub: Hub) -> None:
    token("a-key-that-nobody-made")
    hub.scan()
    assert Credential.objects.get().set_aside_at is not None
    found = newest(FINBERT)
    assert found.status in ("auth_required", "available")
    assert statuses()["auth_required"] >= 2
    assert not ModelMetric.objects.filter(way="trial", success=False).exists()


def test_a_runner_out_of_reach_leaves_the_hubs_word(hub: Hub) -> None:
    token()
    hub.spoil(RUNNER_HOST, "status=429;retry_after=60")
    hub.scan()
    assert model(FINBERT).status == "available"
    assert "not tried" in model(FINBERT).reason
    assert ModelStats.objects.filter(last_trial_at__isnull=False).count() == 0


def test_one_that_failed_its_trial_does_not_turn_well_by_the_hubs_word(hub: Hub) -> None:
    token()
    hub.spoil(RUNNER_HOST, "malformed", path=f"/hf-inference/models/{FINBERT}", times=1)
    hub.scan()
    assert model(FINBERT).status == "failed"
    hub.tick(minutes=5)
    hub.scan()
    assert model(FINBERT).status == "failed"
    assert "when it was tried last" in model(FINBERT).reason
    assert newest(FINBERT).success is None, "nothing new was learned"
    hub.tick(hours=6)
    hub.scan()
    assert model(FINBERT).status == "available"


# -- The budget --------------------------------------------------------------------------------


def test_trials_are_spread_over_the_day(hub: Hub) -> None:
    token()
    assert hub.scan().tried == 11
    hub.tick(minutes=5)
    assert hub.scan().tried == 1, "that which is being loaded"
    hub.tick(hours=11)
    assert hub.scan().tried == 11


def test_no_more_than_the_plan_allows_are_tried_and_everybody_has_a_turn(hub: Hub) -> None:
    token()
    ScanPlan(trials_per_day=3).save()
    tried = [hub.scan().tried]
    for _ in range(5):
        hub.tick(hours=24, minutes=1)
        tried.append(hub.scan().tried)
    assert tried[0] == 3
    assert all(number <= 4 for number in tried), "and what is being loaded costs nothing"
    assert ModelStats.objects.filter(last_trial_at__isnull=False).count() == 11


def test_without_a_budget_none_is_tried(hub: Hub) -> None:
    token()
    ScanPlan(trials_per_day=0).save()
    assert hub.scan().tried == 0
    assert hub.asked(RUNNER_HOST) == 0


# -- One scan at a time ------------------------------------------------------------------------


def test_a_running_scan_is_joined_and_not_doubled(hub: Hub) -> None:
    first, ours = aimodels.begin("a", hub.now)
    second, theirs = aimodels.begin("b", hub.now)
    assert (ours, theirs) == (True, False)
    assert first.pk == second.pk
    assert second.by == "a"
    aimodels.run(first, hub.clock, hub.sleep)
    third, ours = aimodels.begin("b", hub.now)
    assert ours
    assert third.pk != first.pk


def test_of_many_who_begin_at_once_one_does(hub: Hub) -> None:
    found: list[tuple[Scan, bool]] = []
    ready = threading.Barrier(6)

    def begin() -> None:
        ready.wait()
        found.append(aimodels.begin("a", hub.now))

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(is_ours for _, is_ours in found) == 1
    assert len({scan.pk for scan, _ in found}) == 1


def test_a_scan_that_died_is_given_up_and_what_it_finds_later_is_not_written(hub: Hub) -> None:
    dead, _ = aimodels.begin("a", hub.now)
    hub.tick(seconds=91)
    other, ours = aimodels.begin("b", hub.now)
    assert ours
    aimodels.run(dead, hub.clock, hub.sleep)
    assert not ModelMetric.objects.exists()
    dead.refresh_from_db()
    assert (dead.running, dead.finished_at, dead.looked_at) == (None, None, 0)
    other.refresh_from_db()
    assert other.running


def test_a_scan_without_time_looks_at_nothing_and_ends(hub: Hub) -> None:
    scan, _ = aimodels.begin("a", hub.now)
    done = aimodels.run(scan, hub.clock, hub.sleep, longest_s=0)
    assert (done.looked_at, done.running) == (0, None)
    assert done.finished_at


# -- The worker --------------------------------------------------------------------------------


def test_the_worker_begins_one_each_interval(hub: Hub) -> None:
    assert aimodels.run_if_due(hub.clock, hub.sleep)
    hub.tick(minutes=4, seconds=59)
    assert aimodels.run_if_due(hub.clock, hub.sleep) is None
    hub.tick(seconds=1)
    assert aimodels.run_if_due(hub.clock, hub.sleep)
    hub.tick(hours=-5)
    assert aimodels.run_if_due(hub.clock, hub.sleep), "a clock that jumped back stops nothing"


def test_a_pause_holds_the_worker_and_nobody_else(hub: Hub) -> None:
    ScanPlan(paused=True).save()
    assert aimodels.run_if_due(hub.clock, hub.sleep) is None
    assert hub.scan().looked_at == 21


def test_the_task_says_what_it_did(hub: Hub) -> None:
    assert tasks.scan_models() == "21 of 21 models looked at, 0 tried"
    assert tasks.scan_models() == "no scan is due"
    assert Call.objects.filter(purpose="check").count() == 21


def test_what_is_switched_off_is_not_looked_at(hub: Hub) -> None:
    AiModel.objects.exclude(model_id=FINBERT).update(is_active=False)
    assert hub.scan().total == 1


def test_the_status_of_the_system_tells_what_was_found(hub: Hub) -> None:
    hub.scan()
    found = ai_models(hub.now)
    assert (found["sentiment_models"], found["hf_api_active"]) == (8, True)


# -- A model of this machine -------------------------------------------------------------------


def test_a_model_of_this_machine_is_one_of_them(
    hub: Hub, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text("{}")
    settings.SENTIMENT_LOCAL_MODEL = str(tmp_path)
    monkeypatch.setattr(local, "LIBRARIES", ("json",))
    hub.scan()
    found = AiModel.objects.get(provider="local")
    assert (found.status, found.model_id) == ("available", f"local/{tmp_path.name}")
    assert newest(found.model_id).way == "local"
    monkeypatch.setattr(local, "LIBRARIES", ("no_such_library",))
    hub.tick(minutes=5)
    hub.scan()
    found.refresh_from_db()
    assert found.status == "not_found"
    assert "no_such_library is not installed" in found.reason


# -- What is kept ------------------------------------------------------------------------------


def test_old_findings_go_and_what_they_add_up_to_stays(hub: Hub) -> None:
    hub.scan()
    old = now() - timedelta(days=31)
    ModelMetric.objects.update(checked_at=old)
    Scan.objects.update(started_at=old)
    hub.scan()
    gone = pruning.prune_models(now(), lambda seconds: None)
    assert gone == {"findings of models": 21, "scans": 1}
    assert model(FINBERT).stats.total_checks == 2


def test_since_when_a_status_holds_is_kept(hub: Hub) -> None:
    hub.scan()
    first = model(FINBERT).since
    hub.tick(minutes=5)
    hub.scan()
    assert model(FINBERT).since == first
    Provider.objects.filter(slug="huggingface_hub").update(base_url="https://huggingface.co")
    roster.forget()
    AiModel.objects.filter(model_id=FINBERT).update(canonical_id="nobody/knows-it")
    hub.tick(minutes=5)
    hub.scan()
    assert (model(FINBERT).status, model(FINBERT).since) == ("not_found", hub.now)
