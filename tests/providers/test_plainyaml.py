"""YAML as data: what is read, what is refused, and that every complaint names its line."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.plainyaml import MOST_CHARACTERS, NotPlain, dump, read


def test_every_part_knows_its_line() -> None:
    plain = read("# a remark\na: 1\nb:\n  - x\n  - {c: y}\n")
    assert plain.value == {"a": 1, "b": ["x", {"c": "y"}]}
    assert (plain.line("a"), plain.line("b", 1), plain.line("b", 1, "c")) == (2, 5, 5)
    assert plain.line("b", 7, "nowhere") == 4


@pytest.mark.parametrize(
    ("word", "means"),
    [
        ("no", "no"),
        ("on", "on"),
        ("2026-11-21", "2026-11-21"),
        ("1:30", "1:30"),
        ("0x1f", "0x1f"),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("9" * 400, "9" * 400),
        ("'12'", "12"),
        ("<<", "<<"),
        ("null", None),
        ("", None),
        ("true", True),
        ("-7", -7),
        ("2.50", 2.5),
        ("1e3", 1000.0),
    ],
)
def test_few_words_mean_something_else(word: str, means: Any) -> None:
    assert read(f"a: {word}").value == {"a": means}


BOMB = "a: &a [x, x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abc", "bcd", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "line 2: an alias"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]", "line 2: a tag"),
        ("a: !!str 1", "line 1: a tag"),
        ("a: 1\nb:\n  c: 1\n  c: 2", "line 4: 'c' stands there twice"),
        ("a: 1\n---\nb: 2", "line 2: a second document"),
        ("[" * 5000, "line 1: this is nested too deeply"),
        ("? [a]\n: b", "line 1: a name is a text"),
        ("a: [1,\nb: 2", "line 3: "),
        ("a: 'x", "line "),
        ("a:\n\tb: 1", "line 2: "),
        ("a: \x00", "control characters"),
        ("a: \ud800", "surrogates"),
        ('a: "\\0"', "line 1: this text holds"),
        ('a: {"\\ud800": 1}', "line 1: "),
        ("a" * (MOST_CHARACTERS + 1), "longer than 1,000,000 characters"),
    ],
)
def test_the_hostile_is_refused_at_once(text: str, said: str) -> None:
    began = time.monotonic()
    with pytest.raises(NotPlain, match=f"^{said}" if said.startswith("line") else said):
        read(text)
    assert time.monotonic() - began < 2


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner),
    max_leaves=12,
)


@given(VALUES)
@example("1e5")
@example({"0E0": ["+1", "", "~", "True"]})
@example("a\x85b")
def test_what_is_dumped_is_read_back(value: Any) -> None:
    assert read(dump(value)).value == value


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(NotPlain):
        plain = read(text)
        assert plain.line() >= 1
