"""Ask providers now, several at once, and say what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from django.contrib import messages
from django.db import connections
from django.http import HttpRequest

from providers import calls, client, planning, plans, roster
from providers.datasets import PingQuery
from providers.errors import (
    Missing,
    NoKey,
    OutOfTokens,
    PlanLimit,
    ProviderError,
    Refused,
    Unsupported,
)
from providers.models import Credential, Provider
from providers.resilience import Deadline
from providers.wording import outcome, plan, span

AT_ONCE = 8
PATIENCE_S = 3.0

# A provider, and the one key it is to be asked with; None for whichever is next.
Trial = tuple[Provider, Credential | None]
Said = tuple[int, str]  # a level of `messages`, and a sentence


def tell(request: HttpRequest, trials: Iterable[Trial]) -> None:
    """Ask, and tell each result in a message."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="test") as pool:
        results = list(pool.map(_in_thread, trials))
    calls.flush()  # the next page shows these calls, and what they mean
    roster.forget()
    for level, sentence in results:
        messages.add_message(request, level, sentence)


def _in_thread(trial: Trial) -> Said:
    try:
        return attempt(*trial)
    finally:
        connections.close_all()


def attempt(
    provider: Provider,
    credential: Credential | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Said:
    """
    One call, through guard and all, that every adapter makes as cheap as it can. A budget that
    others have spent for the moment is waited for: it says nothing about the key.
    """
    who = f"{provider.slug} with {credential.label!r}" if credential else provider.slug
    try:
        try:
            found = _ask(provider, credential)
        except OutOfTokens as error:
            if error.wait is None or error.wait > PATIENCE_S:
                raise
            sleep(error.wait + 0.01)
            found = _ask(provider, credential)
    except KeyError:
        return messages.ERROR, f"{who}: no adapter is called {provider.adapter_name!r}."
    except NoKey as error:
        return messages.WARNING, f"{who}: was not asked: {error}."
    except ProviderError as error:
        level = messages.WARNING if isinstance(error, Refused) else messages.ERROR
        wait = f" It may be asked again in {span(error.wait)}." if error.wait else ""
        detail = f" ({error})" if str(error) not in ("", error.code) else ""
        return level, f"{who}: {outcome(error.code)}{detail}.{wait}"
    said = f"{who}: answered in {found.seconds * 1000:,.0f} ms."
    return messages.SUCCESS, f"{said} Its plan: {plan(found.rows)}." if found.rows else said


def _ask(provider: Provider, credential: Credential | None) -> client.Fetched:
    """Of a key its plan, where that is told: it proves as much. Else the cheapest question."""
    if credential and plans.tells_plan(provider.adapter_class):
        # Where that is not for this key, the key is asked with like any other.
        with suppress(PlanLimit, Missing, Unsupported):
            return planning.read(credential, purpose="test")
    deadline = Deadline(provider.timeout_s)
    return client.call(provider, PingQuery(), deadline, purpose="test", only=credential)
