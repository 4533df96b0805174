from __future__ import annotations

import threading
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError, connection
from hypothesis import given
from hypothesis import strategies as st

from aggregator import answers, shelf
from aggregator.answers import Answer, Board, Cached, Claim, Source, claim, find, shelve, wait_for
from aggregator.encoding import encode
from aggregator.models import ShelvedAnswer
from providers.datasets import (
    CoinQuery,
    GasQuery,
    MarketQuery,
    NewsQuery,
    PriceQuery,
    PriceRow,
    Query,
    SentimentQuery,
)
from providers.errors import Attempt
from providers.resilience import Cell, Deadline, cell
from tests.conftest import Clock, forget_everything, use_redis
from tests.upstreams import coin_row

T = 1_760_000_000.0
each_store = pytest.mark.usefixtures("each_store")
database = pytest.mark.django_db


def an_answer(query: Query, at: float = T, source: str = "a", **fields: Any) -> Answer:
    values: dict[str, Any] = {"data": b'[{"chain": "ethereum"}]'} | fields
    return Answer(
        query=query,
        source=source,
        fetched_at=at,
        fresh_until=at + 60,
        stale_until=at + 3660,
        **values,
    )


def another_process() -> None:
    """What this process remembers is gone; what is shared is not."""
    forget_everything()


# -- The board in the process ----------------------------------------------------------------


def test_the_least_used_answers_go_first() -> None:
    board = Board(most=3)
    queries = [CoinQuery(id) for id in "abcd"]
    for query in queries[:3]:
        board.put(an_answer(query))
    board.get(queries[0].key)
    board.put(an_answer(queries[3]))
    assert [board.get(query.key) is not None for query in queries] == [True, False, True, True]


def test_answers_take_a_bounded_number_of_bytes() -> None:
    board = Board(most_bytes=1000)
    for name in "abcdefgh":
        board.put(an_answer(CoinQuery(name), data=b"x" * 300))
    assert len(board) == 3
    board.put(an_answer(CoinQuery("h"), data=b"x" * 10, at=T + 1))
    board.put(an_answer(CoinQuery("i"), data=b"x" * 300))
    assert len(board) == 4
    board.put(an_answer(CoinQuery("huge"), data=b"x" * 5000))
    assert len(board) == 0


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.integers(0, 400)), max_size=30)
)
def test_a_board_never_goes_back_in_time_nor_beyond_its_bounds(
    puts: list[tuple[str, int, int]],
) -> None:
    board = Board(most=2, most_bytes=600)
    newest: dict[str, float] = {}
    for name, age, size in puts:
        board.put(an_answer(CoinQuery(name), at=T + age, data=b"x" * size))
        found = board.get(CoinQuery(name).key)
        if found:
            assert found.fetched_at >= newest.get(name, 0)
            newest[name] = found.fetched_at
        kept = [board.get(CoinQuery(name).key) for name in "abc"]
        assert sum(len(answer.data) for answer in kept if answer) <= 600
        newest = {n: at for n, at in newest.items() if board.get(CoinQuery(n).key)}
        assert len(board) <= 2


# -- Both boards -----------------------------------------------------------------------------


@each_store
@database
def test_an_answer_comes_back_as_it_was_in_another_process_too(clock: Clock) -> None:
    query = PriceQuery(("BTC",))
    rows = [PriceRow("BTC", Decimal("67123.4500000000000001"), "USD")]
    shelve(
        an_answer(
            query,
            data=encode(rows),
            rows=rows,
            latency_ms=12.5,
            attempts=(Attempt("b", "circuit_open", 3.0, 0.1, "failed"),),
            sources=(Source("a", T, 12.5, 1),),
            missing=({"symbol": "X", "reason": "not_found"},),
            cached=Cached.MISS,
        )
    )
    here = find(query, clock)
    another_process()
    there = find(query, clock)
    assert here == there
    assert there
    assert there.cached is Cached.HIT
    assert list(there.records()) == rows
    assert there.attempts[0].wait_s == 3.0
    assert b"67123.4500000000000001" in there.body(T)


