"""What a reviewer sees and presses in the admin."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from chat import datasets
from chat.admin.review import KEYS
from chat.categories import Category
from chat.models import (
    DatasetVersion,
    Example,
    Experiment,
    ModelVersion,
    PrivacyPolicy,
    TrainingRun,
)
from tests.chat.learners import asked, model
from tests.chat.test_reviewing import item

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("all_agree")]
NEXT = "/admin/chat/reviewitem/next/"


def page(client: Client, path: str) -> str:
    reply = client.get(path)
    assert reply.status_code == 200
    return reply.content.decode()


def test_every_category_has_a_key_of_its_own() -> None:
    assert set(KEYS.values()) == set(Category)
    assert not set(KEYS) & set("arsu")


def test_one_question_at_a_time_until_none_is_left(admin_client: Client) -> None:
    first, second = item("first <script>alert(1)</script>"), item("second")
    seen = page(admin_client, NEXT)
    assert "first &lt;script&gt;" in seen
    assert "2 to review" in seen
    skipped = page(admin_client, f"{NEXT}?skip={first.pk}")
    assert "second" in skipped
    after = admin_client.post(NEXT, {"item": first.pk, "do": "accept"}, follow=True)
    assert "Take the last decision back" in after.content.decode()
    admin_client.post(NEXT, {"item": second.pk, "do": "TECHNICAL"})
    assert "Nothing is to be reviewed" in page(admin_client, NEXT)
    assert set(Example.objects.values_list("category", flat=True)) == {"GAS", "TECHNICAL"}


def test_a_follow_up_is_shown_with_the_question_before_it(admin_client: Client) -> None:
    first = asked("gas of <b>polygon</b>", category="GAS")
    asked("somebody else's question")
    row = item("and ethereum?", conversation=first.conversation)
    seen = page(admin_client, NEXT)
    assert "Asked before, as GAS" in seen
    assert "gas of &lt;b&gt;polygon&lt;/b&gt;" in seen
    assert "somebody else" not in seen
    PrivacyPolicy(training=False).save()  # now only what they asked us to look at is shown
    row.interaction.feedback.create(type="down")
    seen = page(admin_client, NEXT)
    assert "and ethereum?" in seen
    assert "polygon" not in seen


def test_a_decision_is_taken_back(admin_client: Client) -> None:
    row = item()
    admin_client.post(NEXT, {"item": row.pk, "do": "reject"})
    admin_client.post(NEXT, {"item": row.pk, "do": "undo"})
    row.refresh_from_db()
    assert row.state == "open"


@pytest.mark.parametrize("do", ["", "NONSENSE", "drop"])
def test_nonsense_decides_nothing(admin_client: Client, do: str) -> None:
    row = item()
    admin_client.post(NEXT, {"item": row.pk, "do": do})
    row.refresh_from_db()
    assert row.state == "open"
    assert admin_client.post(NEXT, {"item": "x", "do": "accept"}).status_code == 404
    assert admin_client.get(f"{NEXT}?skip=x&skip=99999999999999999999&undo=-1").status_code == 200


def test_who_may_not_review_sees_no_question(client: Client) -> None:
    row = item()
    client.force_login(User.objects.create(username="ann", is_staff=True))
    assert client.get(NEXT).status_code == 403
    assert client.post(NEXT, {"item": row.pk, "do": "accept"}).status_code == 403
    assert client.post("/admin/chat/datasetversion/freeze/").status_code == 403
    assert client.post("/admin/chat/modelversion/roll-back/").status_code == 403
    assert client.get("/admin/chat/modelversion/analytics/").status_code == 403


def test_freeze_train_watch(admin_client: Client) -> None:
    admin_client.post("/admin/chat/datasetversion/freeze/")
    version = DatasetVersion.objects.get()
    assert "Train on dataset 1" in page(admin_client, "/admin/chat/datasetversion/")
    reply = admin_client.post(f"/admin/chat/datasetversion/{version.number}/train/", follow=True)
    run = TrainingRun.objects.get()
    assert run.started_by
    assert 'http-equiv="refresh"' in reply.content.decode()
    TrainingRun.objects.update(state="failed", error="GAS: too few", finished_at=run.at)
    seen = page(admin_client, f"/admin/chat/trainingrun/{run.pk}/change/")
    assert "GAS: too few" in seen
    assert 'http-equiv="refresh"' not in seen
    file = f"/admin/chat/datasetversion/{version.number}/questions.jsonl"
    assert admin_client.get(file).content.decode() == datasets.content(version)


def press(client: Client, action: str, *rows: ModelVersion) -> str:
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    reply = client.post("/admin/chat/modelversion/", chosen, follow=True)
    said = re.findall(r'<li class="\w+">([^<]+)</li>', reply.content.decode())
    return " ".join(said)


def test_one_click_promotes_and_one_rolls_back(admin_client: Client) -> None:
    first, second = model(0), model(1)
    assert "done" in press(admin_client, "promote", first)
    assert "done" in press(admin_client, "promote", second)
    assert "already" in press(admin_client, "promote", second)
    assert "Choose one" in press(admin_client, "shadow", first, second)
    admin_client.post("/admin/chat/modelversion/roll-back/")
    first.refresh_from_db()
    assert first.role == "champion"
    seen = page(admin_client, f"/admin/chat/modelversion/{first.pk}/change/")
    assert "macro-F1" in seen
    assert "MARKET_DATA" in seen


def test_an_experiment_is_begun_by_a_form(admin_client: Client) -> None:
    model(0, "champion")
    form = {"name": "b", "challenger": model(1).pk, "share_percent": 20, "horizon": 500}
    add = reverse("admin:chat_experiment_add")
    assert admin_client.post(add, form | {"horizon": 5}).status_code == 200
    reply = admin_client.post(add, form, follow=True)
    assert "Conversations" in reply.content.decode()
    assert "of that name" in admin_client.post(add, form).content.decode()
    assert "Another experiment is running" in (
        admin_client.post(add, form | {"name": "c"}).content.decode()
    )
    trial = Experiment.objects.get()
    stop = {"action": "stop", "_selected_action": [trial.pk]}
    admin_client.post("/admin/chat/experiment/", stop)
    trial.refresh_from_db()
    assert trial.state == "stopped"
    assert "Stopped" in page(admin_client, f"/admin/chat/experiment/{trial.pk}/change/")


def test_an_experiment_is_stopped_on_its_own_page(admin_client: Client) -> None:
    model(0, "champion")
    form = {"name": "b", "challenger": model(1).pk, "share_percent": 20, "horizon": 500}
    admin_client.post(reverse("admin:chat_experiment_add"), form)
    trial = Experiment.objects.get()
    stop = reverse("admin:chat_experiment_stop", args=[trial.pk])
    assert f'action="{stop}"' in page(admin_client, f"/admin/chat/experiment/{trial.pk}/change/")
    assert "b stopped." in admin_client.post(stop, follow=True).content.decode()
    assert stop not in page(admin_client, f"/admin/chat/experiment/{trial.pk}/change/")
    assert "is not running" in admin_client.post(stop, follow=True).content.decode()


def test_every_list_opens(admin_client: Client) -> None:
    item()
    model(0, "champion")
    asked("zebra?", category="OUT_OF_SCOPE")
    Example.objects.create(text="zebra", category="GAS")
    for name in ("reviewitem", "example", "datasetversion", "trainingrun", "modelversion"):
        assert "0 " not in page(admin_client, f"/admin/chat/{name}/").partition("paginator")[2][:9]
    for name in ("deployment", "experiment"):
        page(admin_client, f"/admin/chat/{name}/")
    page(admin_client, f"/admin/chat/example/{Example.objects.get().pk}/change/")
    assert "zebra?" in page(admin_client, "/admin/chat/modelversion/analytics/?days=30")
    assert "zebra?" in page(admin_client, "/admin/chat/modelversion/analytics/?days=nonsense")
