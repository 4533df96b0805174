from __future__ import annotations

import threading
import time
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from aggregator import answers, arrivals, asking, batching, gateway
from aggregator.answers import Answer, Cached
from providers import calls
from providers.datasets import PriceQuery, PriceRow
from providers.errors import Attempt, GatewayError, NotFound, Unanswered
from providers.models import Policy, Provider
from providers.resilience import Deadline
from tests.aggregator.visitors import age, get
from tests.conftest import forget_everything, while_refreshing
from tests.upstreams import (
    Asked,
    Behaviour,
    Fake,
    Said,
    Upstreams,
    assets,
    rows,
    slowly,
    status,
    usual,
)

pytestmark = pytest.mark.django_db(transaction=True)

HUNDRED = [f"C{n:03}" for n in range(100)]


def symbols(upstreams: Upstreams) -> list[list[str]]:
    """What each call asked for."""
    return [asked.symbols for asked in upstreams.asked]


def only(*known: str) -> Any:
    """Prices these, and has never heard of others."""
    return lambda asked: rows(PriceRow(s, Decimal(2), "USD") for s in asked.symbols if s in known)


def in_threads(queries: list[PriceQuery]) -> dict[PriceQuery, Answer | GatewayError]:
    """All at once, announced by the edge as they come in."""
    barrier = threading.Barrier(len(queries))
    seen: dict[PriceQuery, Answer | GatewayError] = {}

    def visit(query: PriceQuery) -> None:
        try:
            seen[query] = gateway.answer(query)
        except GatewayError as error:
            seen[query] = error
        finally:
            connection.close()

    def come(query: PriceQuery) -> None:
        with arrivals.announced() as arrival:
            barrier.wait(10)
            arrival.carried_by(lambda: visit(query))()

    threads = [threading.Thread(target=come, args=(query,)) for query in queries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return seen


def served(answer: Answer | GatewayError) -> list[str]:
    assert isinstance(answer, Answer), answer
    return [row.symbol for row in answer.records()]


# -- One question of many symbols ------------------------------------------------------------


def test_many_symbols_are_one_call_and_each_has_its_own_place(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    assets("BTC", "ETH", "XRP")
    found = get("/api/market/price?symbols=BTC,ETH")
    assert [row["symbol"] for row in found.body["data"]] == ["BTC", "ETH"]
    assert found.meta["cache"] == "miss"
    assert get("/api/market/price?symbols=ETH").meta["cache"] == "hit"
    assert symbols(upstreams) == [["BTC", "ETH"]]
    both = get("/api/market/price?symbols=XRP,BTC")
    assert [row["symbol"] for row in both.body["data"]] == ["XRP", "BTC"]
    assert symbols(upstreams) == [["BTC", "ETH"], ["XRP"]]


def test_more_symbols_than_a_call_takes_are_as_few_calls_as_they_need(
    upstreams: Upstreams,
) -> None:
    upstreams.provider("a")
    assets(*HUNDRED)
    found = get(f"/api/market/price?symbols={','.join(HUNDRED)}")
    assert [row["symbol"] for row in found.body["data"]] == HUNDRED
    assert [len(asked) for asked in symbols(upstreams)] == [50, 50]


def test_a_symbol_nobody_prices_is_named_and_the_others_are_served(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    assets("BTC", "NOPE")
    found = get("/api/market/price?symbols=BTC,NOPE,what-is-this")
    assert [row["symbol"] for row in found.body["data"]] == ["BTC"]
    assert found.meta["missing"] == [
        {"symbol": "NOPE", "reason": "missing"},
        {"symbol": "what-is-this", "reason": "unknown"},
    ]


@pytest.mark.parametrize(
    ("play", "outcome"),
    [(status(503), "broken"), (status(429), "throttled"), (slowly(3.0), "timed_out")],
)
def test_it_says_why_a_symbol_is_missing_and_who_might_have_known_it(
    upstreams: Upstreams, play: Behaviour, outcome: str
) -> None:
    upstreams.provider("first", priority=90)
    upstreams.provider("second", priority=10, timeout_s=0.3, rests_s=[60])
    upstreams.play["second"] = play
    assets("BTC", "NOPE")
    found = get("/api/market/price?symbols=BTC,NOPE")
    assert [row["symbol"] for row in found.body["data"]] == ["BTC"]
    assert found.meta["missing"] == [{"symbol": "NOPE", "reason": outcome}]
    assert found.attempts == [("second", outcome)]


def attempts(*outcomes: str) -> list[Attempt]:
    return [Attempt(f"p{n}", outcome) for n, outcome in enumerate(outcomes)]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NotFound("", attempts("unsupported", "missing")), "missing"),
        (NotFound("", attempts("unsupported", "plan_limit")), "plan_limit"),
        (NotFound("", attempts("unsupported", "unsupported")), "unsupported"),
        (Unanswered("", attempts("missing", "no_key", "timed_out", "broken")), "timed_out"),
        (Unanswered("", attempts("no_key")), "no_key"),
        (Unanswered("nobody is enabled"), "unanswered"),
    ],
)
def test_a_reason_is_what_went_wrong_with_the_best_who_might_have_known(
    error: GatewayError, expected: str
) -> None:
    assert asking.reason(error) == expected


