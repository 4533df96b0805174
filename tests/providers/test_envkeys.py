from __future__ import annotations

import logging
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection

from aggregator.env import Env
from providers import calls, loading, roster
from providers.client import call
from providers.datasets import GasQuery
from providers.errors import NoKey
from providers.models import Call, Credential, Provider
from providers.redaction import redact
from providers.resilience import Deadline
from providers.secrets import SecretUnreadable
from tests.upstreams import Keyed, Said, Upstreams, usual

pytestmark = pytest.mark.django_db

ONE, TWO = "the-first-of-the-environment", "the-second-of-the-environment"


@pytest.fixture(autouse=True)
def _environment(settings: Any) -> None:
    settings.PROVIDER_KEYS = {"THIS_API_KEY": ONE, "THIS_API_KEY_2": TWO}


@pytest.fixture
def provider(upstreams: Upstreams) -> Provider:
    return upstreams.provider("a", Keyed, key_env=["THIS_API_KEY", "THIS_API_KEY_2"])


def entered(provider: Provider, key: str, label: str = "mine", **fields: Any) -> Credential:
    row = Credential(provider=provider, label=label, **fields)
    row.set_key(key)
    row.save()
    return row


def keys(provider: Provider) -> list[str]:
    roster.forget()
    return [row.key() for row in roster.current().keys_of(provider)]


def ask(provider: Provider) -> None:
    roster.forget()
    call(provider, GasQuery(), Deadline(5))


def test_variables_hold_keys_in_the_order_in_which_the_row_names_them(provider: Provider) -> None:
    assert keys(provider) == [ONE, TWO]


def test_what_was_entered_is_tried_first_and_left_alone(provider: Provider) -> None:
    row = entered(provider, "entered-by-hand", order=7)
    before = Credential.objects.filter(pk=row.pk).values().get()
    assert keys(provider) == ["entered-by-hand", ONE, TWO]
    assert Credential.objects.filter(pk=row.pk).values().get() == before


def test_an_administrator_may_order_them_otherwise_and_switch_one_off(provider: Provider) -> None:
    entered(provider, "entered-by-hand", order=7)
    keys(provider)
    Credential.objects.filter(env_name="THIS_API_KEY").update(order=0)
    Credential.objects.filter(env_name="THIS_API_KEY_2").update(enabled=False)
    assert keys(provider) == [ONE, "entered-by-hand"]


def test_a_key_that_is_there_twice_is_used_once(provider: Provider, settings: Any) -> None:
    """Or its quota would be counted as two."""
    entered(provider, ONE)
    settings.PROVIDER_KEYS["THIS_API_KEY_2"] = ONE
    assert keys(provider) == [ONE]
    assert not roster.current().keys_of(provider)[0].env_name


def test_a_key_that_was_switched_off_stays_off_in_its_variable(provider: Provider) -> None:
    entered(provider, ONE, enabled=False)
    assert keys(provider) == [TWO]


def test_a_variable_is_of_the_providers_that_name_it_alone(
    provider: Provider, upstreams: Upstreams
) -> None:
    other = upstreams.provider("b", Keyed, key_env=["THIS_API_KEY"])
    nobody = upstreams.provider("c", Keyed, key_env=["SECRET_KEY", "PATH"])
    assert keys(other) == [ONE]
    assert keys(nobody) == []


def test_the_database_never_holds_the_key(provider: Provider) -> None:
    ask(provider)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM providers_credential")
        stored = str(cursor.fetchall())
    assert "THIS_API_KEY" in stored
    for key in (ONE, TWO):
        assert key not in stored
        assert key[4:] not in stored


def test_a_call_tells_which_variable_it_was_made_with(provider: Provider) -> None:
    ask(provider)
    assert calls.flush()
    used = Call.objects.get().credential
    assert used is not None
    assert used.env_name == "THIS_API_KEY"