@each_store
@database
def test_an_answer_is_served_until_it_is_stale_and_gone_after_that(clock: Clock) -> None:
    query = GasQuery()
    shelve(an_answer(query))
    clock.tick(3659)
    known = find(query, clock)
    assert known
    assert not known.is_fresh(clock())
    clock.tick(1)
    assert find(query, clock) is None
    another_process()
    assert find(query, clock) is None


@each_store
@database
def test_another_process_s_newer_answer_is_found_when_ours_is_stale(clock: Clock) -> None:
    query = GasQuery()
    shelve(an_answer(query, source="old"))
    old = answers.board.get(query.key)
    clock.tick(61)
    shelve(an_answer(query, at=clock(), source="new"))
    answers.board.clear()
    assert old
    answers.board.put(old)
    found = find(query, clock)
    assert found
    assert found.source == "new"
    board = answers.board.get(query.key)
    assert board
    assert board.source == "new"


@each_store
@database
def test_a_slow_writer_does_not_put_an_older_answer_back(clock: Clock) -> None:
    query = NewsQuery().upstream()
    shelve(an_answer(query, at=T + 10, source="new", data=b"[]"))
    shelve(an_answer(query, at=T, source="old", data=b"[]"))
    for _ in range(2):
        found = find(query, clock)
        assert found
        assert found.source == "new"
        another_process()


@each_store
@database
def test_an_answer_with_an_old_part_is_newer_when_it_is_fresh_again(clock: Clock) -> None:
    """Merged news are as old as the feed that fails, however new the others are."""
    old = an_answer(NewsQuery().upstream(), data=b"[]", source="old")
    shelve(old)
    assert find(NewsQuery(limit=5), clock)
    clock.tick(100)
    shelve(replace(old, source="new", fresh_until=clock() + 60))
    for where in ("here", "there"):
        if where == "there":
            another_process()
        found = find(NewsQuery(limit=5), clock)
        assert found
        assert found.source == "new"
    answers.board.put(old)
    kept = answers.board.get(old.query.key)
    assert kept
    assert kept.source == "new"


@each_store
@database
def test_a_part_of_what_is_shelved_is_an_answer_too(clock: Clock) -> None:
    rows = [coin_row(rank, "x") for rank in range(1, 251)]
    shelve(an_answer(MarketQuery(limit=250), data=encode(rows), rows=rows))
    for where in ("here", "there"):
        if where == "there":
            another_process()
        found = find(MarketQuery(limit=7), clock)
        assert found
        assert [row.rank for row in found.records()] == [*range(1, 8)]
        assert found.query == MarketQuery(limit=7)
    assert find(MarketQuery(limit=7, currency="eur"), clock) is None


@database
def test_a_part_of_a_stale_answer_beats_no_answer_when_the_shelf_is_out(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [coin_row(rank, "x") for rank in range(1, 251)]
    shelve(an_answer(MarketQuery(limit=250), data=encode(rows)))
    clock.tick(100)
    monkeypatch.setattr(cell, "_skip_until", time.monotonic() + 60)
    found = find(MarketQuery(limit=5), clock)
    assert found
    assert len(found.records()) == 5


@each_store
@database
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"garbage",
        b"{}\n[]",
        b'{"source": "a"}\n[]',
        b'{"source":"a","fetched_at":"noon","fresh_until":1,"stale_until":1,"latency_ms":1,'
        b'"attempts":[],"sources":[],"missing":[]}\n[]',
        b'{"source":"a","fetched_at":1,"fresh_until":2,"stale_until":3,"latency_ms":1,'
        b'"attempts":[],"sources":[],"missing":[],"invented":1}\n[]',
    ],
)
def test_an_answer_of_another_version_counts_as_nothing(payload: bytes, clock: Clock) -> None:
    query = GasQuery()
    odd = answers._packed(an_answer(query, at=T))
    shelf.write([replace(odd, payload=payload)])
    assert find(query, clock) is None
    shelve(an_answer(query, at=T))
    another_process()
    assert find(query, clock) is not None


