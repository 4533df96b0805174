"""What durations, outcomes and policies are called in sentences for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from providers.datasets import DATASETS, OHLC, Allowance, Dataset

_UNITS = ((86400, "day", "days"), (3600, "h", "h"), (60, "min", "min"), (1, "s", "s"))


def span(seconds: float) -> str:
    """A duration in its two largest units: '0.4 s', '45 s', '1 min 30 s', '2 days'."""
    if 0 < seconds < 9.95 and seconds != int(seconds):
        return f"{seconds:.1f} s"
    left = round(seconds)
    words: list[str] = []
    for size, one, many in _UNITS:
        count, rest = divmod(left, size)
        if count or words:
            words.append(f"{count} {one if count == 1 else many}" if count else "")
            left = rest
        if len(words) == 2:
            break
    return " ".join(filter(None, words)) or "0 s"


# Why a provider was passed over, by the code of its error.
OUTCOMES = {
    "ok": "answered",
    "provider_error": "went wrong",
    "refused": "was not asked",
    "circuit_open": "rests after failures, and was not asked",
    "blacklisted": "rests long after several 429s in a row, and was not asked",
    "out_of_tokens": "its rate budget is spent, so it was not asked",
    "no_key": "needs a key, and there is none that works",
    "cached_only": "is asked by the worker alone, ahead of visitors",
    "unwell": "is not well by the checks, so others came first",
    "unsupported": "does not offer this",
    "failed": "failed",
    "unreachable": "could not be reached",
    "dropped": "closed the connection before it answered",
    "timed_out": "did not answer in time",
    "broken": "answered with an error of its own",
    "gone": "is retired: its address answers 410",
    "busy": "has no room just now",
    "loading": "is loading the model",
    "model_failed": "has a model that fails",
    "garbled": "answered something that could not be read",
    "throttled": "asked us to slow down (429)",
    "quota_spent": "has nothing left of its quota (429)",
    "no_credit": "wants to be paid first (402)",
    "blocked": "blocks this host",
    "bad_key": "refused the key",
    "plan_limit": "does not include this in its plan",
    "not_allowed": "does not let this account or key ask it (403)",
    "rejected": "cannot take the question as it was put",
    "declined": "will not answer this, by its own rules",
    "model_gone": "no longer serves this model",
    "missing": "does not know this",
    "unserved": "does not run this model",
    "cancelled": "was called off: another answered first",
}


def outcome(code: str) -> str:
    """A code of `providers.errors` in words; the code itself for one we have no words for."""
    return OUTCOMES.get(code, code.replace("_", " "))


def plan(windows: Iterable[Allowance]) -> str:
    """'Analyst, 500 in 1 min and 500,000 in 30 days'."""
    told = list(windows)
    name = next((window.plan for window in told if window.plan), None)
    limits = " and ".join(f"{w.limit:,.0f} in {span(w.per_s)}" for w in told)
    return ", ".join(filter(None, (name, limits)))


def effect(dataset_name: str, fresh_s: float | None, stale_s: float | None) -> str:
    """What a policy means for whoever asks; None stands for the dataset's own time."""
    dataset = DATASETS.get(dataset_name)
    if dataset is None:
        return "Nothing: no dataset has this name."
    stale = dataset.stale_s if stale_s is None else stale_s
    if _fresh(dataset, fresh_s) == span(stale) == span(0):
        return "Every question is asked anew: no answer is kept."
    return (
        f"An answer is served for {_fresh(dataset, fresh_s)} without asking again; after that "
        f"while a newer one is fetched, and for up to {span(stale)} when nobody answers."
    )


# What a policy's strategy means for whoever asks. Under each, who rests, is down by the checks, is
# about to run out of its budget or is degraded comes after those who are not.
STRATEGY_EFFECTS = {
    "priority": (
        "The highest priority is asked first, always. Among equals whoever fails least, then "
        "whoever was fastest over the day. Answers come from the same source while it is well."
    ),
    "round_robin": (
        "Each leads in its turn, whatever its priority, so nobody carries all the questions and "
        "answers change their source from one to the next."
    ),
    "weighted": (
        "Each leads as often as its weight says, in no fixed order. With weight 0 one is asked "
        "only when nobody else is left."
    ),
    "fastest": (
        "Whoever answered fastest lately with this dataset leads. How often it fails does not "
        "count, but that it rests after a failure. In one of twenty questions somebody who was not "
        "asked lately leads, if there is anybody: else nobody would know."
    ),
    "freshest": (
        "Whoever's newest row was youngest when it came leads. Who does not say how old its rows "
        "are counts as the median of the others. In one of twenty questions somebody who was not "
        "asked lately leads, if there is anybody."
    ),
    "cheapest": (
        "The lowest cost a call leads; among equals, as by priority. The cost is what you entered "
        "for the provider."
    ),
    "adaptive": (
        "Whoever probably answers soonest leads: time and failures of recent calls count "
        "together, a call half as much after five minutes. Now and then one that was not asked "
        "for long is tried. Priorities do not count."
    ),
}


def _fresh(dataset: Dataset, fresh_s: float | None) -> str:
    if fresh_s is not None:
        return span(fresh_s)
    if dataset is OHLC:
        return "a quarter of a candle (15 s to 1 h)"
    return span(dataset.fresh_s)
