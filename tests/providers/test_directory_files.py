"""The files of the directory: what stands in them, and that a mistake is named by file and line."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from providers import catalogue
from providers.catalogue import CatalogueError, directory
from providers.catalogue.directory import FOLDER, ResourceEntry
from providers.models import Resource

ENTRIES = directory.load()
PROVIDERS = {entry.slug for entry in catalogue.load().providers}
SHARED = Path(__file__).parents[3] / "shared" / "reference" / "catalogue.json"

# The lists had 178 data providers and 88 LLM providers; several entries of one host became one.
IN_LISTS = {"data_lists": 178, "llm_lists": 88}
BY_KIND = {"api": 108, "dataset": 12, "feed": 8, "llm": 87, "model": 2, "node": 26}
FLAGS = {"retired": 12, "deprecated": 6, "suspect": 28, "paid_only": 5, "terms_risk": 5}


def entry(slug: str) -> ResourceEntry:
    (found,) = [entry for entry in ENTRIES if entry.slug == slug]
    return found


def test_every_entry_of_the_lists_is_here_once() -> None:
    names = Counter((entry.source, name) for entry in ENTRIES for name in entry.called())
    assert set(names.values()) == {1}
    assert Counter(source for source, _ in names) == IN_LISTS


@pytest.mark.skipif(not SHARED.exists(), reason="the lists are not here")
def test_no_entry_of_the_lists_was_forgotten() -> None:
    lists = json.loads(SHARED.read_text())
    listed = {p["slug"] for p in lists["providers"] + lists["llm_providers"]}
    assert {name for entry in ENTRIES for name in entry.called()} == listed


def test_counts_by_kind() -> None:
    assert Counter(entry.kind for entry in ENTRIES) == BY_KIND
    flags = Counter(flag for entry in ENTRIES for flag in entry.flags)
    assert {flag: flags[flag] for flag in FLAGS} == FLAGS


@pytest.mark.django_db
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.slug)
def test_an_entry_makes_a_row_that_the_admin_would_take(entry: ResourceEntry) -> None:
    Resource(slug=entry.slug, **entry.row()).full_clean()


def test_nobody_is_called_alive() -> None:
    assert not {"status", "status_at"} & set(entry("kraken").row())


def test_a_claim_says_where_and_when_it_was_read() -> None:
    for found in ENTRIES:
        for window in found.limits:
            assert window.source
            assert window.read_on.year >= 2025


def test_a_link_leads_to_a_provider_and_a_provider_has_one_entry_at_most() -> None:
    linked = [slug for entry in ENTRIES for slug in entry.providers]
    assert set(linked) <= PROVIDERS
    assert len(linked) == len(set(linked)) >= 35


def test_what_has_ended_is_listed_as_retired() -> None:
    for slug in ("bscscan", "coincap-v2", "github-models", "huggingface-inference-legacy"):
        assert "retired" in entry(slug).flags
        assert entry(slug).notes
    assert "paid_only" in entry("cryptocompare").flags
    assert "deprecated" in entry("blockscout").flags


def test_models_and_datasets_are_told_apart_on_one_host() -> None:
    hub = [entry for entry in ENTRIES if "huggingface.co/" in entry.url]
    assert len(hub) > 10
    kinds = {"datasets/" in entry.url: entry.kind for entry in hub if entry.kind != "api"}
    assert kinds[True] == "dataset"


def test_no_key_stands_in_the_files() -> None:
    written = "".join(path.read_text() for path in FOLDER.iterdir())
    assert not re.findall(r"(?<![\w-])(?:sk-|hf_|gsk_|nvapi-|AIza)[\w-]{8,}", written)
    words = re.findall(r"\b[A-Za-z0-9]{24,}\b", written)
    assert not [word for word in words if re.search(r"\d.*[A-Za-z]|[A-Za-z].*\d", word)]


# -- What is refused -------------------------------------------------------------------------

GOOD = """\
- slug: one
  title: One
  url: https://one.example
  auth: none
  limits:
    - {limit: 1, per_s: 60, source: here, read_on: 2026-01-01}
"""


def load(folder: Path, text: str) -> tuple[ResourceEntry, ...]:
    (folder / "market.yaml").write_text(text)
    return directory.load(folder)


def test_the_smallest_file_is_read(tmp_path: Path) -> None:
    (found,) = load(tmp_path, GOOD)
    assert (found.category, found.kind, found.source) == ("market", "api", "data_lists")
    assert found.limits[0].per_s == 60


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (changed("auth: none", "auth: maybe"), "market.yaml, line 4: auth: one of none, "),
        (changed("  auth: none\n", ""), "market.yaml, line 1: missing: auth"),
        (changed("title: One", "titel: One"), "market.yaml, line 1: unknown: titel"),
        (changed("title: One", "title: 1"), "line 2: title: a text"),
        (changed("https://one", "ftp://one"), "line 3: url: Use an address"),
        (changed("https://one", "https://me:pass@one"), "line 3: url: Use an address"),
        (changed("limit: 1,", "limit: 0,"), "line 1: limits: limit and per_s are above 0"),
        (changed("read_on: 2026-01-01", "read_on: lately"), "line 1: limits: "),
        (changed(", read_on: 2026-01-01", ""), "line 1: limits: "),
        (changed("limit: 1,", "limit: many,"), "line 1: limits: "),
        (GOOD + "  flags: [odd]\n", "line 7: flags: no flag: odd"),
        (GOOD + "  flags: odd\n", "line 7: flags: a list of texts"),
        (GOOD + "  priority: 101\n", "line 7: priority: 0 to 100"),
        (GOOD + "  slug: two\n", "line 7: 'slug' stands there twice"),
        (GOOD + GOOD, "line 7: host 'one.example' is that of market.yaml: one too"),
        (GOOD + GOOD.replace("example", "org"), "line 7: slug 'one' is that of"),
        ("one: two", "line 1: a list of entries"),
        ("- one", "line 1: an entry is a mapping"),
    ],
)
def test_a_mistake_is_named_by_file_and_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        load(tmp_path, text)
    assert complaint in str(caught.value)
    assert str(caught.value).startswith("market.yaml, line ")


def test_a_host_that_two_files_name_is_found(tmp_path: Path) -> None:
    (tmp_path / "news.yaml").write_text(GOOD.replace("slug: one", "slug: two"))
    with pytest.raises(CatalogueError, match="is that of market.yaml: one too"):
        load(tmp_path, GOOD)
