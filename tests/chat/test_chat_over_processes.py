"""
A hundred questions at once over two web processes: each gets its own answer and is kept once, and
of those that a killed process was at, nothing is half kept.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import requests

from tests.bench.house import House, Stub, house, provider
from tests.bench.upstream import market_row, symbol
from tests.private import ROOT, private_postgres, private_redis

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

MANY = 100
Job = tuple[str, str, str | None]  # address, query, conversation
KEPT = """
from aggregator.encoding import dumps
from chat.models import Conversation, Interaction
rows = Interaction.objects.all()
print(dumps({
    "conversations": [str(pk) for pk in Conversation.objects.values_list("pk", flat=True)],
    "rows": [[str(r.pk), str(r.conversation_id), r.query, r.answer, r.data] for r in rows],
}).decode())
"""


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    with provider() as found:
        yield found


@pytest.fixture(params=["sqlite", pytest.param("services", marks=pytest.mark.service)])
def two(request: pytest.FixtureRequest, stub: Stub, tmp_path: Path) -> Iterator[House]:
    """Two web processes over one database: SQLite alone, or PostgreSQL and Redis."""
    with ExitStack() as services:
        settings = {}
        if request.param == "services":
            settings["DATABASE_URL"] = services.enter_context(private_postgres())
            settings["REDIS_URL"] = services.enter_context(private_redis())
        row = stub.row("chatty")
        yield services.enter_context(house(tmp_path, [row], settings, webs=2))


def question(number: int) -> str:
    return f"price of {symbol(number)}"


def ask(address: str, query: str, conversation: str | None = None) -> dict[str, Any]:
    body = {"query": query} | ({"conversation_id": conversation} if conversation else {})
    said = requests.post(f"{address}/api/chat", json=body, timeout=60)
    assert said.status_code == 200, said.text
    found: dict[str, Any] = said.json()
    return found


def at_once(
    work: Sequence[Job], then: Callable[[int], None] = lambda number: None
) -> list[dict[str, Any] | None]:
    """
    What each of (address, query, conversation) is answered; None where the connection broke. With
    each answer `then` is told how many there are.
    """
    gate, counted = Barrier(len(work)), count(1)

    def one(job: Job) -> dict[str, Any] | None:
        gate.wait(30)
        try:
            said = ask(*job)
        except requests.ConnectionError:
            return None
        then(next(counted))
        return said

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(one, work))


def kept(gateway: House) -> dict[str, Any]:
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", KEPT]
    done = subprocess.run(command, cwd=ROOT, env=gateway.env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def its_own(number: int, said: dict[str, Any]) -> bool:
    """Is it the answer to the question about that coin, and to no other?"""
    prices = [f for f in said["data"] if f["label"] == "price"]
    mine = {(f["subject"], f["value"]) for f in prices}
    return mine == {(f"Coin {number}", market_row(number)["current_price"])}


def test_nothing_is_lost_and_nothing_doubled(two: House) -> None:
    # Some go on with a conversation that the others begin beside.
    home = ask(two.url, question(0))["conversation_id"]
    work = [(two.urls[n % 2], question(n), home if n % 3 == 0 else None) for n in range(MANY)]
    said = at_once(work)
    assert all(answer and its_own(n, answer) for n, answer in enumerate(said))

    same = at_once([(two.urls[n % 2], question(7), None) for n in range(MANY)])
    assert all(answer and its_own(7, answer) for answer in same)

    answers = [answer for answer in (*said, *same) if answer]
    found = kept(two)
    rows = found["rows"]
    assert len({row[0] for row in rows}) == len(rows) == 2 * MANY + 1
    assert {row[0] for row in rows} >= {answer["id"] for answer in answers}
    asked = Counter([question(0), *(query for _, query, _ in work), *[question(7)] * MANY])
    assert Counter(row[2] for row in rows) == asked
    begun = {answer["conversation_id"] for answer in answers}
    assert set(found["conversations"]) == begun
    assert len(begun) == 1 + sum(home is None for _, _, home in work) + MANY
    by_id = {row[0]: row for row in rows}
    for answer in answers:
        assert by_id[answer["id"]][1:4:2] == [answer["conversation_id"], answer["answer"]]


def test_killed_in_the_middle_nothing_is_half_kept(two: House) -> None:
    for address in two.urls:  # both have begun to work
        ask(address, question(0))
    before = {row[0] for row in kept(two)["rows"]}
    work = [(two.urls[n % 2], question(n), None) for n in range(1, MANY + 1)]

    def kill(number: int) -> None:
        if number == MANY // 5:
            two.webs[0].signal_group(signal.SIGKILL)

    said = at_once(work, kill)

    answered = {answer["id"]: answer for answer in said if answer}
    assert len(answered) >= MANY // 2, "the other process went on"
    assert len(answered) < MANY, "it died before it had answered all of its own"
    found = kept(two)
    rows = {row[0]: row for row in found["rows"] if row[0] not in before}
    assert set(rows) >= set(answered), "what was answered is kept"
    assert max(Counter(row[2] for row in rows.values()).values()) == 1, "nothing twice"
    for _, conversation, query, answer, data in rows.values():
        number = int(query.rpartition("C")[2])
        assert its_own(number, {"data": data})
        assert answer.startswith(f"Coin {number}: price ")
        assert conversation in found["conversations"]
    # A conversation is there only with its question.
    with_question = {row[1] for row in found["rows"]}
    assert set(found["conversations"]) == with_question
    # Who was not answered asks again, and is.
    lost = next(n for n, answer in enumerate(said, 1) if answer is None)
    assert its_own(lost, ask(two.urls[1], question(lost)))
