"""The chat in the admin; each module registers its rows."""

from __future__ import annotations

from chat.admin import learning, models, privacy, review

__all__ = ["learning", "models", "privacy", "review"]
