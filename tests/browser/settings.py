"""The product's own settings, with its collected static files beside its data."""

from __future__ import annotations

from aggregator.settings import *  # noqa: F403
from aggregator.settings import DATA_DIR

STATIC_ROOT = DATA_DIR / "static"
