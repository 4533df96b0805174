"""The comparison that the other tests here rest on can fail."""

from __future__ import annotations

import pytest

from tests.providers.sandbox.shapes import assert_same, kinds, merged


def test_numbers_as_text_are_no_numbers() -> None:
    assert kinds({"a": 1, "b": "1.50", "c": "x", "d": None, "e": True}) == {
        "a": {"number"},
        "b": {"digits"},
        "c": {"text"},
        "d": {"null"},
        "e": {"flag"},
    }


def test_rows_maps_and_lists_have_places() -> None:
    document = {"rows": [[1, "2"], [3, "4"]], "map": {"x": {"v": 1}, "y": {"v": None}}}
    assert kinds(document, "map", rows=("rows[]",)) == {
        "rows[][0]": {"number"},
        "rows[][1]": {"digits"},
        "map.*.v": {"number", "null"},
    }


@pytest.mark.parametrize("ours", [{"a": "1", "b": 2}, {"a": 1}, {"a": 1, "b": 2, "c": 3}])
def test_a_wrong_type_a_missing_and_a_made_up_field_are_noticed(ours: dict[str, object]) -> None:
    with pytest.raises(AssertionError):
        assert_same(kinds(ours), kinds({"a": 1, "b": 2}))


def test_merging_takes_both_sides() -> None:
    assert merged(kinds({"a": 1}), kinds({"a": None})) == {"a": {"number", "null"}}
