"""
Ask the language models: the best who is well, and the next one when it fails.

    done = complete(CompletionQuery(messages=(Message("user", "..."),)))
    done.completion.text, done.provider, done.attempts

Whom first is decided like everywhere else (`asking`): by the policy of the dataset `completion`;
who is not well by the checks comes late, and who rests last. An answer that does not obey the
schema it was given is no answer. Nothing is kept: neither questions nor answers are shelved or
logged.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Container, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jsonschema
from django.conf import settings
from django.utils.timezone import now as current_time
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from aggregator import asking
from providers import roster, streaming
from providers.adapters.llm import LanguageModel
from providers.addresses import is_own
from providers.datasets.completions import COMPLETION, Chunk, Completion, CompletionQuery
from providers.errors import (
    Attempt,
    BadQuery,
    Declined,
    Garbled,
    GatewayError,
    ModelGone,
    NotFound,
    ProviderError,
    Rejected,
    Unanswered,
    Unsupported,
)
from providers.healthiest import WELL
from providers.models import Provider
from providers.resilience import Deadline

AUTO = "auto"  # the model that means: whichever is best just now
_PASSED_ON = re.compile(r"[:-]cloud$", re.IGNORECASE)  # how Ollama calls what it does not run


@dataclass(frozen=True)
class Done:
    """A whole answer, whose it is, and who was passed over on the way to it."""

    completion: Completion
    provider: str
    attempts: tuple[Attempt, ...] = ()
    value: Any = None  # what the text says as JSON, where a schema was given


@dataclass(frozen=True)
class Streamed:
    """An answer that has begun. Close `chunks` when you leave before its end."""

    chunks: Generator[Chunk]
    provider: str
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True)
class Offer:
    """A model that may be asked for by name: PROVIDER/MODEL."""

    provider: Provider
    model: str

    @property
    def name(self) -> str:
        return f"{self.provider.slug}/{self.model}"

    @property
    def is_own(self) -> bool:
        """
        Does what it is told stay in one's own network? By its address, but for relays and for
        those models that Ollama passes on: https://docs.ollama.com/cloud
        """
        adapter = self.provider.adapter_class
        relays = issubclass(adapter, LanguageModel) and adapter.relays
        return not (relays or _PASSED_ON.search(self.model)) and is_own(self.provider.address)


def offers() -> list[Offer]:
    """The model of every row that may be asked now, best priority first."""
    found = []
    for provider in roster.current().offering(COMPLETION):
        adapter = provider.adapter_class
        if issubclass(adapter, LanguageModel) and adapter.model:
            found.append(Offer(provider, adapter.model))
    return found


def well() -> list[Offer]:
    """Of those the ones that answer, by what the checks found lately. Costs no query."""
    catalogue, moment = roster.current(), current_time()
    return [o for o in offers() if catalogue.status_of(o.provider, moment) in WELL]


def complete(
    query: CompletionQuery,
    deadline: Deadline | None = None,
    *,
    among: Container[str] | None = None,
) -> Done:
    """
    The first good answer; NotFound, Unanswered or BadQuery when there is none. With `among`,
    nobody else is asked than the providers of these slugs.
    """
    checked = _checker(query.schema)
    deadline = deadline or Deadline(settings.LLM_PATIENCE_S)
    attempts: list[Attempt] = []
    for provider, asked in _willing(query, deadline, attempts, among):
        fetched = asking.attempt(provider, asked, deadline, attempts)
        if fetched is None:
            continue
        (completion,) = fetched.rows
        try:
            value = checked(completion.text)
        except Garbled as error:
            _note(attempts, provider, error, fetched.seconds)
            continue
        return Done(completion, provider.slug, tuple(attempts), value)
    raise _nobody(query, attempts)


def stream(query: CompletionQuery, deadline: Deadline | None = None) -> Streamed:
    """
    The first answer that begins. Until its first piece others are asked instead of who fails;
    after that a failure raises one of `errors.ProviderError` from the chunks.
    """
    deadline = deadline or Deadline(settings.LLM_PATIENCE_S)
    attempts: list[Attempt] = []
    for provider, asked in _willing(query, deadline, attempts):
        began = time.monotonic()
        try:
            share = deadline.within(deadline.left() * asking.MOST_SHARE)
            chunks = streaming.stream(provider, replace(asked, stream=True), share)
        except ProviderError as error:
            _note(attempts, provider, error, time.monotonic() - began)
        else:
            return Streamed(chunks, provider.slug, tuple(attempts))
    raise _nobody(query, attempts)


# -- Who is meant ------------------------------------------------------------------------------


def _willing(
    query: CompletionQuery,
    deadline: Deadline,
    attempts: list[Attempt],
    among: Container[str] | None = None,
) -> Iterator[tuple[Provider, CompletionQuery]]:
    """Who may answer this, best first, and what each is asked: the model in its own words."""
    meant = _meant(query.model)
    if among is not None:
        meant = {slug: model for slug, model in meant.items() if slug in among}
    for provider in asking.willing(COMPLETION, deadline, attempts):
        if provider.slug in meant:
            yield provider, replace(query, model=meant[provider.slug])
    attempts[:] = [attempt for attempt in attempts if attempt.provider in meant]


def _meant(model: str | None) -> dict[str, str | None]:
    """
    Providers by slug, with the model to ask each for (None: that of its row): all for "auto", one
    for its slug or for SLUG/MODEL, and for the name of a model those whose row names it.
    """
    known = offers()
    if not model or model == AUTO:
        return {offer.provider.slug: None for offer in known}
    slug, _, rest = model.partition("/")
    enabled = {provider.slug for provider in roster.current().offering(COMPLETION)}
    same = [offer.provider.slug for offer in known if offer.model == model]
    if same:
        return dict.fromkeys(same)
    if slug in enabled:
        return {slug: rest or None}
    raise NotFound(f"No provider that may be asked has the model {model[:80]!r}.")


def _note(attempts: list[Attempt], who: Provider, error: ProviderError, seconds: float) -> None:
    attempts[:] = [known for known in attempts if known.provider != who.slug]
    attempts.append(Attempt(who.slug, error.code, error.wait, seconds * 1000, str(error)))


_UNABLE = {Unsupported.code, ModelGone.code}


def _nobody(query: CompletionQuery, attempts: list[Attempt]) -> GatewayError:
    outcomes = {attempt.outcome for attempt in attempts}
    if outcomes == {Rejected.code}:
        return BadQuery("No model can take the question as it was put.", field="messages")
    if outcomes == {Declined.code}:
        return Unanswered("No model will answer this, by the rules of its provider.", attempts)
    if attempts and outcomes <= _UNABLE:
        return NotFound("No provider that was asked serves this model.", attempts)
    return asking.nobody(query, attempts)


# -- Schemas -----------------------------------------------------------------------------------


def _skipped(*args: Any) -> Iterator[jsonschema.ValidationError]:
    """A pattern of a stranger may take for ever, so none is tried."""
    return iter(())


_Validator = extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator, {"pattern": _skipped, "patternProperties": _skipped}
)
_FENCE = re.compile(r"\A\s*```(?:json)?\s*(.*?)\s*```\s*\Z", re.DOTALL)
MOST_SCHEMA = 50_000  # characters


def _checker(schema: Mapping[str, Any] | None) -> Callable[[str], Any]:
    """What reads a text as the JSON it has to be; Garbled for another. BadQuery for no schema."""
    if schema is None:
        return lambda text: None
    try:
        if len(json.dumps(schema)) > MOST_SCHEMA:
            raise BadQuery("The schema is too long.", field="response_format")
        _Validator.check_schema(schema)
    except (jsonschema.SchemaError, TypeError, ValueError, RecursionError):
        raise BadQuery("This is no JSON schema.", field="response_format") from None
    # An empty registry: what a schema refers to elsewhere is never fetched.
    validator = _Validator(schema, registry=Registry())

    def read(text: str) -> Any:
        fenced = _FENCE.match(text)
        try:
            value = json.loads(fenced[1] if fenced else text)
            sound = validator.is_valid(value)
        except (ValueError, RecursionError, Unresolvable):
            raise Garbled("not the JSON that was asked for") from None
        if not sound:
            raise Garbled("JSON that does not obey the schema")
        return value

    return read
