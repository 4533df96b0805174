"""
One look at one model: what the Hub says of it, and, where that is allowed, whether it reads a text.
It writes nothing; `aimodels` does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from aggregator import readouts
from monitoring.modelrows import ModelStats, Way
from monitoring.probing import NETWORK, PURPOSE
from providers import roster
from providers.aimodels import HUB, AiModel, ModelStatus, Task
from providers.client import Fetched, call
from providers.datasets import ModelFacts, ModelFactsQuery, Query, TrialQuery
from providers.errors import (
    BadKey,
    Loading,
    Missing,
    NoKey,
    PlanLimit,
    ProviderError,
    Refused,
    Throttled,
    Unreachable,
    Unserved,
)
from providers.models import Provider
from providers.redaction import redact
from providers.resilience import Deadline
from providers.wording import outcome as in_words

HUB_ADAPTER = "huggingface_hub"
MOST_LOADING_S = 20.0  # of what a model says it needs to be loaded, so much is waited for
HEADLINE = "Bitcoin climbs to a record as funds buy more than miners bring to market."
# What each task is tried with: short, and in English. BERTs of the Hub write their blank <mask>.
TEXTS: Mapping[str, str] = {
    Task.CLASSIFICATION: HEADLINE,
    Task.ZERO_SHOT: HEADLINE,
    Task.SUMMARIZATION: (
        "Bitcoin climbed to a record on Monday. Funds bought more coins than miners brought to "
        "market, and exchanges held fewer of them than in any month of the last five years."
    ),
    Task.GENERATION: "Bitcoin is",
    Task.FILL_MASK: "Bitcoin climbs to a new <mask>.",
}

Sleep = Callable[[float], None]
MayTry = Callable[[], bool]


@dataclass(frozen=True)
class Look:
    """
    What was found. `success` is None where it says nothing of the model, and `response_time_ms`
    where the model was not tried. `hub_answered` is None where the Hub was not asked.
    """

    status: ModelStatus
    reason: str = ""
    way: Way = Way.HUB
    success: bool | None = None
    response_time_ms: float | None = None
    test_input: str = ""
    test_output: str = ""
    confidence: float | None = None
    hub_answered: bool | None = None
    canonical_id: str = ""

    @property
    def is_trial(self) -> bool:
        return self.way is Way.TRIAL


def look(
    row: AiModel,
    stats: ModelStats,
    deadline: Deadline,
    may_try: MayTry,
    timeout_s: float = 10.0,
    sleep: Sleep = time.sleep,
) -> Look:
    """How a model is; `may_try` is asked for leave when it could be tried, and keeps count."""
    if row.is_local:
        return _local(row)
    found = _ask_the_hub(row, deadline.within(timeout_s))
    if found.status is not ModelStatus.AVAILABLE:
        return found
    runner = _provider(HUB)
    if runner is None or not roster.current().keys_of(runner):
        return replace(found, reason="nobody tried it: there is no token")
    if not may_try():
        return _as_it_was(found, stats)
    query = TrialQuery(found.canonical_id, row.task, TEXTS[row.task])
    tried = _try(query, runner, deadline, timeout_s, sleep)
    return replace(tried, hub_answered=found.hub_answered, canonical_id=found.canonical_id)


def _local(row: AiModel) -> Look:
    name, lacking = readouts.local_model()
    if name and row.model_id == f"local/{name}" and not lacking:
        said = "it is on this machine, and the first text loads it"
        return Look(ModelStatus.AVAILABLE, said, Way.LOCAL, success=True)
    return Look(ModelStatus.NOT_FOUND, lacking or "another one is set", Way.LOCAL, success=False)


# -- The Hub -----------------------------------------------------------------------------------


def _provider(adapter: str) -> Provider | None:
    """Who speaks that dialect and is switched on."""
    rows = (row for row in roster.current().providers if row.adapter_name == adapter)
    return next((row for row in rows if row.enabled), None)


def _ask_the_hub(row: AiModel, deadline: Deadline) -> Look:
    hub = _provider(HUB_ADAPTER)
    if hub is None:
        return Look(ModelStatus.UNKNOWN, "the Hub is switched off here")
    try:
        fetched = _call(hub, ModelFactsQuery(row.canonical_id or row.model_id), deadline)
    except Missing as error:
        return Look(ModelStatus.NOT_FOUND, str(error), success=False, hub_answered=True)
    except PlanLimit as error:
        return Look(ModelStatus.AUTH_REQUIRED, str(error), hub_answered=True)
    except Refused as error:
        return Look(ModelStatus.UNKNOWN, _said("the Hub", error))
    except ProviderError as error:
        heard = error.code not in NETWORK
        return Look(ModelStatus.UNKNOWN, _said("the Hub", error), hub_answered=heard)
    facts: ModelFacts = fetched.rows[0]
    return replace(verdict(facts, row.task), hub_answered=True, canonical_id=facts.id)


def verdict(facts: ModelFacts, task: str) -> Look:
    """Whether a model could be asked, by what the Hub says of it. Pure."""
    if facts.disabled:
        return Look(ModelStatus.FAILED, "the Hub has switched it off", success=False)
    if facts.served is None:
        return Look(ModelStatus.UNSERVED, "nobody runs it there", success=False)
    if facts.gated:
        return Look(ModelStatus.AUTH_REQUIRED, "its owner chooses who may use it")
    if facts.served == "staging":
        return Look(ModelStatus.UNSERVED, "it is being prepared, and not run yet", success=False)
    if facts.served != "live":
        return Look(ModelStatus.FAILED, "the Hub says that it fails", success=False)
    if facts.task not in (None, task):
        return Look(ModelStatus.FAILED, f"it does another task: {facts.task}", success=False)
    return Look(ModelStatus.AVAILABLE, success=True)


def _as_it_was(found: Look, stats: ModelStats) -> Look:
    """The Hub calls it live, and it is not tried now: what the last trial found still stands."""
    if stats.last_trial in ("", ModelStatus.AVAILABLE):
        return found
    said = f"when it was tried last: {stats.last_trial_said}"[:200]
    return replace(found, status=ModelStatus(stats.last_trial), reason=said, success=None)


# -- A trial -----------------------------------------------------------------------------------


def _try(
    query: TrialQuery, runner: Provider, deadline: Deadline, timeout_s: float, sleep: Sleep
) -> Look:
    tried = Look(ModelStatus.AVAILABLE, way=Way.TRIAL, test_input=query.text[:200])
    try:
        fetched = _patiently(runner, query, deadline, timeout_s, sleep)
    except Loading as error:
        return replace(tried, status=ModelStatus.LOADING, reason=str(error))
    except Unserved as error:
        return replace(tried, status=ModelStatus.UNSERVED, reason=str(error), success=False)
    except (BadKey, NoKey, PlanLimit) as error:
        return replace(tried, status=ModelStatus.AUTH_REQUIRED, reason=_said("", error))
    except (Refused, Throttled, Unreachable) as error:
        # It was not asked, or was not reached: the Hub's word stands.
        said = f"not tried: {_said('', error)}"[:200]
        return Look(ModelStatus.AVAILABLE, said, success=True)
    except ProviderError as error:
        return replace(tried, status=ModelStatus.FAILED, reason=_said("", error), success=False)
    trial = fetched.rows[0]
    return replace(
        tried,
        success=True,
        response_time_ms=round(fetched.seconds * 1000, 3),
        test_output=trial.output,
        confidence=None if trial.confidence is None else float(trial.confidence),
    )


def _patiently(
    runner: Provider, query: Query, deadline: Deadline, timeout_s: float, sleep: Sleep
) -> Fetched:
    """Once, and once more when it is being loaded and there is time to wait for that."""
    try:
        return _call(runner, query, deadline.within(timeout_s))
    except Loading as error:
        wait = min(error.wait or MOST_LOADING_S, MOST_LOADING_S)
        if not deadline.allows(wait):
            raise
    sleep(wait)
    return _call(runner, query, deadline.within(timeout_s))


def _call(provider: Provider, query: Query, deadline: Deadline) -> Fetched:
    return call(provider, query, deadline, purpose=PURPOSE)


def _said(who: str, error: ProviderError) -> str:
    words = in_words(error.code)
    detail = "" if str(error) in (error.code, words) else f": {error}"
    return redact(f"{who} {words}{detail}".strip())[:200]
