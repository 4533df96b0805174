"""
Strategies beside each other: who waits how long, on the same traces, by the real rules (selection,
breaker, fading sums) in simulated time. `python -m tests.bench.strategies`

Regret is what a question took longer than with somebody who knows how each upstream really is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from aggregator.selection import STRATEGIES, Candidate, rank
from providers.lately import Book, Told
from providers.resilience import Breaker, Phase
from providers.resilience.breaker import Circuit
from tests.bench.table import Row
from tests.bench.traces import (
    MINUTE,
    Reply,
    Trace,
    drawn,
    recorded,
    synthetic,
)

PATIENCE_S = 8.0  # of a question
BOOK_S, RECORDS_S = 2.0, 10.0  # how old what selection goes by may be
REFUSAL_S = 0.05  # what a 429 takes
BUSY_S, QUIET_S = 2.0, 30.0  # between two questions
HOURS = {BUSY_S: 2, QUIET_S: 16}  # each drawn anew
ORACLE = "(who knows)"
DATASET = "price"


@dataclass
class Result:
    waits: list[float] = field(default_factory=list)
    failed: int = 0
    first: Counter[str] = field(default_factory=Counter)
    ages: list[float] = field(default_factory=list)
    dollars: float = 0.0

    @property
    def mean_s(self) -> float:
        return fmean(self.waits)

    @property
    def p95_s(self) -> float:
        return sorted(self.waits)[int(0.95 * len(self.waits))]


class Gateway:
    """What one process remembers, and how it asks."""

    def __init__(self, trace: Trace, strategy: str, every_s: float) -> None:
        self.trace = trace
        self.strategy = strategy
        self.every_s = every_s
        self.breaker = Breaker()
        self.circuits = {name: Circuit() for name in trace}
        self.places = {name: place for place, name in enumerate(trace)}
        self.unread: list[tuple[int, int, str, Told]] = []
        self.book, self.book_at = Book(), 0.0
        self.took: defaultdict[str, list[float]] = defaultdict(list)
        self.day: dict[str, float] = {}
        self.day_at = -RECORDS_S
        self.hits: defaultdict[str, list[float]] = defaultdict(list)
        self.result = Result()

    def ask(self, turn: int, replies: dict[str, Reply]) -> None:
        now, waited, asked = turn * self.every_s, 0.0, False
        self._read(now)
        for name in self._order(turn, now):
            since = now + waited
            circuit, wait = self.breaker.admit(self.circuits[name], since)
            if wait or waited >= PATIENCE_S:
                continue
            self.circuits[name] = circuit
            if not asked:
                asked = bool(self.result.first.update([name]) or True)
            reply, told = self._reply(name, since, replies[name])
            waited += reply.seconds
            self._note(name, since, now + waited, told)
            if reply.ok:
                self.result.ages.append(self.trace[name].age_s)
                break
        else:
            waited, self.result.failed = PATIENCE_S, self.result.failed + 1
        self.result.waits.append(min(waited, PATIENCE_S))

    def _order(self, turn: int, now: float) -> list[str]:
        if self.strategy == ORACLE:
            return sorted(self.trace, key=lambda n: self.trace[n].manner(now).until_answer_s)
        found = [
            Candidate(
                name,
                priority=upstream.priority,
                failures=self.circuits[name].failures + self.circuits[name].throttles,
                latency_s=self.day.get(name),
                resting=self.breaker.phase(self.circuits[name], now) is Phase.OPEN,
                weight=upstream.weight,
                cost=upstream.cost,
                lately=self.book.of(self.places[name], DATASET, now),
            )
            for name, upstream in self.trace.items()
        ]
        return [candidate.name for candidate in rank(self.strategy, found, turn)]

    def _reply(self, name: str, since: float, reply: Reply) -> tuple[Reply, str]:
        upstream = self.trace[name]
        self.result.dollars += upstream.cost
        if upstream.per_minute:
            self.hits[name] = [at for at in self.hits[name] if at > since - MINUTE]
            if len(self.hits[name]) >= upstream.per_minute:
                return Reply(False, REFUSAL_S), "throttled"
            self.hits[name].append(since)
        return reply, "ok" if reply.ok else "broken"

    def _note(self, name: str, since: float, now: float, outcome: str) -> None:
        circuit, breaker = self.circuits[name], self.breaker
        if outcome == "ok":
            self.circuits[name] = breaker.succeeded(circuit, now, since=since)
            self.took[name].append(now - since)
        elif outcome == "throttled":
            self.circuits[name] = breaker.throttled(circuit, now, since=since, wait=30.0)
        else:
            self.circuits[name] = breaker.failed(circuit, now, since=since)
        told = Told(now, outcome, now - since, self.trace[name].age_s)
        self.unread.append((len(self.unread) + 1, self.places[name], DATASET, told))

    def _read(self, now: float) -> None:
        if now >= self.book_at + BOOK_S:
            self.book, self.book_at, self.unread = self.book.read(self.unread), now, []
        if now >= self.day_at + RECORDS_S:
            self.day, self.day_at = {n: fmean(s) for n, s in self.took.items()}, now


Draw = list[dict[str, Reply]]


def simulate(trace: Trace, strategy: str, every_s: float, draws: Sequence[Draw]) -> Result:
    """All of it, over several draws of the same trace."""
    total = Result()
    for draw in draws:
        gateway = Gateway(trace, strategy, every_s)
        for turn, replies in enumerate(draw):
            gateway.ask(turn, replies)
        found = gateway.result
        total.waits += found.waits
        total.ages += found.ages
        total.first += found.first
        total.failed += found.failed
        total.dollars += found.dollars
    return total


def main(say: Callable[[str], None] = print) -> list[Row]:
    found: list[Row] = []
    for every_s, hours in HOURS.items():
        say(f"\na question every {every_s:g} s, {hours} hours of each trace")
        found += rows(every_s, compare(every_s, hours, say))
    return found


def compare(every_s: float, hours: int, say: Callable[[str], None]) -> dict[str, float]:
    """The mean regret of each strategy over all traces, in seconds."""
    regrets: defaultdict[str, list[float]] = defaultdict(list)
    for title, trace in (synthetic() | recorded()).items():
        draws = [drawn(trace, seed, every_s) for seed in range(hours)]
        names = (*STRATEGIES, ORACLE)
        results = {name: simulate(trace, name, every_s, draws) for name in names}
        best_s = results[ORACLE].mean_s
        say(f"\n{title}")
        say(f"  {'':<12} answered   mean ms    p95 ms  regret ms   age s  $/1000  asked first")
        for name, result in results.items():
            say(f"  {name:<12} {line(result, best_s)}")
            regrets[name].append(result.mean_s - best_s)
    return {name: fmean(found) for name, found in regrets.items() if name != ORACLE}


def line(result: Result, best_s: float) -> str:
    asked = len(result.waits)
    shares = " ".join(f"{n} {100 * c / asked:.0f} %" for n, c in sorted(result.first.items()))
    return (
        f"{100 * (1 - result.failed / asked):7.2f} % {result.mean_s * 1000:9.0f} "
        f"{result.p95_s * 1000:9.0f} {(result.mean_s - best_s) * 1000:10.0f} "
        f"{fmean(result.ages):7.1f} {1000 * result.dollars / asked:7.2f}  {shares}"
    )


def rows(every_s: float, regrets: dict[str, float]) -> list[Row]:
    others = min(regret for name, regret in regrets.items() if name != "adaptive")
    found = []
    for name, regret in regrets.items():
        what = f"{name}, one every {every_s:g} s: mean regret"
        promised = name == "adaptive"
        wanted, held = ("less than any other", regret < others) if promised else ("", None)
        found.append(Row(what, f"{regret * 1000:.0f} ms", wanted, held))
    return found


if __name__ == "__main__":
    for row in main():
        print(row)
