"""Settings come from the environment, and nonsense is refused with the variable's name."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from aggregator.env import Env

PLAIN_TEXT = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1)


@pytest.mark.parametrize("value", ["1", "true", "YES", "on", " 1 "])
def test_a_flag_is_on(value: str) -> None:
    assert Env({"F": value}).flag("F", False) is True


@pytest.mark.parametrize("value", ["0", "false", "No", "OFF", ""])
def test_a_flag_is_off(value: str) -> None:
    assert Env({"F": value}).flag("F", True) is False


@pytest.mark.parametrize("default", [True, False])
def test_an_absent_flag_is_its_default(default: bool) -> None:
    assert Env({}).flag("F", default) is default


def test_a_flag_that_is_neither_is_refused_by_name() -> None:
    with pytest.raises(ImproperlyConfigured, match="^SANDBOX=maybe: "):
        Env({"SANDBOX": "maybe"}).flag("SANDBOX", False)


@given(st.integers(1, 65535))
def test_a_whole_number_is_read_as_written(number: int) -> None:
    assert Env({"PORT": f" {number} "}).whole("PORT", 1, least=1, most=65535) == number


@given(st.integers().filter(lambda n: not 1 <= n <= 65535))
def test_a_number_out_of_bounds_is_refused_with_the_bounds(number: int) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^PORT={number}: use 1 to 65535$"):
        Env({"PORT": str(number)}).whole("PORT", 8000, least=1, most=65535)


@pytest.mark.parametrize("value", ["80x", "8.0", "eighty", "0x50"])
def test_a_number_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^PORT={value}: use a whole number$"):
        Env({"PORT": value}).whole("PORT", 8000)


def test_an_empty_number_is_its_default() -> None:
    assert Env({"PORT": ""}).whole("PORT", 8000) == 8000


@pytest.mark.parametrize("value", ["", "  ", "auto", " AUTO "])
def test_a_choice_is_read_in_any_case_and_has_a_default(value: str) -> None:
    assert Env({"METHOD": value}).choice("METHOD", "auto", ("auto", "local")) == "auto"


def test_a_choice_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(ImproperlyConfigured, match="^METHOD=magic: use one of auto, local$"):
        Env({"METHOD": "magic"}).choice("METHOD", "auto", ("auto", "local"))


@given(st.lists(PLAIN_TEXT.filter(lambda word: "," not in word)))
def test_words_are_what_stands_between_commas(words: list[str]) -> None:
    assert Env({"W": " , ".join(words)}).words("W") == words


def test_networks_are_addresses_with_their_masks() -> None:
    networks = Env({"N": "10.0.0.0/8, ::1/128, 192.0.2.7"}).networks("N")
    assert networks == [ipaddress.ip_network(n) for n in ("10.0.0.0/8", "::1/128", "192.0.2.7/32")]


@pytest.mark.parametrize("value", ["10.0.0.0/64", "home", "10.0.0.1/8"])
def test_a_network_that_is_none_is_refused_by_name(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="^ALLOW_PRIVATE_UPSTREAMS: "):
        Env({"ALLOW_PRIVATE_UPSTREAMS": value}).networks("ALLOW_PRIVATE_UPSTREAMS")


@pytest.mark.parametrize("environ", [{}, {"SECRET_KEY": ""}, {"SECRET_KEY": "  "}])
def test_a_secret_has_no_default(environ: dict[str, str]) -> None:
    with pytest.raises(ImproperlyConfigured, match="^SECRET_KEY is not set"):
        Env(environ).secret("SECRET_KEY")


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from a file\n")
    assert Env({"SECRET_KEY_FILE": str(file)}).secret("SECRET_KEY") == "from a file"


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="^SECRET_KEY_FILE=.*nowhere: No such file"):
        Env({"SECRET_KEY_FILE": str(tmp_path / "nowhere")}).secret("SECRET_KEY")


def test_an_empty_secret_file_is_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("\n")
    with pytest.raises(ImproperlyConfigured, match="^SECRET_KEY is not set"):
        Env({"SECRET_KEY_FILE": str(file)}).secret("SECRET_KEY")
