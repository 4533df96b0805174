"""
Ask a language model and take its answer as it is written: key, guard, deadline and a line in the
book as in `client`, but the call lasts until the last piece is taken.
"""

from __future__ import annotations

from collections.abc import Generator

from providers import purposes
from providers.adapters.llm import LanguageModel
from providers.client import (
    Asked,
    KeySpent,
    adapter_for,
    admitted,
    in_promised_words,
    recorded,
    with_keys,
)
from providers.datasets.completions import Chunk, CompletionQuery
from providers.errors import Garbled, Unsupported
from providers.models import Credential, Provider
from providers.resilience import Deadline


def stream(
    provider: Provider, query: CompletionQuery, deadline: Deadline, *, purpose: str = ""
) -> Generator[Chunk]:
    """
    The pieces of an answer. The first one is here when this returns, so that until then others may
    be asked instead; what goes wrong later raises one of `errors.ProviderError` from the iterator.
    Close the iterator when you leave early: the call ends then, and is nobody's fault.
    """
    purpose = purpose or purposes.current()

    def begin(key: Credential | None) -> Generator[Chunk]:
        pieces = _pieces(Asked(provider, key, query, deadline, purpose), query)
        first = next(pieces, None)
        if first is None:
            raise Garbled("an answer without a piece")
        return _from(first, pieces)

    return with_keys(provider, begin)


def _from(first: Chunk, rest: Generator[Chunk]) -> Generator[Chunk]:
    try:
        yield first
        yield from rest
    except KeySpent as error:  # too late for the next key
        raise error.refusal from None
    finally:
        rest.close()


def _pieces(asked: Asked, query: CompletionQuery) -> Generator[Chunk]:
    with admitted(asked) as upstream:
        adapter = adapter_for(asked, upstream)
        if not isinstance(adapter, LanguageModel):
            raise Unsupported("it writes no text")
        with recorded(asked, adapter, upstream) as took, in_promised_words(query):
            for chunk in adapter.stream(query):
                took.rows = (chunk,)
                yield chunk
