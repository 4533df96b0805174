from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import models
from django.utils.timezone import now

from aggregator.models import Client
from chat import answering, datasets, privacy, questions, reviewing, watching
from chat.categories import Category
from chat.models import (
    AuditEvent,
    Consent,
    Conversation,
    Example,
    Feedback,
    Interaction,
    PrivacyPolicy,
    Purpose,
    ReviewItem,
)
from chat.privacy import of_client, of_conversation, of_pseudonym
from providers import personal
from providers.encrypted import EncryptedTextField
from providers.personal import Subject, Tombstone

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


def asked(conversation: Conversation, query: str = "price of btc", **more: Any) -> Interaction:
    conversation.save()
    row = Interaction.objects.create(
        conversation=conversation,
        query=query,
        category=Category.PRICE_QUERY,
        confidence=0.9,
        route="rule",
        answer="said",
        latency_ms=1.0,
        **more,
    )
    Feedback.objects.create(interaction=row, type=Feedback.Type.DOWN, text="wrong")
    return row


@pytest.fixture
def browser() -> Conversation:
    conversation = Conversation(pseudonym="b" * 32)
    asked(conversation)
    return conversation


@pytest.fixture
def program() -> Client:
    client = Client(name="a program")
    client.new_key()
    client.save()
    asked(Conversation(client=client, pseudonym=""), "what of eth")
    return client


# -- Who is registered -------------------------------------------------------------------------

TELLING = ("pseudonym", "subject", "email", "username", "ip", "session_key", "who")


def looks_personal(model: type[models.Model], people: set[str]) -> bool:
    """Does it hang on somebody, keep a text encrypted, or have a field named after a person?"""
    for field in model._meta.get_fields():
        if isinstance(field, EncryptedTextField) or field.name in TELLING:
            return True
        ours = not field.auto_created and field.is_relation and field.related_model
        if ours and field.related_model._meta.label in people:  # type: ignore[union-attr]
            return True
    return False


def unregistered() -> set[str]:
    known = {holding.model._meta.label for holding in personal.holdings()}
    people = known | {"auth.User", "aggregator.Client"}
    suspects = {m._meta.label for m in apps.get_models() if looks_personal(m, people)}
    return suspects - known - set(personal.exempt())


def test_every_model_with_a_person_in_it_is_registered() -> None:
    assert unregistered() == set()


