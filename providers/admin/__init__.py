"""The admin of the catalogue: one file for each kind of row."""

from providers.admin import (
    assets,
    calls,
    cells,
    credentials,
    declared,
    history,
    policies,
    providers,
    resources,
)

__all__ = [
    "assets",
    "calls",
    "cells",
    "credentials",
    "declared",
    "history",
    "policies",
    "providers",
    "resources",
]
