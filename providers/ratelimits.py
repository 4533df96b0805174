"""
What providers of language models say of their limits, in one form. Pure.

A number that nobody sent is None, never 0; a limit of 0 is real, and means no allowance at all.
Header families and their spellings: each provider has its own, and some share one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MINUTE_S, HOUR_S, DAY_S, MONTH_S = 60.0, 3600.0, 86400.0, 30 * 86400.0
MOST_S = 31 * DAY_S  # no quota is longer than a month: what says so is meant otherwise
WINDOWS: Mapping[str, float] = {
    "minute": MINUTE_S,
    "hour": HOUR_S,
    "day": DAY_S,
    "month": MONTH_S,
}


@dataclass(frozen=True, slots=True)
class Observation:
    """
    What was said of one limit: at most `limit` of `metric` (requests, tokens, input_tokens,
    output_tokens, credits) in `window_s`, of which `remaining` are left and all come back in
    `resets_in_s`. `source` is header, quota_api or error_body; `names` where it stood.
    """

    metric: str
    window_s: float | None = None
    limit: float | None = None
    remaining: float | None = None
    resets_in_s: float | None = None
    source: str = "header"
    names: tuple[str, ...] = ()

    @property
    def is_exhausted(self) -> bool:
        return self.remaining == 0 or self.limit == 0


# -- Times -------------------------------------------------------------------------------------

# The longest unit first, or "520ms" would be 520 minutes and an s.
_GO = re.compile(r"(\d+(?:\.\d+)?)(ms|µs|us|ns|h|m|s)")
_WHOLE_GO = re.compile(rf"(?:{_GO.pattern})+")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_until(text: str, now: float) -> float | None:
    """
    Seconds from `now` (since the epoch) to what a reset header means: RFC 3339 or an HTTP date,
    a Go duration ("2m59.56s"), milliseconds or seconds since the epoch, or seconds. None for
    anything else; what is past is 0, and what is beyond a month is a month.
    """
    text = text.strip()
    found = _number_until(text, now)
    if found is None and _WHOLE_GO.fullmatch(text):
        found = sum(float(number) * _UNITS[unit] for number, unit in _GO.findall(text))
    if found is None and (then := _moment(text)) is not None:
        found = then - now
    return None if found is None else min(max(found, 0.0), MOST_S)


def _number_until(text: str, now: float) -> float | None:
    found = number(text)
    if found is None:
        return None
    if found > 1e12:
        return found / 1000 - now
    return found - now if found > 1e9 else found


def _moment(text: str) -> float | None:
    try:
        then = datetime.fromisoformat(text) if text[:2].isdigit() else parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return then.replace(tzinfo=then.tzinfo or UTC).timestamp()


def number(text: str) -> float | None:
    """A count that is not below zero; None for anything else."""
    if not re.fullmatch(r"\d{1,18}(\.\d{1,18})?", text.strip()):
        return None
    return float(text)


# -- Families of headers -----------------------------------------------------------------------

Headers = Mapping[str, str]  # names in lower case
Family = Callable[[Headers, float, Mapping[str, float]], list[Observation]]

_METRICS = {"requests": "requests", "req": "requests", "tokens": "tokens"}
_METRICS |= {"input-tokens": "input_tokens", "output-tokens": "output_tokens"}


def _gathered(
    found: Iterable[tuple[str, str, float | None, str]], headers: Headers, now: float
) -> list[Observation]:
    """(header, metric, window, part) of each header that counts, put together by limit."""
    known: dict[tuple[str, float | None], Observation] = {}
    for name, metric, window_s, part in found:
        value = seconds_until(headers[name], now) if part == "reset" else number(headers[name])
        if value is None:
            continue
        at = metric, window_s
        one = known.get(at) or Observation(metric, window_s)
        named = replace(one, names=(*one.names, name))
        match part:
            case "limit":
                known[at] = replace(named, limit=value)
            case "remaining":
                known[at] = replace(named, remaining=value)
            case _:
                known[at] = replace(named, resets_in_s=value)
    return list(known.values())


def _parts(
    pattern: re.Pattern[str], headers: Headers, window: Callable[[str, str], float | None]
) -> Iterable[tuple[str, str, float | None, str]]:
    for name in headers:
        if found := pattern.fullmatch(name):
            group = found.groupdict("")
            metric = _METRICS[group["metric"]]
            yield name, metric, window(metric, group.get("window", "")), group["part"]


_PLAIN = re.compile(r"x-ratelimit-(?P<part>limit|remaining|reset)-(?P<metric>requests|tokens)")
_SPELT = re.compile(
    r"x-ratelimit-(?P<part>limit|remaining|reset)-(?P<metric>requests|req|tokens)"
    r"-(?P<window>minute|hour|day|month)"
)
_ANTHROPIC = re.compile(
    r"anthropic-ratelimit-(?P<metric>requests|tokens|input-tokens|output-tokens)"
    r"-(?P<part>limit|remaining|reset)"
)
_BARE = re.compile(r"x-(?P<metric>rate|token)limit-(?P<part>limit|remaining|reset)")


def plain(headers: Headers, now: float, windows: Mapping[str, float]) -> list[Observation]:
    """OpenAI and Groq: `x-ratelimit-limit-requests`; what the window is, each says elsewhere."""
    return _gathered(_parts(_PLAIN, headers, lambda m, _: windows.get(m)), headers, now)


def spelt(headers: Headers, now: float, windows: Mapping[str, float]) -> list[Observation]:
    """Cerebras and Mistral: the name of the header ends with its window."""
    return _gathered(_parts(_SPELT, headers, lambda _, word: WINDOWS[word]), headers, now)


def anthropic(headers: Headers, now: float, windows: Mapping[str, float]) -> list[Observation]:
    """`anthropic-ratelimit-tokens-reset`, of a minute, with times as RFC 3339."""
    return _gathered(_parts(_ANTHROPIC, headers, lambda m, _: windows.get(m)), headers, now)


def bare(headers: Headers, now: float, windows: Mapping[str, float]) -> list[Observation]:
    """OpenRouter (on a 429 alone) and Together: `x-ratelimit-limit`, `x-tokenlimit-limit`."""
    found = (
        (name, "requests" if hit["metric"] == "rate" else "tokens", hit["part"])
        for name in headers
        if (hit := _BARE.fullmatch(name))
    )
    parts = ((name, metric, windows.get(metric), part) for name, metric, part in found)
    return _gathered(parts, headers, now)


def ietf(headers: Headers, now: float, windows: Mapping[str, float]) -> list[Observation]:
    """A draft of the IETF: `RateLimit: "api";r=123;t=55`, `RateLimit-Policy: "api";q=500;w=300`."""
    policies = dict(_items(headers.get("ratelimit-policy", "")))
    found = []
    for name, part in _items(headers.get("ratelimit", "")):
        policy = policies.get(name) or next(iter(policies.values()), {})
        found.append(
            Observation(
                "requests",
                policy.get("w"),
                policy.get("q"),
                part.get("r"),
                part.get("t"),
                names=("ratelimit", "ratelimit-policy") if policy else ("ratelimit",),
            )
        )
    return [one for one in found if (one.limit, one.remaining) != (None, None)]


def _items(text: str) -> list[tuple[str, dict[str, float]]]:
    """Names with their parameters; a name that has none, such as "fixed window", is left out."""
    found = []
    for item in re.split(r"[,]|;(?=\s*\")", text):
        name, *parts = (part.strip().strip('"') for part in item.split(";"))
        pairs = (part.partition("=") for part in parts)
        values = {key.strip(): number(value) for key, _, value in pairs}
        if known := {key: value for key, value in values.items() if value is not None}:
            found.append((name, known))
    return found


def read(
    headers: Mapping[str, str],
    families: Sequence[Family],
    now: float,
    windows: Mapping[str, float] | None = None,
) -> list[Observation]:
    """What the headers of a reply say, by the families that its provider is known to use."""
    lower = {name.lower(): value for name, value in headers.items()}
    return [one for family in families for one in family(lower, now, windows or {})]


# -- What follows ------------------------------------------------------------------------------


def cooldown_s(observations: Iterable[Observation]) -> float | None:
    """Seconds until no window is exhausted any more, rounded up; None when none says."""
    waits = [o.resets_in_s for o in observations if o.is_exhausted and o.resets_in_s is not None]
    return float(math.ceil(max(waits))) if waits else None


_HINTS = (
    re.compile(r"retry in ([\d.hms ]+)", re.I),
    re.compile(r"try again in ([\d.hms ]+)", re.I),
    re.compile(r"retry after ([\d.]+) ?s", re.I),
)


def hinted_s(said: str) -> float | None:
    """Seconds out of a sentence: "Please retry in 12.3s", "try again in 7m12s"."""
    for hint in _HINTS:
        if found := hint.search(said):
            wait = seconds_until(found[1].strip(" .").replace(" ", ""), 0.0)
            if wait is not None:
                return float(math.ceil(wait))
    return None


@dataclass(frozen=True, slots=True)
class Level:
    """A limit as it was last seen, and how fast it is used: `at` in seconds since the epoch."""

    seen: Observation
    at: float
    used_per_s: float | None = None

    def exhausted_at(self) -> float | None:
        """When nothing is left at this pace; None where that is unknown, or it lasts."""
        left, resets = self.seen.remaining, self.seen.resets_in_s
        if left == 0:
            return self.at
        if left is None or not self.used_per_s:
            return None
        ends = left / self.used_per_s
        return self.at + ends if resets is None or ends < resets else None


FADES_S = 300.0  # a pace of so long ago counts half


def follow(before: Level | None, seen: Observation, at: float) -> Level:
    """
    The level after one more observation. What went between two of one window is the pace; a
    window that began anew in between says nothing of it.
    """
    if before is None or seen.remaining is None or before.seen.remaining is None:
        return Level(seen, at, before.used_per_s if before else None)
    elapsed, used = at - before.at, before.seen.remaining - seen.remaining
    if elapsed <= 0 or used < 0:
        return Level(seen, at, before.used_per_s)
    pace = used / elapsed
    if before.used_per_s is not None:
        share = 0.5 ** (elapsed / FADES_S)
        pace = before.used_per_s * share + pace * (1 - share)
    return Level(seen, at, pace)
