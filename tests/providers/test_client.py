"""One call to a provider: its row, further tries, and the one that probes."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection

from providers import client
from providers.client import call
from providers.datasets import CoinQuery, GlobalQuery, NewsQuery, PriceQuery
from providers.errors import (
    BadKey,
    Blocked,
    Broken,
    CircuitOpen,
    Dropped,
    Garbled,
    Missing,
    OutOfTokens,
    ProviderError,
    Throttled,
    TimedOut,
    Unsupported,
)
from providers.models import Call, Provider
from providers.resilience import Circuit, Deadline, Phase
from tests.providers.caller import GAS, ask, circuit, outcomes, refused
from tests.upstreams import (
    NOON,
    Asked,
    Fake,
    Said,
    Upstreams,
    status,
    usual,
)

pytestmark = pytest.mark.django_db


# -- One call and its row ----------------------------------------------------------------------


def test_an_answer_comes_with_a_row_of_what_it_took(upstreams: Upstreams) -> None:
    fetched = ask(upstreams.provider("a"))
    assert fetched.rows[0].chain == "ethereum"
    assert 0 < fetched.seconds < 1
    assert outcomes() == ["ok"]
    row = Call.objects.get()
    assert (row.dataset, row.rows, row.cost, row.purpose) == ("gas", 1, 1, "visitor")
    assert row.bytes > 50
    assert row.seconds == pytest.approx(fetched.seconds)


def test_a_row_says_how_old_the_newest_data_was(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a")
    ask(provider, NewsQuery())
    ask(provider, PriceQuery(("BTC",)))
    upstreams.play["a"] = status(500)
    refused(Broken, provider)
    assert outcomes() == ["ok", "ok", "broken"]
    news, price, failed = Call.objects.order_by("pk").values_list("age_s", flat=True)
    assert news == pytest.approx(time.time() - NOON.timestamp(), abs=5)
    assert (price, failed) == (None, None), "who does not say when is not called new"


@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        (status(500), Broken),
        (status(429), Throttled),
        (status(451), Blocked),
        (status(401), BadKey),
        (lambda asked: Said(200, b"<html>"), Garbled),
        (lambda asked: Said(200, b'[{"chain": 1}]'), Garbled),
    ],
)
def test_an_attempt_that_fails_has_exactly_one_row(
    upstreams: Upstreams, behave: Any, kind: type[ProviderError]
) -> None:
    upstreams.play["a"] = behave
    refused(kind, upstreams.provider("a"))
    assert outcomes() == [kind.code]
    assert len(upstreams.asked) == 1


def test_a_404_to_a_question_about_nothing_in_particular_is_a_broken_address(
    upstreams: Upstreams,
) -> None:
    upstreams.play["a"] = status(404)
    provider = upstreams.provider("a")
    refused(Garbled, provider, query=GlobalQuery())
    assert circuit(provider).failures == 1


def test_who_does_not_know_a_coin_is_well_and_has_a_row(upstreams: Upstreams) -> None:
    upstreams.play["a"] = status(404)
    provider = upstreams.provider("a")
    refused(Missing, provider, query=CoinQuery(id="nope"))
    assert outcomes() == ["missing"]
    assert circuit(provider) == Circuit()


def test_a_refusal_has_no_row_and_touches_no_network(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", limits=[{"limit": 1, "per_s": 60}])
    ask(provider)
    refused(OutOfTokens, provider)
    provider.guard.reset()
    upstreams.play["a"] = status(500)
    refused(Broken, provider)
    refused(CircuitOpen, provider)
    assert outcomes() == ["ok", "broken"]
    assert len(upstreams.asked) == 2


def test_what_a_provider_does_not_offer_costs_it_nothing(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offers_none(self: Any, query: Any) -> Any:
        raise Unsupported("no such chain")

    monkeypatch.setattr(Fake, "fetch", offers_none)
    provider = upstreams.provider("a", limits=[{"limit": 1, "per_s": 60}])
    for _ in range(3):
        refused(Unsupported, provider)
    assert outcomes() == []


def test_our_own_bug_is_no_failure_and_no_success_of_theirs(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trip(self: Any, query: Any) -> Any:
        raise NotImplementedError("ours")

    monkeypatch.setattr(Fake, "fetch", trip)
    provider = upstreams.provider("a")
    with pytest.raises(NotImplementedError):
        ask(provider)
    assert circuit(provider) == Circuit()
    assert outcomes() == ["cancelled"]
    row = Provider.objects.with_record().get()
    assert (row.calls, row.success_rate) == (1, None)


def test_a_call_that_ends_late_opens_the_circuit(upstreams: Upstreams) -> None:
    upstreams.play["a"] = upstreams.hang
    provider = upstreams.provider("a", timeout_s=0.1)
    began = time.monotonic()
    error = refused(TimedOut, provider)
    assert time.monotonic() - began < 0.5
    assert 4 < error.wait <= 5
    assert circuit(provider).failures == 1


def test_who_was_given_too_little_time_is_not_blamed_for_being_late(upstreams: Upstreams) -> None:
    """The visitor's patience was used up by others."""
    upstreams.play["a"] = upstreams.hang
    provider = upstreams.provider("a", timeout_s=2)
    refused(TimedOut, provider, seconds=0.1)
    assert circuit(provider) == Circuit()
    assert outcomes() == ["cancelled"]


