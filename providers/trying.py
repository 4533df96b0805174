"""
Ask a provider once, as it would be asked if it were saved, and keep everything that came of it.

What is asked passes the same guard, deadline, size limit and address rules as every call; nothing
is stored, and no row has to exist yet.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from providers import roster
from providers.adapters.declared import Declared
from providers.client import no_surprises, reachable
from providers.datasets import Query
from providers.errors import Blocked, GatewayError, ProviderError, Throttled
from providers.http import Answer, Upstream
from providers.models import Provider
from providers.redaction import redact
from providers.resilience import Deadline

MOST_RAW = 6000  # characters of an answer that people are shown
MOST_ROWS = 20


@dataclass
class Trial:
    """What was asked, what came back, and what was made of it."""

    asked: list[str] = field(default_factory=list)  # paths with their parameters, without a key
    raw: str = ""
    size: int = 0  # bytes of the last answer
    status: int | None = None
    columns: Sequence[str] = ()
    rows: list[list[Any]] = field(default_factory=list)
    count: int = 0
    dropped: int = 0
    problems: list[str] = field(default_factory=list)
    error: str = ""
    seconds: float = 0.0

    @property
    def is_cut(self) -> bool:
        return self.size > len(self.raw.encode())


class _Watched(Upstream):
    """Notes what is asked, and the answer as it came, also one that is an error."""

    def __init__(self, trial: Trial, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._trial = trial

    def _ask(self, method: str, path: str, params: Mapping[str, Any], json: Any = None) -> Answer:
        given = "&".join(f"{name}={value}" for name, value in params.items() if value is not None)
        self._trial.asked.append(f"{method} {path}" + (f"?{given}" if given else ""))
        return super()._ask(method, path, params, json)

    def _follow(self, method: str, url: str, params: Mapping[str, Any], json: Any) -> Answer:
        reply = super()._follow(method, url, params, json)
        self._trial.status, self._trial.size = reply.status, len(reply.body)
        self._trial.raw = redact(reply.body.decode("utf-8", "replace")[:MOST_RAW])
        return reply


def attempt(
    provider: Provider,
    query: Query,
    *,
    key: str | None = None,
    names: roster.OwnNames | None = None,
) -> Trial:
    """
    Ask `provider`, saved or not, for `query`; whatever goes wrong stands in the trial. `names`
    are what it calls assets, when it has no listings yet.
    """
    trial = Trial()
    began = time.monotonic()
    kind = provider.adapter_class
    try:
        upstream = _Watched(
            trial,
            reachable(provider.address),
            adapter=kind,
            deadline=Deadline(provider.timeout_s),
            key=key,
            auth=kind.auth,
        )
        adapter = kind(upstream, names or roster.names_for(provider), now=lambda: datetime.now(UTC))
        with provider.guard.admit(kind.cost(query)) as passage:
            try:
                rows = no_surprises(adapter, query)
            except ProviderError as error:
                # A mapping that is not ready says nothing of how well the provider is; a refusal
                # of this host or of so many calls does.
                passage.excused = not isinstance(error, Throttled | Blocked)
                raise
            finally:
                trial.dropped = adapter.dropped
                if isinstance(adapter, Declared):
                    trial.problems = [redact(problem) for problem in adapter.problems]
    except GatewayError as error:
        trial.error = redact(f"{error.code}: {error}")
    else:
        trial.count = len(rows)
        trial.columns = query.record._fields
        trial.rows = [list(row) for row in rows[:MOST_ROWS]]
    trial.seconds = time.monotonic() - began
    return trial
