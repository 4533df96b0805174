"""The chat: questions answered from live data, and what is learned from what people say to that."""

from __future__ import annotations

from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"

    def ready(self) -> None:
        from chat import figures, personal  # noqa: F401 (figures registers metrics)

        personal.hold()
