"""
The resources this project knows of, read from `resources/<category>.yaml`.

The files are facts from public lists, merged by host; models and data sets on a hub are told apart
by their names there. What the fields mean stands in docs/catalogue.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from providers import plainyaml
from providers.catalogue import HERE, CatalogueError, WindowEntry, _build
from providers.resources import Auth, Flag, KeyIn, Kind, Source, check_address

FOLDER = HERE / "resources"
HUBS = ("huggingface.co", "www.kaggle.com")  # hosts of many things that differ by path
KINDS = {"node": "node", "llm": "llm", "models": "model", "datasets": "dataset"}
CHOICES = {"kind": Kind, "source": Source, "auth": Auth, "key_in": KeyIn}
TEXTS = ("slug", "title", "url", "docs_url", "signup_url", "key_name", "probe_url", "probe_rpc")
LISTS = ("addresses", "key_env", "chains", "topics", "flags", "providers", "names")


@dataclass(frozen=True, slots=True)
class ResourceEntry:
    """One resource; `names` are what the lists call it, where they say something else."""

    slug: str
    title: str
    url: str
    auth: str
    category: str
    kind: str
    source: str
    addresses: tuple[str, ...] = ()
    docs_url: str = ""
    signup_url: str = ""
    key_in: str = ""
    key_name: str = ""
    key_env: tuple[str, ...] = ()
    chains: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    limits: tuple[WindowEntry, ...] = ()
    priority: int | None = None
    flags: tuple[str, ...] = ()
    probe_url: str = ""
    probe_rpc: str = ""
    providers: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    notes: str = ""

    def row(self) -> dict[str, Any]:
        """Field names of `providers.models.Resource` and values."""
        found: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        del found["slug"], found["names"]
        found["limits"] = [window.row() for window in self.limits]
        return {k: list(v) if isinstance(v, tuple) else v for k, v in found.items()}

    def called(self) -> tuple[str, ...]:
        """What the lists call it; nothing for what stands in none."""
        return () if self.source == Source.HOUSE else self.names or (self.slug,)

    def identities(self) -> set[str]:
        """What no other entry may have: its hosts, or on a hub its place there."""
        places = (urlsplit(url) for url in (self.url, *self.addresses) if url)
        return {
            place.netloc + place.path if place.netloc in HUBS else place.netloc for place in places
        }


def load(folder: Path = FOLDER) -> tuple[ResourceEntry, ...]:
    """Everything, validated; CatalogueError names file and line of the first thing wrong."""
    found: list[ResourceEntry] = []
    owner: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        for line, entry in _entries(path):
            identities = {f"slug {entry.slug!r}"} | {f"host {i!r}" for i in entry.identities()}
            for identity in sorted(identities):
                if identity in owner:
                    raise _wrong(path, line, f"{identity} is that of {owner[identity]} too")
                owner[identity] = f"{path.name}: {entry.slug}"
            found.append(entry)
    return tuple(found)


def _entries(path: Path) -> Iterator[tuple[int, ResourceEntry]]:
    try:
        plain = plainyaml.read(path.read_text())
    except plainyaml.NotPlain as error:
        raise _wrong(path, error.line, str(error)) from None
    if not isinstance(plain.value, list):
        raise _wrong(path, 1, "a list of entries is expected")
    for number, row in enumerate(plain.value):
        line = plain.line(number)
        if not isinstance(row, dict):
            raise _wrong(path, line, "an entry is a mapping")
        for name, value in row.items():
            if said := _complaint(name, value):
                raise _wrong(path, plain.line(number, name), f"{name}: {said}")
        try:
            yield line, _entry(path.stem, row)
        except CatalogueError as error:
            raise _wrong(path, line, str(error)) from None


def _entry(category: str, row: Mapping[str, Any]) -> ResourceEntry:
    source = Source.LLM_LISTS if category == "llm" else Source.DATA_LISTS
    limits = tuple(_window(window) for window in row.get("limits", ()))
    kind = KINDS.get(category, "api")
    own = {"kind": kind, "source": source.value, **row, "category": category, "limits": limits}
    return _build(ResourceEntry, own)


def _window(row: Any) -> WindowEntry:
    if not isinstance(row, dict):
        raise CatalogueError("a window is a mapping")
    try:
        return _build(WindowEntry, {**row, "read_on": date.fromisoformat(str(row.get("read_on")))})
    except (TypeError, ValueError) as error:
        raise CatalogueError(f"limits: {error}") from None


def _complaint(name: str, value: Any) -> str:
    """What is wrong with a value; "" for nothing, and for names that nobody knows."""
    if name in CHOICES and value not in CHOICES[name].values:
        return f"one of {', '.join(filter(None, CHOICES[name].values))}"
    if name in TEXTS and not isinstance(value, str):
        return "a text"
    if name in LISTS and not (isinstance(value, list) and all(isinstance(v, str) for v in value)):
        return "a list of texts"
    if name == "flags" and (strange := set(value) - set(Flag.values)):
        return f"no flag: {', '.join(sorted(strange))}"
    if name == "priority" and not (type(value) is int and 0 <= value <= 100):
        return "0 to 100"
    addresses = value if name == "addresses" else [value] if name.endswith("url") else []
    return next((said for url in addresses if (said := _not_an_address(url))), "")


def _not_an_address(url: str) -> str:
    try:
        if url:
            check_address(url)
    except ValidationError as error:
        return str(error.message)
    return ""


def _wrong(path: Path, line: int, said: str) -> CatalogueError:
    return CatalogueError(f"{path.name}, line {line}: {said.removeprefix(f'line {line}: ')}")
