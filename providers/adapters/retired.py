"""Hosts that have closed: they stay listed, so that nobody wonders, and are never asked."""

from __future__ import annotations

from providers.adapters.base import Adapter
from providers.registry import register


@register
class Retired(Adapter):
    """Nobody answers there any more."""

    name = "retired"
    title = "A host that has closed"
    base_url = "https://example.org"  # every row has its own
    docs_url = "https://www.rfc-editor.org/rfc/rfc9110#name-410-gone"
    is_retired = True
