"""AI models in the admin: edited, switched off, looked at now."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from monitoring import aimodels
from monitoring.models import ModelMetric, ModelStats, Scan, ScanPlan
from providers import standins
from providers.aimodels import AiModel
from providers.history import Edit
from tests.monitoring.hub import Hub, model, token
from tests.monitoring.hub import hub as hub
from tests.monitoring.test_api import until

pytestmark = pytest.mark.django_db

MODELS = "/admin/providers/aimodel/"
FINBERT = "ProsusAI/finbert"


def act(client: Client, *names: str) -> str:
    keys = [model_pk(name) for name in names]
    asked = {"action": "check_now", "_selected_action": keys}
    response = client.post(MODELS, asked, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def model_pk(name: str) -> int:
    return AiModel.objects.get(model_id=name).pk


@pytest.mark.django_db(transaction=True)
def test_the_list_shows_what_was_found(admin_client: Client, hub: Hub) -> None:
    token()
    hub.scan()
    page = admin_client.get(MODELS).content.decode()
    assert page.count("status-healthy") >= 8
    assert "nobody runs it there" in page
    for route in ("modelmetric", "scan"):
        assert admin_client.get(f"/admin/monitoring/{route}/").status_code == 200
        assert admin_client.get(f"/admin/monitoring/{route}/add/").status_code == 403
    one = admin_client.get(f"{MODELS}{model_pk(FINBERT)}/change/").content.decode()
    assert "100 %" in one


def test_before_the_first_scan_there_are_dashes(shipped: None, admin_client: Client) -> None:
    page = admin_client.get(MODELS).content.decode()
    assert "not looked at yet" in page
    assert " %</td>" not in page


@pytest.mark.django_db(transaction=True)
def test_one_is_looked_at_now_and_the_others_are_not(admin_client: Client, hub: Hub) -> None:
    token()
    assert "1 being looked at" in act(admin_client, FINBERT)
    until(lambda: Scan.objects.filter(running=None).exists())
    until(lambda: not any(thread.name == "model-scan" for thread in threading.enumerate()))
    assert ModelMetric.objects.get().model.model_id == FINBERT
    assert model(FINBERT).status == "available"
    assert ModelStats.objects.get(model__model_id=FINBERT).last_trial_at is not None
    assert aimodels.is_due(ScanPlan.current(), now()), "the others have still to be looked at"


def test_while_a_scan_goes_on_none_is_begun(shipped: None, admin_client: Client) -> None:
    aimodels.begin("somebody else", now())
    assert "A scan that somebody else began goes on" in act(admin_client, FINBERT)
    assert Scan.objects.count() == 1


def test_what_is_switched_off_is_not_looked_at(shipped: None, admin_client: Client) -> None:
    AiModel.objects.update(is_active=False)
    assert "None of these is switched on" in act(admin_client, FINBERT)
    assert not Scan.objects.exists()


def change(client: Client, name: str, **fields: Any) -> Any:
    path = f"{MODELS}{model_pk(name)}/change/"
    form = client.get(path).context["adminform"].form
    values = {k: "" if v is None else v for k, v in form.initial.items()}
    values["labels"] = form["labels"].value()
    return client.post(path, {**values, **fields})


def test_an_edit_is_obeyed_at_once_and_stands_in_the_history(
    shipped: None, admin_client: Client
) -> None:
    assert [row.model_id for row in standins.in_line("gpt2")] == ["gpt2", "distilgpt2"]
    assert change(admin_client, "gpt2", fallback="").status_code == 302
    # What is remembered is read anew once the edit is committed.
    standins.forget()
    assert [row.model_id for row in standins.in_line("gpt2")] == ["gpt2"]
    assert Edit.objects.get().name == "gpt2"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("fallback", "ProsusAI/finbert"),
        ("fallback", "nobody/knows-it"),
        ("labels", '[["up", "good"]]'),
        ("model_id", "a b"),
        ("model_id", "../../x"),
        ("task", "sing"),
    ],
)
def test_what_makes_no_sense_is_refused(
    shipped: None, admin_client: Client, field: str, value: str
) -> None:
    response = change(admin_client, "gpt2", **{field: value})
    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors


def test_the_plan_of_scans_is_one_row(admin_client: Client) -> None:
    response = admin_client.get("/admin/monitoring/scanplan/", follow=True)
    form = response.context["adminform"].form
    assert form.initial["interval_s"] == 300
    path = response.request["PATH_INFO"]
    edited = {**form.initial, "trials_per_day": 5, "paused": "on"}
    assert admin_client.post(path, edited).status_code == 302
    assert (ScanPlan.current().trials_per_day, ScanPlan.current().paused) == (5, True)
    again = admin_client.post(path, {**form.initial, "interval_s": 1})
    assert "interval_s" in again.context["adminform"].form.errors
    assert admin_client.get("/admin/monitoring/scanplan/add/").status_code == 403
