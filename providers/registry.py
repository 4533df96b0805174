"""Adapters by name. Every module in `providers/adapters` is loaded once, by `providers.apps`."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from providers.adapters.base import Adapter
    from providers.datasets import Dataset

DECLARED = "declared"  # what rows name whose dialect stands in their mapping

_adapters: dict[str, type[Adapter]] = {}


def register(adapter: type[Adapter]) -> type[Adapter]:
    """Class decorator: makes the adapter known by its `name`."""
    for query in adapter.offers:
        if not hasattr(adapter, query.dataset.method):
            raise ImproperlyConfigured(
                f"{adapter.__name__} offers {query.dataset.method!r} but has no such method"
            )
    if _adapters.setdefault(adapter.name, adapter) is not adapter:
        raise ImproperlyConfigured(f"Two adapters are called {adapter.name!r}")
    return adapter


def discover() -> None:
    """Load every adapter file, so that a new one needs no mention anywhere else."""
    from providers import adapters

    for module in pkgutil.iter_modules(adapters.__path__):
        import_module(f"{adapters.__name__}.{module.name}")


def get(name: str) -> type[Adapter]:
    return _adapters[name]


def knows(name: str) -> bool:
    """Is there an adapter of this name, or are those that name it declared by an operator?"""
    return name == DECLARED or name in _adapters


def all() -> list[type[Adapter]]:
    return [_adapters[name] for name in sorted(_adapters)]


def chains() -> list[str]:
    """Names of the chains whose fees some adapter tells."""
    return sorted({chain for adapter in all() for chain in adapter.chains})


def offering(dataset: Dataset) -> list[str]:
    """Names of the adapters that answer `dataset`."""
    return [a.name for a in all() if any(q.dataset is dataset for q in a.offers)]
