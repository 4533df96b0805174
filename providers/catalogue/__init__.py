"""
The providers, policies and assets this project ships with, read from the files beside this one.

`providers.yaml`, `llm.yaml` (language models), `assets.json` (coins) and `traditional.json` (what
is no coin) hold facts with their sources; how the assets were chosen stands in docs/assets.md.
Reading is pure: rows are made of this by `manage.py loadcatalogue`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date
from functools import partial
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from providers import plainyaml
from providers.datasets import DATASETS

HERE = Path(__file__).parent
SCOPES = ("address", "key")
STRATEGIES = (
    "priority",
    "round_robin",
    "weighted",
    "fastest",
    "freshest",
    "cheapest",
    "adaptive",
)
KINDS = ("crypto", "equity", "index", "fx", "commodity", "rate")

T = TypeVar("T")


class CatalogueError(ValueError):
    """A file of the catalogue does not say what it must; the message names row and field."""


@dataclass(frozen=True, slots=True)
class WindowEntry:
    """
    At most `limit` calls (or what the provider counts instead) in `per_s` seconds.

    `scope` is whom it counts: our address, or one key. `source` is where the figure stands, and
    `read_on` when it stood there.
    """

    limit: float
    per_s: float
    source: str
    read_on: date
    scope: str = "address"
    burst: float = 0.0
    why: str = ""

    def __post_init__(self) -> None:
        _require(self.limit > 0 and self.per_s > 0, "limit and per_s are above 0")
        _require(0 <= self.burst <= self.limit, "burst is within the limit")
        _require(self.scope in SCOPES, f"scope is one of {SCOPES}")
        _require(bool(self.source.strip()), "a window has a source")

    def row(self) -> dict[str, Any]:
        """As JSON, for `Provider.limits`; what is left at its default is left out."""
        found: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        found["read_on"] = self.read_on.isoformat()
        return {name: value for name, value in found.items() if value not in ("", 0.0)}


@dataclass(frozen=True, slots=True)
class ProviderEntry:
    """
    One provider row. Times in seconds; an empty `base_url` means the adapter's own. What is None
    or empty of the breaker (`rests_s` and below) is left to its defaults.
    """

    slug: str
    title: str
    adapter: str
    category: str
    docs_url: str
    priority: int
    timeout_s: float
    base_url: str = ""
    enabled: bool = True
    weight: int = 1
    cost_per_call: float | None = 0.0  # US dollars; None: it costs, and nobody knows how much
    min_fresh_s: float = 0.0
    limits: tuple[WindowEntry, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)  # what the adapter wants to know
    key_env: tuple[str, ...] = ()  # environment variables that may hold a key of it, in order
    notes: str = ""
    rests_s: tuple[float, ...] = ()
    rest_ceiling_s: float | None = None
    throttle_rests_s: tuple[float, ...] = ()
    throttle_ceiling_s: float | None = None
    blacklist_after: int | None = None
    block_rest_s: float | None = None

    def __post_init__(self) -> None:
        _require(re.fullmatch(r"[a-z0-9_]{1,50}", self.slug) is not None, "slug is [a-z0-9_]")
        _require(0 <= self.priority <= 100, "priority is 0 to 100")
        _require(0 <= self.weight <= 1000, "weight is 0 to 1000")
        cost = self.cost_per_call
        _require(cost is None or 0 <= cost < inf, "cost_per_call is not below 0")
        _require(0.1 <= self.timeout_s <= 120, "timeout_s is 0.1 to 120")
        _require(self.min_fresh_s >= 0, "min_fresh_s is not below 0")
        for url in filter(None, (self.base_url, self.docs_url)):
            place = urlsplit(url)
            is_safe = place.scheme == "https" or place.hostname == "127.0.0.1"
            _require(is_safe, f"{url} is no https address")
        _require(all(s > 0 for s in self.rests_s + self.throttle_rests_s), "rests are above 0")
        # A guard tells the windows of one scope apart by their length.
        _unique("window", ((window.scope, window.per_s) for window in self.limits))

    def row(self) -> dict[str, Any]:
        """Field names of `providers.models.Provider` and values, without the defaults."""
        plain = ("title", "category", "docs_url", "priority", "timeout_s", "base_url", "enabled")
        more = ("weight", "cost_per_call", "min_fresh_s", "notes")
        found = {name: getattr(self, name) for name in (*plain, *more)}
        found["adapter_name"] = self.adapter
        found["key_env"] = list(self.key_env)
        found["options"] = dict(self.options)
        found["limits"] = [window.row() for window in self.limits]
        for name in ("rests_s", "throttle_rests_s"):
            if ladder := getattr(self, name):
                found[name] = list(ladder)
        for name in ("rest_ceiling_s", "throttle_ceiling_s", "blacklist_after", "block_rest_s"):
            if (value := getattr(self, name)) is not None:
                found[name] = value
        return found


@dataclass(frozen=True, slots=True)
class PolicyEntry:
    """Whom a dataset asks first; how long its answers keep stands in `providers.datasets`."""

    dataset: str
    strategy: str

    def __post_init__(self) -> None:
        _require(self.dataset in DATASETS, f"no dataset is called {self.dataset!r}")
        _require(self.strategy in STRATEGIES, f"strategy is one of {STRATEGIES}")


@dataclass(frozen=True, slots=True)
class AssetEntry:
    """
    An asset by our id, and what the adapters call it: adapter -> quote -> external id, where the
    quote is "" for providers that have ids of coins instead of pairs, and for indices.
    """

    id: str
    symbol: str
    name: str
    listings: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    kind: str = "crypto"
    currency: str = ""  # what it is quoted in; coins are quoted in anything, indices in points

    def __post_init__(self) -> None:
        _require(re.fullmatch(r"[a-z0-9-]{1,50}", self.id) is not None, "id is [a-z0-9-]")
        _require(re.fullmatch(r"[A-Z0-9]{1,20}", self.symbol) is not None, "symbol is [A-Z0-9]")
        _require(bool(self.name.strip()), "an asset has a name")
        _require(self.kind in KINDS, f"kind is one of {KINDS}")
        _require(re.fullmatch(r"([A-Z]{3})?", self.currency) is not None, "currency is [A-Z]")
        for adapter, own in self.listings.items():
            _require(bool(own) and all(own.values()), f"an empty listing of {adapter}")


@dataclass(frozen=True, slots=True)
class Catalogue:
    providers: tuple[ProviderEntry, ...]
    policies: tuple[PolicyEntry, ...]  # one for every dataset
    assets: tuple[AssetEntry, ...]  # the first of those that share a word is meant by it


def load(folder: Path = HERE) -> Catalogue:
    """Everything, validated; CatalogueError names the first thing that is wrong."""
    written = plainyaml.trusted((folder / "providers.yaml").read_text())
    _require(set(written) == {"providers", "strategies"}, "providers.yaml: two parts")
    if (models := folder / "llm.yaml").exists():
        written["providers"] += plainyaml.trusted(models.read_text())
    assets = json.loads((folder / "assets.json").read_text())
    if (others := folder / "traditional.json").exists():
        assets += json.loads(others.read_text())
    return Catalogue(
        providers=_rows("provider", "slug", written["providers"], _provider),
        policies=_policies(written["strategies"]),
        assets=_distinct(_rows("asset", "id", assets, partial(_build, AssetEntry))),
    )


def _provider(row: Mapping[str, Any]) -> ProviderEntry:
    limits = tuple(_build(WindowEntry, window) for window in row.get("limits", ()))
    return _build(ProviderEntry, {**row, "limits": limits})


def _policies(strategies: Mapping[str, str]) -> tuple[PolicyEntry, ...]:
    strange = set(strategies) - set(DATASETS)
    _require(not strange, f"strategies: no dataset is called {', '.join(sorted(strange))}")
    own = [name for name, dataset in DATASETS.items() if not dataset.derived]
    return tuple(PolicyEntry(name, strategies.get(name, STRATEGIES[0])) for name in own)


def _rows(
    kind: str, key: str, rows: Iterable[Mapping[str, Any]], build: Callable[[Mapping[str, Any]], T]
) -> tuple[T, ...]:
    found = []
    for row in rows:
        try:
            found.append(build(row))
        except CatalogueError as error:
            raise CatalogueError(f"{kind} {row.get(key)!r}: {error}") from None
    _unique(kind, (row[key] for row in rows))
    return tuple(found)


def _build(entry: type[T], row: Mapping[str, Any]) -> T:
    """An entry out of a row of a file: nothing unknown, nothing missing, lists as tuples."""
    known = fields(cast(Any, entry))
    strange = set(row) - {f.name for f in known}
    _require(not strange, f"unknown: {', '.join(sorted(strange))}")
    needed = {f.name for f in known if f.default is MISSING and f.default_factory is MISSING}
    missing = needed - set(row)
    _require(not missing, f"missing: {', '.join(sorted(missing))}")
    return entry(**{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()})


def _distinct(assets: tuple[AssetEntry, ...]) -> tuple[AssetEntry, ...]:
    """No symbol twice among those of a kind, and no external id that means two assets."""
    for kind in KINDS:
        _unique("symbol", (asset.symbol for asset in assets if asset.kind == kind))
    _unique(
        "listing",
        ((name, own) for a in assets for name, ids in a.listings.items() for own in ids.values()),
    )
    return assets


def _unique(what: str, values: Iterable[Any]) -> None:
    seen: set[Any] = set()
    for value in values:
        _require(value not in seen, f"{what} {value!r} stands there twice")
        seen.add(value)


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise CatalogueError(otherwise)
