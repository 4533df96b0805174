"""The rows of the chat."""

from __future__ import annotations

from chat.models.conversations import Conversation, Feedback, Interaction, Route

__all__ = ["Conversation", "Feedback", "Interaction", "Route"]
