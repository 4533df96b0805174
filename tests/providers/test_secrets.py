from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from providers.secrets import (
    SecretUnreadable,
    decrypt,
    encrypt,
    encryption_keys_are_valid,
    rotate,
)

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]


@given(st.text(st.characters(codec="utf-8")))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_encrypted_comes_back_and_cannot_be_read(text: str) -> None:
    token = encrypt(text)
    assert decrypt(token) == text
    assert len(text) < 4 or text not in token


def test_the_same_secret_never_looks_the_same() -> None:
    assert encrypt("sesame") != encrypt("sesame")


def test_a_new_first_key_still_reads_what_the_old_one_wrote(settings: Settings) -> None:
    token = encrypt("sesame")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert decrypt(token) == "sesame"
    settings.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(SecretUnreadable):
        decrypt(token)


def test_after_rotation_the_old_key_may_go(settings: Settings) -> None:
    token = encrypt("sesame")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    rotated = rotate(token)
    settings.ENCRYPTION_KEYS = [NEW]
    assert decrypt(rotated) == "sesame"


@pytest.mark.parametrize("token", ["", "sesame", "gAAAAA==", "\N{SNOWMAN}", "gAAAAABm" + "A" * 100])
def test_what_cannot_be_decrypted_is_never_passed_on(token: str) -> None:
    for read in (decrypt, rotate):
        with pytest.raises(SecretUnreadable) as caught:
            read(token)
        assert not token or token not in str(caught.value)


def test_a_changed_token_is_refused() -> None:
    token = encrypt("sesame")
    changed = token[:20] + ("A" if token[20] != "A" else "B") + token[21:]
    with pytest.raises(SecretUnreadable):
        decrypt(changed)


@pytest.mark.parametrize(
    "keys", [[], ["sesame-open"], [OLD, "sesame-open"], [OLD + "x"], [OLD + NEW], ["\xff"]]
)
def test_malformed_keys_stop_the_start_without_being_shown(
    keys: list[str], settings: Settings
) -> None:
    settings.ENCRYPTION_KEYS = keys
    problems = encryption_keys_are_valid()
    assert [problem.id for problem in problems] == ["providers.E002"]
    assert problems[0].is_serious()
    assert not any(key in str(problem) for key in keys for problem in problems)
    with pytest.raises(ImproperlyConfigured, match="ENCRYPTION_KEYS"):
        encrypt("sesame")


def test_good_keys_are_no_problem(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert encryption_keys_are_valid() == []
