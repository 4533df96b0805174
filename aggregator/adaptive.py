"""
A bandit: Thompson sampling over calls that fade. Pure.

Whoever asks one after the other until somebody answers waits least, on average, when they are
ordered by

    seconds of a try / chance that it answers

(how long it would take to get an answer out of this one alone). Neither is known, but recent calls
tell how likely each value is: the chance is Beta(good, bad), and the mean of n tries that took s
seconds is 4 s / Gamma(4 n), as single calls are mostly within half of their mean. We draw one value
of each for every provider and go by those. So who is well known is drawn close to what it is; who
is not may be drawn better than it is, is asked, and is known again. Because calls fade
(`providers.lately`), nobody is written off for ever.

What we believe before the first call is worth one call: that nine in ten are answered, as fast as
the median of the others answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from statistics import median

from providers.lately import FORGOTTEN, Lately

BELIEF = 1.0  # in calls
BELIEVED_SHARE = 0.9
BELIEVED_S = 1.0  # while nobody was asked
STEADINESS = 4.0  # a call is off its mean by 1 / sqrt(4) of it
LEAST = 1e-9


def draw(known: Mapping[str, Lately | None], chance: Random) -> dict[str, float]:
    """
    For each, by name, the seconds until it answers as one draw has it. The same for equal
    `chance`, in whatever order they come.
    """
    usual = typical_s(known)
    return {name: _seconds(known[name], usual, chance) for name in sorted(known)}


def expected(lately: Lately | None, usual: float) -> float:
    """
    The seconds until it answers that we expect, without the doubt: all that its tries took, over
    the answers that came of them.
    """
    good, _, seconds = _believed(lately, usual)
    return seconds / good


def _seconds(lately: Lately | None, usual: float, chance: Random) -> float:
    good, bad, seconds = _believed(lately, usual)
    shape = STEADINESS * (good + bad)
    mean = STEADINESS * seconds / max(LEAST, chance.gammavariate(shape, 1.0))
    return mean / max(LEAST, chance.betavariate(good, bad))


def _believed(lately: Lately | None, usual: float) -> tuple[float, float, float]:
    """Tries that were answered, that were not, and the seconds of both, with what we believe."""
    good, bad, seconds = BELIEF * BELIEVED_SHARE, BELIEF * (1 - BELIEVED_SHARE), BELIEF * usual
    if lately is None:
        return good, bad, seconds
    return good + lately.good, bad + lately.bad, seconds + lately.seconds


def typical_s(known: Mapping[str, Lately | None]) -> float:
    """The median of what a try of those who were asked takes."""
    found = [
        lately.seconds / (lately.good + lately.bad)
        for lately in known.values()
        if lately and lately.good + lately.bad > FORGOTTEN
    ]
    return median(found) if found else BELIEVED_S
