"""
Which language models may help with a question, and how they are asked.

One that is well by the checks, and nobody else: a visitor waits. Those who use up the budget are
left alone for a while, though for others they may be quick enough. What is told to a model of
one's own stays in one's own network; to a stranger's goes a question only with the leave of who
asked it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from aggregator import completing
from aggregator.completing import Offer
from chat import llm
from providers.datasets.completions import CompletionQuery, Message
from providers.errors import Refused, TimedOut, Unanswered
from providers.resilience import Breaker, Deadline, Guard

# A budget of seconds says nothing of a model that may take a minute, so this is not held against
# its provider; it is all models together that were too slow for the chat.
_GUARD = Guard("chat:models", Breaker(rests=(5.0, 15.0, 60.0), ceiling=300.0))

OFF, AUTO, WORDS = "off", "auto", "words"
MOST_TOKENS = 400  # of an answer: a category, or a few sentences as JSON


def model_for(agreed: Callable[[], bool]) -> llm.Model | None:
    """
    What helps with one question; None where nobody does, and then nothing was looked up. `agreed`:
    may strangers be told? It is called only when it matters.
    """
    if settings.CHAT_LLM == OFF:
        return None
    offers = completing.well()
    if not offers:
        return None
    phrases = settings.CHAT_LLM == WORDS
    return llm.Model(Consulted(offers, agreed), settings.CHAT_LLM_BUDGET_S, phrases=phrases)


@dataclass(frozen=True)
class Consulted:
    """A `llm.Completer`: the best of these who may be told."""

    offers: Sequence[Offer]
    agreed: Callable[[], bool]

    def __call__(
        self, messages: Sequence[llm.Message], schema: dict[str, Any], deadline: Deadline
    ) -> str:
        among = self.among()
        if not among:
            return ""
        try:
            with _GUARD.admit():
                return _asked(messages, schema, deadline, among)
        except Refused:
            return ""

    def among(self) -> frozenset[str]:
        """The providers that may be told."""
        own = frozenset(offer.provider.slug for offer in self.offers if offer.is_own)
        every = frozenset(offer.provider.slug for offer in self.offers)
        return own if own == every or not self.agreed() else every


def _asked(
    messages: Sequence[llm.Message],
    schema: dict[str, Any],
    deadline: Deadline,
    among: Container[str],
) -> str:
    query = CompletionQuery(
        messages=tuple(Message(turn["role"], turn["content"]) for turn in messages),
        max_tokens=MOST_TOKENS,
        temperature=0.0,
        schema=schema,
    )
    try:
        return completing.complete(query, deadline, among=among).completion.text
    except Unanswered as error:
        if any(attempt.outcome == TimedOut.code for attempt in error.attempts):
            raise TimedOut("not within the budget of the chat") from error
        raise
