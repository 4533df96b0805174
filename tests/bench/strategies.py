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
    EVERY_S,
    MINUTE,
    QUESTIONS,
    Reply,
    Trace,
    drawn,
    recorded,
    synthetic,
)

PATIENCE_S = 8.0  # of a question
BOOK_S, RECORDS_S = 2.0, 10.0  # how old what selection goes by may be
REFUSAL_S = 0.05  # what a 429 takes
SEEDS = (1, 2)
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

    def __init__(self, trace: Trace, strategy: str) -> None:
        self.trace = trace
        self.strategy = strategy
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
        now, waited, asked = turn * EVERY_S, 0.0, False
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


def simulate(trace: Trace, strategy: str, draws: Sequence[list[dict[str, Reply]]]) -> Result:
    """All of it, over several draws of the same trace."""
    total = Result()
    for draw in draws:
        gateway = Gateway(trace, strategy)
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
    regrets: defaultdict[str, list[float]] = defaultdict(list)
    traces = synthetic() | recorded()
    say(f"{QUESTIONS} questions, one every {EVERY_S:g} s, {len(SEEDS)} times on each trace")
    for title, trace in traces.items():
        draws = [drawn(trace, seed) for seed in SEEDS]
        results = {name: simulate(trace, name, draws) for name in (*STRATEGIES, ORACLE)}
        best = results[ORACLE].mean_s
        say(f"\n{title}")
        say(f"  {'':<12} answered   mean ms    p95 ms  regret ms   age s  $/1000  asked first")
        for name, result in results.items():
            say(f"  {name:<12} {line(result, best)}")
            regrets[name].append((result.mean_s - best) * 1000)
    return rows({name: fmean(found) for name, found in regrets.items() if name != ORACLE})


def line(result: Result, best_s: float) -> str:
    asked = len(result.waits)
    shares = " ".join(f"{n} {100 * c / asked:.0f} %" for n, c in sorted(result.first.items()))
    return (
        f"{100 * (1 - result.failed / asked):7.2f} % {result.mean_s * 1000:9.0f} "
        f"{result.p95_s * 1000:9.0f} {(result.mean_s - best_s) * 1000:10.0f} "
        f"{fmean(result.ages):7.1f} {1000 * result.dollars / asked:7.2f}  {shares}"
    )


def rows(regrets: dict[str, float]) -> list[Row]:
    """Regret in ms, the mean over all traces."""
    others = min(regret for name, regret in regrets.items() if name != "adaptive")
    wanted = "less than any other"
    return [
        Row(
            f"{name}: mean regret over all traces",
            f"{regret:.0f} ms",
            wanted if name == "adaptive" else "",
            regret < others if name == "adaptive" else None,
        )
        for name, regret in regrets.items()
    ]


if __name__ == "__main__":
    for row in main():
        print(row)
