"""Whatever releases say and operators do between them, an edit survives and the rest follows."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from providers.loading import bring
from providers.models import Resource, Shipped
from providers.tables import RESOURCES

FIELDS = {
    "title": st.sampled_from(["One", "Two", "Three"]),
    "priority": st.sampled_from([None, 10, 20]),
    "flags": st.sampled_from([[], ["suspect"], ["retired", "suspect"]]),
    "notes": st.sampled_from(["", "a", "b"]),
}
SLUGS = st.sampled_from(["a", "b", "c"])
SAYS = st.fixed_dictionaries(
    {"title": FIELDS["title"]}, optional={n: s for n, s in FIELDS.items() if n != "title"}
)
RELEASES = st.dictionaries(SLUGS, SAYS)
EDITS = st.lists(st.tuples(SLUGS, SAYS | st.none()), max_size=4)  # None: delete it


def apply(edits: list[tuple[str, dict[str, Any] | None]]) -> None:
    for slug, values in edits:
        if values is None:
            Resource.objects.filter(slug=slug).delete()
        else:
            Resource.objects.update_or_create(slug=slug, defaults={"category": "market"} | values)


def rows() -> dict[str, dict[str, Any]]:
    return {slug: RESOURCES.values(row) for slug, row in RESOURCES.rows().items()}


def words(release: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        slug: {"category": "market", "source": "house"} | said for slug, said in release.items()
    }


def check(before: dict[str, Any], last: dict[str, Any], said: dict[str, Any]) -> None:
    """`before` are the rows, `last` and `said` what this release and the one before say."""
    after, defaults = rows(), RESOURCES.defaults()
    for slug, row in before.items():
        for name, value in row.items():
            was = last[slug][name] if slug in last else object()
            now = (defaults | said[slug])[name] if slug in said else value
            if value != was:
                assert after[slug][name] == value, f"an edit of {slug}.{name} is lost"
            elif slug in said:
                assert after[slug][name] == now, f"{slug}.{name} does not follow"
    for slug in said.keys() - before.keys():
        assert (slug in after) == (slug not in last), "deleted stays so, new comes in"
    assert after.keys() <= before.keys() | said.keys()


class Upgrades(TestCase):
    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.tuples(RELEASES, EDITS), min_size=2, max_size=5))
    def test_an_edit_survives_any_upgrade_and_the_rest_follows(self, history: list[Any]) -> None:
        for release, edits in history:
            said = words(release)
            before = rows()
            last = dict(Shipped.objects.filter(kind="resources").values_list("key", "values"))
            bring(RESOURCES, said)
            check(before, last, said)
            settled = rows()
            again = bring(RESOURCES, said)
            assert not again.added + again.updated + again.retired
            assert rows() == settled
            apply(edits)