# -- Trying again ------------------------------------------------------------------------------


def dropping(monkeypatch: pytest.MonkeyPatch, times: int) -> list[int]:
    """The first so many calls find that their resting connection was closed."""
    tried: list[int] = []
    fetch = Fake.fetch

    def flaky(self: Any, query: Any) -> Any:
        tried.append(1)
        if len(tried) <= times:
            raise Dropped("closed under us")
        return fetch(self, query)

    monkeypatch.setattr(Fake, "fetch", flaky)
    return tried


def test_a_dropped_connection_is_tried_again_and_each_try_has_its_row(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    tried = dropping(monkeypatch, times=2)
    provider = upstreams.provider("a", attempts=3)
    ask(provider, sleep=pauses.append)
    assert len(tried) == 3
    assert len(pauses) == 2
    assert outcomes() == ["dropped", "dropped", "ok"]
    assert circuit(provider) == Circuit()


def test_attempts_end(upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = dropping(monkeypatch, times=9)
    refused(Dropped, upstreams.provider("a", attempts=2), sleep=lambda pause: None)
    assert len(tried) == 2


def test_no_second_attempt_beyond_the_deadline(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = dropping(monkeypatch, times=9)
    refused(Dropped, upstreams.provider("a", attempts=5), seconds=0)
    assert len(tried) == 1


@pytest.mark.parametrize("number", [500, 404, 429])
def test_other_errors_are_left_to_the_next_provider(upstreams: Upstreams, number: int) -> None:
    upstreams.play["a"] = status(number)
    with pytest.raises(ProviderError):
        ask(upstreams.provider("a", attempts=5))
    assert len(upstreams.asked) == 1


# -- One probe ---------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_many_threads_one_probes_a_provider_that_may_be_back(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", rests_s=[0.05])
    upstreams.play["a"] = status(500)
    refused(Broken, provider)
    time.sleep(0.06)
    gate, barrier = threading.Event(), threading.Barrier(9)

    def late(asked: Asked) -> Said:
        gate.wait(5)
        return usual(asked)

    upstreams.play["a"] = late
    seen: list[str] = []

    def visit() -> None:
        barrier.wait(5)
        try:
            call(provider, GAS, Deadline(5))
            seen.append("ok")
        except CircuitOpen:
            seen.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=visit) for _ in range(8)]
    for thread in threads:
        thread.start()
    barrier.wait(5)
    end = time.monotonic() + 5
    while len(seen) < 7 and time.monotonic() < end:
        time.sleep(0.005)
    gate.set()
    for thread in threads:
        thread.join(5)
    assert sorted(seen) == ["ok"] + ["refused"] * 7
    assert len(upstreams.asked) == 2
    assert provider.guard.phase(provider.guard.standing()) is Phase.RETURNING


def test_every_symbol_of_a_batch_is_asked_for_at_once(upstreams: Upstreams) -> None:
    fetched = ask(upstreams.provider("a"), PriceQuery(("BTC", "ETH")))
    assert [row.symbol for row in fetched.rows] == ["BTC", "ETH"]
    assert upstreams.asked[0].symbols == ["BTC", "ETH"]


def test_in_the_sandbox_an_address_leads_to_this_machine(settings: Any) -> None:
    assert client.reachable("https://api.example/v1") == "https://api.example/v1"
    settings.SANDBOX_URL = "http://127.0.0.1:8900"
    assert client.reachable("https://api.example/v1") == "http://127.0.0.1:8900/api.example/v1"
