from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from providers import catalogue, loading, priorities
from providers.models import Profile, Provider
from providers.priorities import Change

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]


def held() -> dict[str, tuple[int, bool]]:
    rows = Provider.objects.values_list("slug", "priority", "cached_only")
    return {slug: (priority, only) for slug, priority, only in rows}


def switch(name: str) -> dict[str, Change]:
    return {change.place: change for change in priorities.switch(priorities.profiles()[name])}


def test_origin_has_the_order_of_the_system_before() -> None:
    switch("origin")
    rows = held()
    assert rows["crypto_dt_source"] == (90, False)
    assert rows["crypto_api_clean"] == (80, False)
    assert rows["cryptocompare"] == (70, False)
    assert rows["coingecko_free"] == (60, True)
    assert {slug for slug, (_, only) in rows.items() if only} == {
        "coingecko_pro", "coingecko_demo", "coingecko_free"
    }  # fmt: skip
    assert all(rows[slug][0] < 60 for slug in ("kraken", "binance", "coinpaprika", "coinlore"))


def test_the_others_keep_their_order_below() -> None:
    before = held()
    switch("origin")
    after, named = held(), priorities.profiles()["origin"].named
    others = sorted(set(before) - set(named), key=lambda slug: before[slug][0])
    moved = [slug for slug in others if after[slug] != before[slug]]
    assert moved
    places = [after[slug][0] for slug in moved]
    assert places == sorted(places)
    assert after["mempool_space"] == before["mempool_space"], "nobody named tells of fees"


def test_switching_back_undoes_it_to_the_letter() -> None:
    Provider.objects.filter(slug="kraken").update(priority=7)
    Provider.objects.filter(slug="crypto_dt_source").update(priority=90)  # as origin has it
    Provider.objects.filter(slug="okx").update(cached_only=True)
    Provider.objects.create(slug="mine", title="Mine", adapter_name="kraken", priority=33)
    before = held()
    changes = switch("origin")
    assert changes["kraken.priority"].edited
    assert changes["crypto_dt_source.priority"].edited
    assert not changes["kraken.cached_only"].edited
    assert "mine.priority" not in changes
    assert held()["kraken"][0] == 7
    assert held()["mine"] == (33, False)
    switch("origin")
    switch("default")
    assert held() == before


def test_an_upgrade_does_not_undo_a_switch() -> None:
    switch("origin")
    Provider.objects.filter(slug="okx").update(priority=3)
    before = held()
    again = loading.load()["providers"]
    assert held() == before
    assert (again.updated, again.kept) == ([], ["okx.priority"])


def test_a_profile_of_another_release_is_the_default() -> None:
    Profile.objects.create(pk=1, name="gone", since="2026-01-01T00:00:00Z")
    assert priorities.in_force().name == "default"


def test_the_command_tells_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    Provider.objects.filter(slug="kraken").update(priority=7)
    before = held()
    call_command("priorities", "origin", "--dry-run")
    said = capsys.readouterr().out
    assert "crypto_dt_source.priority: 5 -> 90" in said
    assert "kraken.priority stays 7: your edit (says 53)" in said
    assert "nothing was changed" in said
    assert held() == before
    call_command("priorities", "origin")
    assert "origin is in force" in capsys.readouterr().out
    call_command("priorities")
    assert capsys.readouterr().out.startswith("origin is in force; there are: default, origin")
    with pytest.raises(CommandError, match="There are: default, origin"):
        call_command("priorities", "fastest")


@pytest.mark.parametrize(
    "row",
    [
        {"why": "", "priorities": {"nobody": 3}},
        {"why": "", "priorities": {"kraken": 0}},
        {"why": "", "priorities": {"kraken": 3}, "cached_only": ["nobody"]},
    ],
)
def test_a_profile_that_makes_no_sense_is_refused(row: dict[str, Any]) -> None:
    known = {entry.slug for entry in catalogue.load().providers}
    with pytest.raises(catalogue.CatalogueError):
        priorities._read("x", row, known)
