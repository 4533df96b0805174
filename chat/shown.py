"""An interaction as programs and pages show it, with ages that are true at that moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chat.models import Conversation, Interaction


def told(interaction: Interaction, now: float) -> dict[str, Any]:
    """What POST /api/chat answers."""
    return {
        "id": interaction.id,
        "conversation_id": interaction.conversation_id,
        "category": interaction.category,
        "confidence": interaction.confidence,
        "route": interaction.route,
        "entities": interaction.entities,
        "answer": interaction.answer,
        "data": _aged(interaction.data, now),
        "sources": _aged(interaction.sources, now),
        "suggestions": interaction.suggestions,
    }


def whole(
    conversation: Conversation, interactions: Sequence[Interaction], total: int, now: float
) -> dict[str, Any]:
    """What GET /api/chat/conversations/{id} answers."""
    return {
        "id": conversation.id,
        "at": conversation.at,
        "total": total,
        "interactions": [
            told(item, now)
            | {
                "query": item.query,
                "at": item.at,
                "feedback": sorted(said.type for said in item.feedback.all()),
            }
            for item in interactions
        ],
    }


def _aged(rows: Sequence[dict[str, Any]], now: float) -> list[dict[str, Any]]:
    """With the age that each has now."""
    return [row | {"age_s": _age(row.get("fetched_at"), now)} for row in rows]


def _age(fetched_at: str | None, now: float) -> float | None:
    if fetched_at is None:
        return None
    return round(max(0.0, now - datetime.fromisoformat(fetched_at).timestamp()), 1)