def test_when_no_symbol_is_known_it_is_not_found(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    assets("NOPE")
    assert get("/api/market/price?symbols=NOPE").status == 404
    assert get("/api/market/price?symbols=what-is-this").status == 404
    assert len(upstreams.asked) == 1


def test_a_partial_answer_is_not_taken_for_a_whole_one_later(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    upstreams.play["a"] = only("BTC")
    assets("BTC", "ETH")
    assert get("/api/market/price?symbols=BTC,ETH").meta["missing"]
    upstreams.play["a"] = usual
    found = get("/api/market/price?symbols=BTC,ETH")
    assert [row["symbol"] for row in found.body["data"]] == ["BTC", "ETH"]
    assert "missing" not in found.meta


def test_each_provider_is_asked_for_what_those_before_it_lack(upstreams: Upstreams) -> None:
    for slug, priority in [("a", 90), ("b", 50), ("c", 10)]:
        upstreams.provider(slug, priority=priority)
    assets("BTC", "ETH", "XRP")
    upstreams.play["a"] = only("BTC")
    upstreams.play["b"] = status(500)
    found = get("/api/market/price?symbols=BTC,ETH,XRP")
    assert [(asked.slug, asked.symbols) for asked in upstreams.asked] == [
        ("a", ["BTC", "ETH", "XRP"]),
        ("b", ["ETH", "XRP"]),
        ("c", ["ETH", "XRP"]),
    ]
    assert found.meta["source"] == "a,c"
    assert [(part["source"], part["rows"]) for part in found.meta["sources"]] == [
        ("a", 1),
        ("c", 2),
    ]
    assert ("b", "broken") in found.attempts


def test_when_nobody_could_say_the_error_is_not_a_404(upstreams: Upstreams) -> None:
    for slug in "ab":
        upstreams.provider(slug)
    upstreams.play["a"] = only()
    upstreams.play["b"] = status(500)
    assets("BTC")
    found = get("/api/market/price?symbols=BTC")
    assert found.status == 503
    assert set(found.attempts) == {("a", "missing"), ("b", "broken")}
    assert found.headers["Retry-After"] == "5"


def test_a_coin_it_lacks_does_not_keep_a_provider_from_the_others(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a provider that answers one coin a call."""
    monkeypatch.setattr(Fake, "batch", {"price": 1})
    upstreams.provider("a")
    assets("NOPE", "BTC")
    upstreams.play["a"] = lambda asked: Said(404) if asked.symbols == ["NOPE"] else usual(asked)
    found = get("/api/market/price?symbols=NOPE,BTC")
    assert [row["symbol"] for row in found.body["data"]] == ["BTC"]


def test_a_whole_answer_is_as_old_as_its_oldest_part(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    assets("BTC", "ETH")
    get("/api/market/price?symbols=BTC")
    age(30)
    found = get("/api/market/price?symbols=BTC,ETH")
    assert found.meta["age_s"] == pytest.approx(30, abs=2)
    assert found.meta["fresh_for_s"] == pytest.approx(30, abs=2)


# -- Stale prices ----------------------------------------------------------------------------


def test_stale_prices_are_served_at_once_and_refreshed_by_one_call(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    assets("BTC", "ETH", "XRP")
    get("/api/market/price?symbols=BTC,ETH,XRP")
    age(100)
    found = get("/api/market/price?symbols=BTC,ETH")
    assert found.meta["cache"] == "refreshing"
    assert found.meta["stale"]
    while_refreshing()
    assert symbols(upstreams)[1:] == [["BTC", "ETH"]]
    assert get("/api/market/price?symbols=BTC,ETH").meta["cache"] == "hit"
    assert get("/api/market/price?symbols=XRP").meta["stale"]
    while_refreshing()


def test_a_failed_refresh_leaves_stale_prices_where_they_are(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    assets("BTC")
    get("/api/market/price?symbols=BTC")
    age(100)
    upstreams.play["a"] = status(500)
    for expected in ("refreshing", "stale", "stale"):
        assert get("/api/market/price?symbols=BTC").meta["cache"] == expected
        while_refreshing()
    assert len(upstreams.asked) == 2


def test_prices_another_process_has_refreshed_are_not_asked_for_again(
    upstreams: Upstreams,
) -> None:
    upstreams.provider("a")
    assets("BTC")
    query = PriceQuery(("BTC",))
    gateway.answer(query)
    age(100)
    stale = answers.find(query)
    gateway.answer(query)
    while_refreshing()
    assert len(upstreams.asked) == 2
    answers.board.clear()
    assert stale
    batching._refresh_behind(query)  # by one who saw the stale price a moment ago
    while_refreshing()
    assert len(upstreams.asked) == 2


def test_a_policy_and_a_provider_s_wish_hold_for_prices_too(upstreams: Upstreams) -> None:
    Policy.objects.create(dataset="price", fresh_s=120)
    upstreams.provider("a")
    upstreams.provider("b", priority=90, min_fresh_s=300)
    assets("BTC", "ETH")
    assert get("/api/market/price?symbols=BTC").meta["fresh_for_s"] == pytest.approx(300, abs=1)
    Provider.objects.filter(slug="b").update(enabled=False)
    forget_everything()
    assert get("/api/market/price?symbols=ETH").meta["fresh_for_s"] == pytest.approx(120, abs=1)


# -- Many questions at once ------------------------------------------------------------------


def test_a_hundred_symbols_at_once_cost_at_most_one_call_more_than_they_need(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fake, "batch", {"price": 100})
    monkeypatch.setattr(batching, "ARRIVALS_S", 15.0)  # however busy the machine is
    upstreams.provider("a")
    upstreams.play["a"] = slowly(0.3)
    found = in_threads([PriceQuery((symbol,)) for symbol in HUNDRED])
    assert sorted(served(answer)[0] for answer in found.values()) == HUNDRED
    assert sorted(sum(symbols(upstreams), [])) == HUNDRED
    assert len(upstreams.asked) <= 2


def test_the_first_miss_does_not_wait_for_company(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    began = time.monotonic()
    gateway.answer(PriceQuery(("BTC",)))
    assert time.monotonic() - began < batching.GATHER_S + 0.2
    assert symbols(upstreams) == [["BTC"]]


def test_who_asks_while_a_call_is_under_way_goes_with_the_next(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    gate = threading.Event()

    def late(asked: Asked) -> Said:
        gate.wait(5)
        return usual(asked)

    upstreams.play["a"] = late
    first = threading.Thread(target=in_threads, args=([PriceQuery(("BTC",))],))
    first.start()
    while not upstreams.asked:
        time.sleep(0.002)
    rest = threading.Thread(
        target=in_threads,
        args=([PriceQuery(("ETH",)), PriceQuery(("XRP", "BTC")), PriceQuery(("ADA",))],),
    )
    rest.start()
    while len(upstreams.asked) < 2:
        time.sleep(0.002)
    gate.set()
    first.join(10)
    rest.join(10)
    assert [sorted(asked) for asked in symbols(upstreams)] == [["BTC"], ["ADA", "ETH", "XRP"]]


def test_the_same_symbol_at_once_is_asked_for_once(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    upstreams.play["a"] = slowly(0.2)
    queries = [PriceQuery(pair) for pair in [("BTC", "ETH"), ("ETH", "BTC"), ("ETH",), ("BTC",)]]
    found = in_threads(queries)
    assert [served(found[query]) for query in queries] == [list(q.symbols) for q in queries]
    assert Counter(sum(symbols(upstreams), [])) == {"BTC": 1, "ETH": 1}


def test_those_who_wait_together_hear_of_the_failure_together(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    upstreams.play["a"] = slowly(0.01, status(500))
    found = in_threads([PriceQuery((symbol,)) for symbol in HUNDRED[:8]])
    assert all(isinstance(error, Unanswered) for error in found.values())
    assert len(upstreams.asked) == 1, "the second batch finds the circuit open"


def test_a_fault_of_our_own_reaches_who_waits_and_frees_the_symbols(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstreams.provider("a")

    def trip(*args: Any) -> Any:
        raise ZeroDivisionError("ours")

    with monkeypatch.context() as buggy:
        buggy.setattr(asking, "attempt", trip)
        with pytest.raises(ZeroDivisionError):
            gateway.answer(PriceQuery(("BTC",)))
    assert gateway.answer(PriceQuery(("BTC",))).cached is Cached.MISS


def test_nobody_waits_beyond_the_deadline(upstreams: Upstreams, settings: Any) -> None:
    settings.UPSTREAM_PATIENCE_S = 0.3
    upstreams.provider("a")
    upstreams.play["a"] = upstreams.hang
    began = time.monotonic()
    with pytest.raises((Unanswered, NotFound)):
        gateway.answer(PriceQuery(("BTC",)))
    assert time.monotonic() - began < 0.8


def test_every_call_of_a_batch_has_its_row(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    gateway.answer(PriceQuery(tuple(HUNDRED)))
    assert len(calls._waiting) == len(upstreams.asked) == 2


# -- Who goes out --------------------------------------------------------------------------------


def test_the_first_goes_out_himself_unless_he_is_in_a_hurry(upstreams: Upstreams) -> None:
    assets("BTC", "ETH")
    upstreams.provider("a")
    went: list[str] = []

    def noting(query: PriceQuery, *args: Any) -> Any:
        went.append(threading.current_thread().name)
        return claimed(query, *args)

    claimed = batching._claimed
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(batching, "_claimed", noting)
        gateway.answer(PriceQuery(("BTC",)))
        gateway.answer(PriceQuery(("ETH",)), Deadline(2))
    assert went[0] == threading.current_thread().name
    assert went[1].startswith("fanout")