def test_a_refused_one_is_set_aside_alone_and_the_next_is_used(
    provider: Provider, upstreams: Upstreams, caplog: pytest.LogCaptureFixture
) -> None:
    upstreams.play["a"] = lambda asked: usual(asked) if asked.key == TWO else Said(401)
    with caplog.at_level(logging.INFO):
        ask(provider)
        ask(provider)
    assert [asked.key for asked in upstreams.asked] == [ONE, TWO, TWO]
    row = Credential.objects.get(env_name="THIS_API_KEY")
    assert "401" in row.set_aside_reason
    assert ONE not in caplog.text


def test_a_new_key_in_the_variable_starts_with_a_clean_record(
    provider: Provider, upstreams: Upstreams, settings: Any
) -> None:
    upstreams.play["a"] = lambda asked: Said(401)
    with pytest.raises(NoKey):
        ask(provider)
    assert keys(provider) == []
    settings.PROVIDER_KEYS = {"THIS_API_KEY": "a-key-that-was-renewed"}
    assert keys(provider) == ["a-key-that-was-renewed"]
    assert Credential.objects.get(env_name="THIS_API_KEY").set_aside_reason == ""


def test_an_emptied_variable_is_no_key_and_its_row_says_so(
    provider: Provider, settings: Any
) -> None:
    assert keys(provider) == [ONE, TWO]
    settings.PROVIDER_KEYS = {}
    assert keys(provider) == []
    assert provider.pk not in roster.current().keyed
    with pytest.raises(SecretUnreadable, match="THIS_API_KEY is not set"):
        Credential.objects.get(env_name="THIS_API_KEY").key()


def test_a_row_that_was_deleted_comes_back_clean(provider: Provider) -> None:
    keys(provider)
    Credential.objects.all().delete()
    assert keys(provider) == [ONE, TWO]


def test_nothing_is_written_when_nothing_changed(
    provider: Provider, django_assert_num_queries: Any
) -> None:
    keys(provider)
    roster.forget()
    with django_assert_num_queries(4):  # providers, credentials, policies, health
        roster.current()


def test_encryption_keys_are_changed_without_them(provider: Provider) -> None:
    entered(provider, "entered-by-hand")
    keys(provider)
    said = StringIO()
    call_command("rotatekeys", stdout=said)
    assert said.getvalue().startswith("1 keys")
    assert keys(provider) == ["entered-by-hand", ONE, TWO]


def test_the_catalogue_says_whose_a_variable_is(settings: Any) -> None:
    settings.PROVIDER_KEYS = {"ETHERSCAN_API_KEY_2": TWO, "COINDESK_API_KEY": ONE}
    loading.load()
    roster.current()
    found = {(row.provider.slug, row.key()) for row in Credential.objects.all()}
    assert found == {("etherscan", TWO), ("coindesk_data", ONE), ("coindesk_news", ONE)}


# -- The environment itself ------------------------------------------------------------------


def test_variables_that_are_empty_hold_no_key() -> None:
    env = Env({"A_KEY": " x ", "B_KEY": "  ", "SECRET_KEY": "s"})
    assert env.keys(["A_KEY", "B_KEY", "C_KEY"]) == {"A_KEY": "x"}


def test_a_variable_may_name_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("of-a-file\n")
    assert Env({"A_KEY_FILE": str(tmp_path / "key")}).keys(["A_KEY"]) == {"A_KEY": "of-a-file"}
    with pytest.raises(ImproperlyConfigured, match="A_KEY_FILE"):
        Env({"A_KEY_FILE": str(tmp_path / "nowhere")}).keys(["A_KEY"])


def test_real_keys_do_not_go_into_the_sandbox() -> None:
    env = Env({"A_KEY": "CG-real", "B_KEY": "sandbox-b"})
    assert env.keys(["A_KEY", "B_KEY"], prefix="sandbox-") == {"B_KEY": "sandbox-b"}


def test_what_was_read_is_hidden_before_anybody_uses_it(settings: Any) -> None:
    settings.PROVIDER_KEYS = {"A_KEY": "never-asked-with-this-one"}
    apps.get_app_config("providers").ready()
    assert redact("GET /?k=never-asked-with-this-one") == "GET /?k=***"
