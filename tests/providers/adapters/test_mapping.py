"""Whatever a mapping says, it is understood or refused with where and what; it runs nothing."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.adapters.declared import adapter_of
from providers.adapters.mapping import (
    MEANINGS,
    OFFERABLE,
    PLACES,
    NotAMapping,
    Offer,
    record_fields,
)
from providers.adapters.mapping_reader import parse
from providers.datasets import PriceQuery
from providers.errors import ProviderError
from tests.providers.adapters.conftest import adapt
from tests.providers.adapters.declarations import TWINS
from tests.providers.adapters.test_mutants import lies, places, replaced

GOOD: dict[str, Any] = {
    "auth": {"header": "X-Key", "prefix": "Bearer "},
    "ping": "/ping",
    "errors": [{"when": "error", "means": "missing"}],
    "datasets": {
        "price": {
            "path": "/price/{id}",
            "params": {"in": "{currency}"},
            "currencies": {"usd": "usd", "eur": "eur"},
            "fields": {"price": "last", "last_updated": "at"},
            "units": {"last_updated": "s"},
        }
    },
}


def changed(path: str, value: Any) -> dict[str, Any]:
    found = deepcopy(GOOD)
    place: Any = found
    *parts, last = path.split("/")
    for part in parts:
        place = place[part]
    place[last] = value
    return found


def test_a_good_mapping_is_understood() -> None:
    found = parse(GOOD)
    assert found.auth
    assert (found.auth.header, found.auth.required) == ("X-Key", True)
    assert list(found.offers) == ["price"]
    assert adapter_of("x", GOOD).offers == (PriceQuery,)


@pytest.mark.parametrize("twin", TWINS, ids=str)
def test_the_examples_are_good(twin: Any) -> None:
    assert list(parse(twin.mapping).offers) == [twin.dataset]


PRICE = "datasets/price"


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("datasets", {}, "datasets: names at least one"),
        ("datasets/news", {}, "datasets.news: cannot be declared"),
        ("colour", "red", "'colour' is unknown here"),
        ("auth", {"header": "Host"}, "auth: no key travels in the header"),
        ("auth", {"header": "X\r\nHost"}, "auth: "),
        ("auth", {"header": "A", "param": "b"}, "one of them"),
        ("auth", {}, "one of them"),
        ("names", "guess", "names: is one of"),
        ("ping", "https://evil.example/", "ping: begins with /"),
        ("ping", "/{id}", "{id} stands for nothing here"),
        ("errors", [{"when": "a", "means": "fine"}], "errors: is one of"),
        (f"{PRICE}/path", "price", "begins with /"),
        (f"{PRICE}/path", "//evil.example/{id}", "begins with /"),
        (f"{PRICE}/path", "/{id}?a=b", "begins with /"),
        (f"{PRICE}/path", "/../{id}", "does not climb"),
        (f"{PRICE}/path", "/{id.__class__}", "braces stand around one word"),
        (f"{PRICE}/path", "/{symbol}", "{symbol} stands for nothing here"),
        (f"{PRICE}/path", "/price", "there is no {id}"),
        (f"{PRICE}/path", "/price/{ids}", "several rows need a field id"),
        (f"{PRICE}/params", {}, "several currencies need a {currency}"),
        (f"{PRICE}/params", {"a": 5}, "params.a: is a text"),
        (f"{PRICE}/currencies", {}, "currencies says what it answers in"),
        (f"{PRICE}/currencies", {"usd": "$"}, "by their letters"),
        (f"{PRICE}/fields", {}, "fields: price is missing"),
        (f"{PRICE}/fields/cost", "x", "'cost' is unknown here"),
        (f"{PRICE}/fields/price", "a..b", "fields.price: is no JMESPath"),
        (f"{PRICE}/fields/price", "`5`", "a constant is no number"),
        (f"{PRICE}/fields/price", "last || '5'", "a constant is no number"),
        (f"{PRICE}/fields/price", "to_number(last)", "of functions only"),
        (f"{PRICE}/fields/price", "[last, last][]", "multi select list is not taken"),
        (f"{PRICE}/fields/price", "{a: last}.a", "multi select dict is not taken"),
        (f"{PRICE}/fields/price", "[0]", "columns of a list need its width"),
        (f"{PRICE}/units", {}, "last_updated is a time"),
        (f"{PRICE}/units/price", 0.01, "is what to multiply by"),
        (f"{PRICE}/units/price", "-1", "is what to multiply by"),
        (f"{PRICE}/units/volume_24h", "1", "is none of the fields"),
        (f"{PRICE}/batch", True, "whole number from 1 to 100"),
        (f"{PRICE}/cost", 0, "whole number from 1"),
        (f"{PRICE}/pages", {"size": 5}, "this dataset has none"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(path: str, value: Any, complaint: str) -> None:
    with pytest.raises(NotAMapping) as caught:
        parse(changed(path, value))
    assert any(complaint in error for error in caught.value.errors), caught.value.errors


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wrong = changed(f"{PRICE}/path", "x")
    wrong["names"], wrong["datasets"]["price"]["fields"]["price"] = "?", "("
    with pytest.raises(NotAMapping) as caught:
        parse(wrong)
    assert len(caught.value.errors) >= 3


@pytest.mark.parametrize("name", sorted(OFFERABLE))
def test_every_dataset_has_fields_to_be_read(name: str) -> None:
    assert any(not optional for _, optional in record_fields(name).values())


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(ANY)
def test_any_document_is_refused_in_words(document: Any) -> None:
    with pytest.raises(NotAMapping) as caught:
        parse(document)
    assert all(caught.value.errors)


EVERY = [(place, lie) for place, value in places(GOOD) for lie in lies(value)]


@pytest.mark.parametrize("number", range(len(EVERY) // 50 + 1))
def test_a_mapping_that_was_tampered_with_is_refused_or_works(number: int) -> None:
    for place, lie in EVERY[number * 50 : number * 50 + 50]:
        document = replaced(GOOD, place, lie)
        try:
            kind = adapter_of("x", json.loads(json.dumps(document, default=str)))
        except NotAMapping:
            continue
        adapter, _ = adapt(kind, {"last": "5", "at": 1779105561}, names={"BTC": {"": "b"}})
        try:
            rows = adapter.fetch(PriceQuery(("BTC",)))
        except ProviderError:
            continue
        assert {row.price for row in rows} <= {5}


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_no_expression_makes_it_stumble(expression: str) -> None:
    try:
        kind = adapter_of("x", changed(f"{PRICE}/fields/price", expression))
    except NotAMapping:
        return
    adapter, _ = adapt(kind, {"last": "5", "at": 1779105561}, names={"BTC": {"": "b"}})
    try:
        rows = adapter.fetch(PriceQuery(("BTC",)))
    except ProviderError:
        return
    assert {row.price for row in rows} <= {5, 1779105561}


@given(st.text(max_size=40))
def test_no_path_leaves_the_host(path: str) -> None:
    try:
        parse(changed(f"{PRICE}/path", path + "/{id}"))
    except NotAMapping:
        return
    assert path == "" or path.startswith("/")
    assert "//" not in path
    assert not {"?", "#", "\\"} & set(path)


def test_the_page_about_it_names_every_word_and_place() -> None:
    page = (Path(__file__).parents[3] / "docs/declared.md").read_text()
    words = {"auth", "names", "listed_as", "ping", "errors", "datasets", *OFFERABLE, *MEANINGS}
    words |= {field.name for field in fields(Offer)} - {"query", "size", "first", "most"} | {
        "pages"
    }
    assert {word for word in words if f"`{word}`" not in page} == set()
    assert {place for of in PLACES.values() for place in of if f"{{{place}}}" not in page} == set()
    assert f"declare {len(TWINS)} APIs" in page.replace("declare eight APIs", "declare 8 APIs")
