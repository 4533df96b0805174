"""Whose a conversation is, and who may see it."""

from __future__ import annotations

from uuid import UUID

from django.utils.crypto import salted_hmac

from aggregator.callers import Caller
from chat.models import Conversation, Interaction
from providers.errors import NotFound

UNKNOWN = "No conversation has this id, or it is somebody else's."


def client_of(caller: Caller) -> int | None:
    """The primary key of the client that asks; None for whoever has no key."""
    kind, _, key = caller.name.partition(":")
    return int(key) if kind == "client" and key.isdigit() else None


def pseudonym_of(token: str) -> str:
    """What stands for a browser: nobody who reads the rows can tell its cookie."""
    return salted_hmac("chat.holding", token, algorithm="sha256").hexdigest()[:32]


def begin(caller: Caller, token: str = "") -> Conversation:
    """A new conversation, not yet saved."""
    client = client_of(caller)
    if client is not None:
        return Conversation(client_id=client, pseudonym="")
    return Conversation(pseudonym=pseudonym_of(token)) if token else Conversation()


def find(id: UUID, caller: Caller) -> Conversation:
    """
    The conversation, for whoever may see it: of a client that client alone; else whoever knows
    its id, which is random and long. NotFound tells nobody which of both it was.
    """
    found = Conversation.objects.filter(pk=id).first()
    if found is None or found.client_id not in (None, client_of(caller)):
        raise NotFound(UNKNOWN)
    return found


def interaction(id: UUID, caller: Caller) -> Interaction:
    """An interaction of a conversation that the caller may see."""
    found = Interaction.objects.select_related("conversation").filter(pk=id).first()
    if found is None or found.conversation.client_id not in (None, client_of(caller)):
        raise NotFound("No answer has this id, or it is somebody else's.")
    return found