@pytest.mark.parametrize("model", [Conversation, Interaction, Feedback, Consent, AuditEvent])
def test_the_test_above_can_fail(
    model: type[models.Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    without = {k: v for k, v in personal._holdings.items() if k != model._meta.label}
    monkeypatch.setattr(personal, "_holdings", without)
    assert model._meta.label in unregistered()


def test_nothing_is_called_nobodys_without_a_reason_or_twice() -> None:
    labels = {model._meta.label for model in apps.get_models()}
    for label, reason in personal.exempt().items():
        assert label in labels
        assert len(reason) > 20
    assert not set(personal.exempt()) & {h.model._meta.label for h in personal.holdings()}


# -- Consent -----------------------------------------------------------------------------------


def test_who_said_nothing_is_held_to_the_policy(browser: Conversation) -> None:
    assert privacy.may(browser, Purpose.HISTORY)
    assert not privacy.may(browser, Purpose.TRAINING)
    PrivacyPolicy(training=True).save()
    assert privacy.may(browser, Purpose.TRAINING)


def test_what_was_said_last_counts(browser: Conversation) -> None:
    holder = privacy.holder(browser)
    privacy.agree(holder, Purpose.TRAINING, True, "page")
    assert privacy.may(browser, Purpose.TRAINING)
    privacy.agree(of_conversation(browser), Purpose.TRAINING, False, "api")
    assert not privacy.may(browser, Purpose.TRAINING)
    assert not privacy.may(browser, Purpose.THIRD_PARTY)
    assert Consent.objects.count() == 2  # the log keeps both
    said = privacy.agreed([holder])
    assert said[Purpose.TRAINING] is not None
    assert said[Purpose.HISTORY] is None


# -- Export ------------------------------------------------------------------------------------


def test_an_export_holds_what_is_theirs_and_nothing_else(
    browser: Conversation, program: Client
) -> None:
    privacy.agree(of_pseudonym("b" * 32), Purpose.TRAINING, True, "page")
    held = privacy.export(of_pseudonym("b" * 32))["held"]
    assert [row["query"] for row in held["interactions"]] == ["price of btc"]
    assert [row["text"] for row in held["feedback"]] == ["wrong"]
    assert [row["purpose"] for row in held["consents"]] == ["training"]
    other = privacy.export(of_client(program.pk))["held"]
    assert [row["query"] for row in other["interactions"]] == ["what of eth"]
    assert "agg_" not in str(other)
    assert program.key_hash not in str(other)


def test_an_export_as_a_table_is_no_formula(browser: Conversation) -> None:
    asked(browser, '=HYPERLINK("http://x.example")')
    held = privacy.export(of_conversation(browser))["held"]
    text = "".join(privacy.as_csv(held))
    assert text.startswith("what,number,field,value\r\n")
    assert "\"'=HYPERLINK" in text


def test_who_exports_stands_in_the_trail_without_a_word(browser: Conversation) -> None:
    subject = of_conversation(browser)
    privacy.export(subject)
    event = AuditEvent.objects.get(action="export")
    assert event.subject == subject.fingerprint
    assert str(browser.pk) not in f"{event.subject}{event.detail}{event.actor}"
    assert "btc" not in str(event.detail)
    with pytest.raises(TypeError):
        event.save()


# -- Erasure -----------------------------------------------------------------------------------


def test_who_is_erased_is_gone_and_others_are_not(browser: Conversation, program: Client) -> None:
    privacy.agree(of_pseudonym("b" * 32), Purpose.TRAINING, True, "page")
    gone = privacy.erase(of_pseudonym("b" * 32))
    assert gone == {"conversations": 1, "interactions": 1, "feedback": 1, "consents": 1} | {
        "audit events": gone["audit events"]
    }
    assert list(Conversation.objects.values_list("client", flat=True)) == [program.pk]
    assert Interaction.objects.count() == Feedback.objects.count() == 1
    assert not Consent.objects.exists()
    assert AuditEvent.objects.filter(action="erase").exists()


def test_the_id_of_one_conversation_erases_that_one_alone(browser: Conversation) -> None:
    other = Conversation(pseudonym=browser.pseudonym)
    asked(other)
    privacy.erase(of_conversation(other))
    assert list(Conversation.objects.all()) == [browser]


def test_what_came_after_an_erasure_is_left_alone(program: Client) -> None:
    subject = of_client(program.pk)
    privacy.erase(subject)
    asked(Conversation(client=program, pseudonym=""), "and now?")
    assert personal.bury() == 0
    assert Interaction.objects.count() == 1


def test_an_erasure_that_fails_erases_nothing(
    browser: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Tombstone.objects, "create", broken)
    with pytest.raises(ZeroDivisionError):
        privacy.erase(of_pseudonym("b" * 32))
    assert Interaction.objects.count() == 1
    assert not (personal._file()).exists()


def test_a_backup_of_before_brings_nobody_back(browser: Conversation, program: Client) -> None:
    rows: list[Any] = [
        *Conversation.objects.all(),
        *Interaction.objects.all(),
        *Feedback.objects.all(),
    ]
    privacy.erase(of_pseudonym("b" * 32))
    Tombstone.objects.all().delete()  # the backup knows nothing of it
    for row in rows:
        if not type(row).objects.filter(pk=row.pk).exists():
            row.save(force_insert=True)
    assert Interaction.objects.count() == 2
    assert personal.bury() >= 3
    assert list(Conversation.objects.values_list("client", flat=True)) == [program.pk]
    assert Tombstone.objects.count() == 1


def test_tombstones_outlive_the_database_and_half_a_line(browser: Conversation) -> None:
    subject = of_pseudonym("b" * 32)
    privacy.erase(subject)
    Tombstone.objects.all().delete()
    with personal._file().open("a") as file:
        file.write('{"fingerprint": "half')
    assert set(personal.tombstones()) == {subject.fingerprint}
    text = personal._file().read_text()
    assert "b" * 32 not in text
    assert json.loads(text.splitlines()[0])["fingerprint"] == subject.fingerprint
    assert personal._file().stat().st_mode & 0o777 == 0o600


def test_what_another_machine_erased_is_engraved_before_a_restore(browser: Conversation) -> None:
    privacy.erase(of_pseudonym("b" * 32))
    personal._file().unlink()  # it was another machine's
    personal.engrave()
    personal.engrave()
    Tombstone.objects.all().delete()
    assert set(personal.tombstones()) == {of_pseudonym("b" * 32).fingerprint}
    assert len(personal._file().read_text().splitlines()) == 1


def test_a_stranger_has_nothing(browser: Conversation) -> None:
    for stranger in (of_pseudonym("c" * 32), of_client(99), Subject("conversation", str(uuid4()))):
        assert not any(privacy.export(stranger)["held"]["interactions"])
        privacy.erase(stranger)
    assert Interaction.objects.count() == 1


# -- Retention ---------------------------------------------------------------------------------


def test_what_has_had_its_time_goes_and_the_rest_stays(browser: Conversation) -> None:
    PrivacyPolicy(keep_days=30).save()
    long_ago = now() - timedelta(days=31)
    old = Conversation(pseudonym="o" * 32, at=long_ago)
    asked(old, at=long_ago)
    asked(browser, "an old question", at=long_ago)
    gone = privacy.retain()
    assert gone["conversations"] == 1
    assert gone["interactions"] == 2
    assert [row.query for row in Interaction.objects.all()] == ["price of btc"]
    assert list(Conversation.objects.all()) == [browser]
    assert AuditEvent.objects.filter(actor="worker", action="retention").exists()


def test_an_old_conversation_that_goes_on_is_kept() -> None:
    long_ago = now() - timedelta(days=400)
    lasting = Conversation(pseudonym="l" * 32, at=long_ago)
    asked(lasting)
    privacy.retain()
    assert Interaction.objects.count() == 1


# -- What we learn from ------------------------------------------------------------------------


def waiting(row: Interaction) -> ReviewItem:
    item = reviewing.propose(row, [reviewing.Reason.NEGATIVE], "NEWS")
    item.save()
    return item


def test_nobody_learns_from_who_did_not_agree(browser: Conversation) -> None:
    row = browser.interactions.get()
    with pytest.raises(reviewing.NotAgreed):
        reviewing.label(waiting(row), Category.NEWS, None)
    assert not Example.objects.exists()
    watching.run(now())
    assert ReviewItem.objects.count() == 1  # the one above: a thumb down is no consent


def test_who_corrects_an_answer_has_it_looked_at(browser: Conversation) -> None:
    row = browser.interactions.get()
    Feedback.objects.create(interaction=row, type=Feedback.Type.CORRECTION, category="NEWS")
    watching.run(now())
    item = ReviewItem.objects.get()
    assert reviewing.label(item, Category.NEWS, None).text == "price of btc"


def test_who_takes_it_back_is_unlearned(browser: Conversation) -> None:
    holder = privacy.holder(browser)
    privacy.agree(holder, Purpose.TRAINING, True, "page")
    row = browser.interactions.get()
    row.query = "how is the purple zebra coin of my uncle"
    row.save()
    reviewing.label(waiting(row), Category.NEWS, None)
    version, _ = datasets.freeze()
    assert "purple zebra" in datasets.content(version)
    privacy.agree(holder, Purpose.TRAINING, False, "page")
    assert not Example.objects.exists()
    assert not ReviewItem.objects.exists()
    version.refresh_from_db()
    assert "purple zebra" not in datasets.content(version)
    assert version.manifest["erased"] == 1
    assert len(datasets.read(version)) == version.questions  # and its hash is right
    assert Interaction.objects.count() == 1


def test_who_is_erased_leaves_the_datasets_and_what_we_wrote_stays(browser: Conversation) -> None:
    own = questions.train()[0].text
    row = browser.interactions.get()
    row.query = own
    row.save()
    privacy.agree(privacy.holder(browser), Purpose.TRAINING, True, "page")
    reviewing.label(waiting(row), Category.NEWS, None)
    version, _ = datasets.freeze()
    privacy.erase(privacy.holder(browser))
    assert own in {question.text for question in datasets.read(version)}
    assert not Example.objects.exists()


def test_no_word_is_kept_of_who_wants_no_history(browser: Conversation) -> None:
    privacy.agree(privacy.holder(browser), Purpose.HISTORY, False, "page")
    said = answering.reply("hello there", browser)
    assert said.query == "hello there"
    assert said.answer
    kept = Interaction.objects.get(pk=said.pk)
    assert (kept.query, kept.answer, kept.entities, kept.data) == ("", "", {}, [])
    assert kept.category == said.category


def test_many_are_asked_in_two_queries(
    browser: Conversation, django_assert_num_queries: Any
) -> None:
    others = [Conversation(pseudonym=f"{n:032}") for n in range(20)]
    for conversation in others:
        conversation.save()
    privacy.agree(privacy.holder(browser), Purpose.TRAINING, True, "page")
    privacy.agree(of_conversation(others[3]), Purpose.TRAINING, True, "api")
    with django_assert_num_queries(2):
        found = privacy.willing([browser, *others], Purpose.TRAINING)
    assert found == {browser.pk, others[3].pk}
    for conversation in (browser, *others[2:5]):
        assert privacy.may(conversation, Purpose.TRAINING) == (conversation.pk in found)