@each_store
@database
def test_purging_takes_answers_off_every_board(clock: Clock) -> None:
    shelve(an_answer(GasQuery()))
    shelve(an_answer(SentimentQuery()))
    assert answers.purge(["gas"]) == 1
    assert find(GasQuery(), clock) is None
    assert find(SentimentQuery(), clock) is not None
    assert answers.purge() >= 1
    assert find(SentimentQuery(), clock) is None
    assert shelf.size() == 0


@each_store
@database
def test_a_process_obeys_the_purge_of_another_within_a_second(clock: Clock) -> None:
    answers.purge()
    shelve(an_answer(GasQuery()))
    assert find(GasQuery(), clock) is not None
    ours = answers.board.get(GasQuery().key)
    seen, checked = answers._purge_seen, answers._purge_checked
    answers.purge()  # by another process: this one's board is as it was
    assert ours
    answers.board.put(ours)
    answers._purge_seen, answers._purge_checked = seen, checked
    clock.tick(1)
    assert find(GasQuery(), clock) is None


@database
def test_a_store_that_is_out_does_not_look_like_a_purge(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers.purge()
    cell._known.clear()  # it was another process that purged
    shelve(an_answer(GasQuery()))
    assert find(GasQuery(), clock) is not None
    clock.tick(2)
    monkeypatch.setattr(cell, "_skip_until", time.monotonic() + 60)
    assert find(GasQuery(), clock) is not None


@database
def test_a_shelf_that_is_out_is_survived_and_reported(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        errors = (OSError,)

        def read(self, keys: Any) -> Any:
            raise OSError("no shelf")

        write = read

    with monkeypatch.context() as while_out:
        while_out.setattr(shelf, "_shelf", Broken)
        shelve(an_answer(GasQuery()))
        assert "no shelf" in caplog.text
        assert find(GasQuery(), clock) is not None
        answers.board.clear()
        cell._skip_until = 0.0
        assert find(GasQuery(), clock) is None


@pytest.mark.service
@database
def test_what_must_outlive_a_restart_is_kept_in_rows_too(
    settings: Any, redis_url: str, clock: Clock
) -> None:
    use_redis(settings, redis_url)
    shelve(an_answer(CoinQuery("bitcoin"), data=b"[]"))
    shelve(an_answer(GasQuery()))
    assert [row.dataset for row in ShelvedAnswer.objects.all()] == ["coin"]
    for key in shelf._shelf().redis.scan_iter(f"{settings.STORE_PREFIX}:shelf:*"):  # type: ignore[union-attr]
        shelf._shelf().redis.delete(key)  # type: ignore[union-attr]
    another_process()
    assert find(CoinQuery("bitcoin"), clock) is not None
    assert find(GasQuery(), clock) is None


@pytest.mark.service
@database
def test_rows_that_are_out_do_not_take_redis_with_them(
    settings: Any,
    redis_url: str,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def out(*args: Any) -> Any:
        raise OperationalError("gone")

    use_redis(settings, redis_url)
    monkeypatch.setattr(shelf.DatabaseShelf, "read", out)
    monkeypatch.setattr(shelf.DatabaseShelf, "write", out)
    shelve(an_answer(CoinQuery("bitcoin"), data=b"[]"))
    assert find(CoinQuery("ether"), clock) is None
    assert caplog.text.count("durable answers are not kept") == 1
    assert not cell.store_is_out()
    answers.board.clear()
    assert find(CoinQuery("bitcoin"), clock) is not None


# -- One asks, the others wait ---------------------------------------------------------------


@each_store
@database
def test_one_of_all_may_ask_until_it_is_done(clock: Clock) -> None:
    query = GasQuery()
    with claim(query, seconds=8, clock=clock) as mine:
        assert mine
        assert answers.is_claimed(query, clock)
        with claim(query, seconds=8, clock=clock) as second:
            assert not second
        assert answers.is_claimed(query, clock), "who does not hold it cannot give it back"
        with claim(CoinQuery("x"), seconds=8, clock=clock) as other:
            assert other
    assert not answers.is_claimed(query, clock)
    with pytest.raises(ZeroDivisionError), claim(query, seconds=8, clock=clock):
        raise ZeroDivisionError
    assert not answers.is_claimed(query, clock)


@each_store
@database
def test_who_claims_first_need_not_look_on_the_shelf_again(clock: Clock) -> None:
    query, looked_at = GasQuery(), clock()
    with claim(query, seconds=8, clock=clock) as mine:
        assert mine is Claim.FIRST
        assert mine.lacks(looked_at, clock)
        clock.tick(1)
        assert not mine.lacks(looked_at, clock), "that is long ago"
    with claim(query, seconds=8, clock=clock) as mine:
        assert mine is Claim.WON
        assert not mine.lacks(clock(), clock), "somebody may have brought it meanwhile"


@each_store
@database
def test_a_claim_that_is_never_given_back_runs_out(clock: Clock) -> None:
    query = GasQuery()
    held = claim(query, seconds=8, clock=clock)
    assert held.__enter__()
    clock.tick(7.9)
    with claim(query, seconds=8, clock=clock) as mine:
        assert not mine
    clock.tick(0.1)
    with claim(query, seconds=8, clock=clock) as mine:
        assert mine
        held.__exit__(None, None, None)
        assert answers.is_claimed(query, clock), "what ran out is not given back twice"


@each_store
@database
@pytest.mark.parametrize("held", ["odd", 7, [], {}, {"until": "noon"}, {"token": 1}])
def test_a_claim_of_another_version_holds_nobody_up(held: Any, clock: Clock) -> None:
    Cell(f"asking:{answers.shelf_key(GasQuery())}", ttl=60).update(lambda _: (held, None))
    assert not answers.is_claimed(GasQuery(), clock)
    with claim(GasQuery(), seconds=8, clock=clock) as mine:
        assert mine


@each_store
@database
def test_who_waits_gets_the_answer_when_it_is_there() -> None:
    query, now = GasQuery(), time.time()
    steps = 0

    def sleep(seconds: float) -> None:
        nonlocal steps
        steps += 1
        if steps == 3:
            shelve(an_answer(query, at=now + 1))
            answers.board.clear()

    with claim(query, seconds=8):
        found = wait_for(query, Deadline(8), since=now, sleep=sleep)
    assert found
    assert found.fetched_at == now + 1
    assert steps == 3


@each_store
@database
def test_who_waits_gives_up_when_nobody_asks_any_more_or_time_is_up(clock: Clock) -> None:
    query = GasQuery()
    shelve(an_answer(query, at=time.time() - 50))
    assert wait_for(query, Deadline(8), since=time.time(), sleep=lambda s: None) is None
    with claim(query, seconds=60):
        found = wait_for(query, Deadline(1, clock), since=time.time(), sleep=clock.tick)
        assert found is None


@each_store
@pytest.mark.django_db(transaction=True)
def test_of_many_threads_one_may_ask() -> None:
    barrier, gate = threading.Barrier(8), threading.Event()
    seen: list[Claim] = []

    def visit() -> None:
        barrier.wait(5)
        with claim(GasQuery(), seconds=8) as mine:
            seen.append(mine)
            gate.wait(5)
        connection.close()

    threads = [threading.Thread(target=visit) for _ in range(8)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 5
    while len(seen) < 8 and time.monotonic() < end:
        time.sleep(0.005)
    gate.set()
    for thread in threads:
        thread.join(5)
    assert sorted(seen) == [Claim.LOST] * 7 + [Claim.FIRST]
