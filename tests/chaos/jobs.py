"""What our other processes are told to do: see `tests.crew`. Arguments and results are JSON."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test.utils import override_settings
from django.utils.timezone import now

from aggregator import answers, flights, gateway
from aggregator.answers import Answer
from monitoring.incidents import keeping
from monitoring.notices import outbox
from providers import calls, roster
from providers.client import call
from providers.datasets import GasQuery, MarketQuery, from_spec
from providers.errors import GatewayError, Refused
from providers.models import Provider
from providers.resilience import Breaker, Cell, Deadline, Guard, Window


def in_threads(number: int, work: Callable[[], Any]) -> list[Any]:
    """What so many threads return; the first error when one of them raises."""
    seen: list[Any] = []
    errors: list[BaseException] = []

    def one() -> None:
        try:
            seen.append(work())
        except BaseException as error:  # noqa: BLE001 (it is raised below)
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return seen


# -- Cells and guards ------------------------------------------------------------------------


def increment(key: str, times: int, threads: int) -> int:
    cell = Cell(key, ttl=600)

    def work() -> int:
        for _ in range(times):
            cell.update(lambda value: ((value or 0) + 1, None))
        return times

    return sum(in_threads(threads, work))


def spend(name: str, limit: float, per_s: float, tries: int, threads: int) -> int:
    """How many of `tries` calls in each thread the guard lets through."""
    guard = Guard(name, Breaker(), [Window(limit, per_s, burst=limit)])

    def work() -> int:
        granted = 0
        for _ in range(tries):
            try:
                with guard.admit():
                    granted += 1
            except Refused:
                continue
        return granted

    return sum(in_threads(threads, work))


def probe(name: str, threads: int, hold_s: float) -> int:
    """How many at once are let through to a provider that may be back."""
    guard = Guard(name, Breaker())

    def work() -> int:
        try:
            with guard.admit():
                time.sleep(hold_s)
                return 1
        except Refused:
            return 0

    return sum(in_threads(threads, work))


def take_the_probe_and_hang(name: str, lease_s: float) -> None:
    with Guard(name, Breaker(probe_lease=lease_s)).admit():
        _tell_and_hang(name)


def claim_and_hang(seconds: float, mark: str) -> None:
    with answers.claim(GasQuery(), seconds) as mine:
        assert mine
        _tell_and_hang(mark)


def _tell_and_hang(mark: str) -> None:
    """Say that it has come so far, and do not come back."""
    Cell(f"mark:{mark}", ttl=600).update(lambda _: (os.getpid(), None))
    signal.pause()


# -- Answers ---------------------------------------------------------------------------------


def ask(spec: dict[str, Any]) -> dict[str, Any]:
    """An answer of the gateway, or the code of the error."""
    try:
        answer = gateway.answer(from_spec(spec))
    except GatewayError as error:
        return {"error": error.code}
    return {
        "source": answer.source,
        "cached": str(answer.cached),
        "fetched_at": answer.fetched_at,
        "rows": len(answer.records()),
        "missing": len(answer.missing),
    }


def ask_in_threads(spec: dict[str, Any], threads: int) -> list[dict[str, Any]]:
    return in_threads(threads, lambda: ask(spec))


def refresh_when_stale(spec: dict[str, Any]) -> str:
    """What a visitor is told of a stale answer, once its refresh is over."""
    said = ask(spec)
    while flights._behind:
        time.sleep(0.005)
    return str(said["cached"])


def call_directly(slug: str) -> str:
    """The outcome of one call of a provider."""
    try:
        call(Provider.objects.get(slug=slug), GasQuery(), Deadline(5))
    except GatewayError as error:
        return error.code
    return "ok"


def call_within(slug: str, per_minute: int) -> str:
    """The outcome of one call, where so many a minute may go out to all providers together."""
    with override_settings(GLOBAL_CALLS_PER_MINUTE=per_minute):
        return call_directly(slug)


def write_calls_again_after(seconds: float) -> bool:
    """Write those there are, and from now on try sooner than usual."""
    calls.AGAIN_S = seconds
    return calls.flush()


def forget() -> None:
    """As a process that has just begun."""
    answers.board.clear()
    roster.forget()
    flights.forget()


def sources_for(seconds: float) -> list[list[Any]]:
    """[when, who answered] for so long, every question a new one."""
    seen: list[list[Any]] = []
    end = time.time() + seconds
    while time.time() < end:
        said = ask({"dataset": "search", "q": f"{os.getpid()}-{len(seen)}", "limit": 1})
        seen.append([time.time(), said.get("source", said.get("error"))])
        time.sleep(0.02)
    return seen


def found_for(seconds: float) -> list[list[Any]]:
    """[when, was there an answer to serve] for so long."""
    seen: list[list[Any]] = []
    end = time.time() + seconds
    while time.time() < end:
        seen.append([time.time(), answers.find(GasQuery()) is not None])
        time.sleep(0.02)
    return seen


def write_without_end(mark: str, size: int) -> None:
    """Shelve one great answer after the other, each of one letter only."""
    number = 0
    while True:
        letter = "abcdefghij"[number % 10]
        answers.shelve(_of_one_letter(letter, size))
        if number == 0:
            Cell(f"mark:{mark}", ttl=600).update(lambda _: (os.getpid(), None))
        number += 1


def _of_one_letter(letter: str, size: int) -> Answer:
    now = time.time()
    rows = b",".join(b'"%s"' % (letter.encode() * 100) for _ in range(size // 103))
    query = MarketQuery().upstream()
    return Answer(query, b"[" + rows + b"]", letter, now, now + 60, now + 3600)


# -- Incidents and notices -------------------------------------------------------------------


def send_and_hang(mark: str) -> None:
    def sender(channel: Any, message: Any) -> Any:
        Cell(f"mark:{mark}", ttl=60).update(lambda _: (1, None))
        time.sleep(60)

    outbox.drain(sender=sender)


def send() -> str:
    """Whatever is due, over the network."""
    return str(outbox.drain())


def review_and_die() -> None:
    """Killed in the middle of the transaction."""
    real = outbox.tell

    def tell(*args: Any, **kwargs: Any) -> int:
        real(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    outbox.tell = tell
    keeping.review(now())


def review_often() -> int:
    return sum(keeping.review(now()) for _ in range(5))
