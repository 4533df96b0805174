"""What language models are asked and answer; it stands in `providers.datasets.completions`."""

from __future__ import annotations

from providers.datasets.completions import (
    COMPLETION,
    FILTERED,
    LENGTH,
    ROLES,
    STOP,
    TOOLS,
    Chunk,
    Completion,
    CompletionQuery,
    Message,
    joined,
)

__all__ = [
    "COMPLETION",
    "FILTERED",
    "LENGTH",
    "ROLES",
    "STOP",
    "TOOLS",
    "Chunk",
    "Completion",
    "CompletionQuery",
    "Message",
    "joined",
]
