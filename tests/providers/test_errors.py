from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import pytest

from providers import errors
from providers.errors import (
    Attempt,
    BadQuery,
    Dropped,
    Failed,
    GatewayError,
    Missing,
    NotFound,
    Overloaded,
    PlanLimit,
    ProviderError,
    Refused,
    Unanswered,
)


def family(kind: type[GatewayError]) -> Iterator[type[GatewayError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from family(child)


EVERY = [kind for kind in family(GatewayError) if not kind.__name__.startswith("_")]


def drawn() -> dict[str, int]:
    """The tree of the module's docstring: name -> indentation."""
    lines = re.findall(r"^( *)[*x+\-.] (\w+)", inspect.getdoc(errors) or "", re.MULTILINE)
    return {name: len(indent) // 2 for indent, name in lines}


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    tree = drawn()
    assert set(tree) == {kind.__name__ for kind in EVERY}
    for kind in EVERY[1:]:
        parents = [base for base in kind.__mro__[1:] if base.__name__ in tree]
        assert tree[kind.__name__] == tree[parents[0].__name__] + 1, kind


def test_every_error_has_a_code_of_its_own_that_fits_a_row() -> None:
    codes = [kind.code for kind in EVERY]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z_]{1,20}", code) for code in codes)


@pytest.mark.parametrize("kind", [k for k in EVERY if issubclass(k, ProviderError)])
def test_what_an_error_tells_its_catcher_is_consistent(kind: type[ProviderError]) -> None:
    if issubclass(kind, Refused):
        assert kind.healthy is None, "no call was made: nothing was learned"
    if kind.retryable:
        assert kind is Dropped, "nothing else is safe to send twice"
        assert kind.healthy is None, "a circuit that opens would refuse the second try"
    if kind in (Missing, PlanLimit):
        assert kind.healthy
    assert issubclass(kind, Failed) or kind.healthy is None or kind is ProviderError


def test_a_provider_error_without_words_says_its_code() -> None:
    assert str(Missing()) == "missing"
    assert Missing(wait=3).wait == 3


def test_nobody_answered_means_waiting_for_the_first_who_may() -> None:
    attempts = [Attempt("a", "circuit_open", 60), Attempt("b", "broken"), Attempt("c", "x", 5.0)]
    assert Unanswered("no", attempts).wait == 5
    assert Unanswered("no", attempts).attempts == tuple(attempts)
    assert Unanswered("no", [Attempt("a", "broken")]).wait is None
    assert Unanswered("no").wait is None


def test_what_the_others_carry() -> None:
    assert BadQuery("no", field="limit").field == "limit"
    assert NotFound("no", [Attempt("a", "missing")]).attempts[0].provider == "a"
    assert Overloaded().wait == 1
    assert str(Overloaded()) == Overloaded.title
