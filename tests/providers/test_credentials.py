from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.utils.timezone import now

from providers.models import Credential, Provider
from providers.secrets import SecretUnreadable

pytestmark = pytest.mark.django_db

KEY = "CG-do-not-tell-anybody"


@pytest.fixture
def credential() -> Credential:
    provider = Provider.objects.create(slug="a", title="A", adapter_name="kraken")
    found = Credential(provider=provider, label="main")
    found.set_key(KEY)
    found.save()
    return found


def stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM providers_credential")
        return str(cursor.fetchall())


def test_a_key_comes_back_and_is_not_in_the_database(credential: Credential) -> None:
    assert Credential.objects.get().key() == KEY
    assert KEY not in stored()
    assert KEY[3:] not in stored()


def test_a_key_shows_in_no_words_about_it(credential: Credential) -> None:
    for words in (str(credential), repr(credential), str(vars(credential))):
        assert KEY not in words


def test_a_key_whose_encryption_key_is_gone_is_never_passed_on(
    credential: Credential, settings: Any
) -> None:
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(SecretUnreadable):
        Credential.objects.get().key()


def test_a_stored_plain_text_is_no_key(credential: Credential) -> None:
    Credential.objects.update(secret=KEY)
    with pytest.raises(SecretUnreadable):
        Credential.objects.get().key()


def test_after_rotation_the_old_encryption_key_can_go(
    credential: Credential, settings: Any
) -> None:
    new = Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, *settings.ENCRYPTION_KEYS]
    call_command("rotatekeys", stdout=StringIO())
    settings.ENCRYPTION_KEYS = [new]
    assert Credential.objects.get().key() == KEY


def test_a_new_key_starts_with_a_clean_record(credential: Credential) -> None:
    credential.set_aside_at, credential.set_aside_reason = now(), "HTTP 401"
    credential.set_key("another")
    assert not credential.set_aside_at
    assert credential.set_aside_reason == ""


def test_a_provider_has_no_two_keys_of_one_label(credential: Credential) -> None:
    with pytest.raises(IntegrityError):
        Credential.objects.create(provider=credential.provider, label="main", secret="x")
