from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.utils.timezone import now

from providers import roster
from providers.datasets import GAS, PING
from providers.errors import Unsupported
from providers.models import Asset, Call, Credential, Listing, Policy, Provider
from providers.roster import OwnNames, Remembered
from tests.conftest import Clock
from tests.upstreams import Keyed, Upstreams

# -- Remembering -----------------------------------------------------------------------------


class Source:
    """Numbers its loads, and fails when told to."""

    def __init__(self) -> None:
        self.loads = 0
        self.error: Exception | None = None

    def __call__(self) -> int:
        if self.error:
            raise self.error
        self.loads += 1
        return self.loads


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def remembered(source: Source, clock: Clock) -> Remembered[int]:
    return Remembered(source, 1.5, clock)


def test_rows_are_read_again_when_their_time_is_over(
    remembered: Remembered[int], clock: Clock
) -> None:
    assert [remembered.get(), remembered.get()] == [1, 1]
    clock.tick(1.4)
    assert remembered.get() == 1
    clock.tick(0.1)
    assert [remembered.get(), remembered.get()] == [2, 2]


def test_rows_are_read_again_at_once_when_they_were_forgotten(remembered: Remembered[int]) -> None:
    assert remembered.get() == 1
    remembered.forget()
    assert remembered.get() == 2


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("closed")])
def test_while_the_database_is_out_we_go_by_the_rows_we_had(
    remembered: Remembered[int],
    source: Source,
    clock: Clock,
    error: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    remembered.get()
    source.error = error
    clock.tick(60)
    assert remembered.get() == 1
    assert "going by the last rows" in caplog.text
    source.error = None
    assert remembered.get() == 1, "the database is not pestered"
    clock.tick(1.5)
    assert remembered.get() == 2


def test_without_any_rows_the_error_is_told(remembered: Remembered[int], source: Source) -> None:
    source.error = OperationalError("gone")
    with pytest.raises(OperationalError):
        remembered.get()


def test_a_bug_of_ours_is_not_taken_for_a_database_that_is_out(
    remembered: Remembered[int], source: Source, clock: Clock
) -> None:
    remembered.get()
    source.error = ZeroDivisionError()
    clock.tick(2)
    with pytest.raises(ZeroDivisionError):
        remembered.get()
    source.error = None
    assert remembered.get() == 2


def test_one_reads_anew_and_nobody_waits_for_it(clock: Clock) -> None:
    reading, gate = threading.Event(), threading.Event()
    loads: list[int] = []

    def load() -> int:
        loads.append(1)
        if len(loads) == 2:
            reading.set()
            gate.wait(5)
        return len(loads)

    remembered = Remembered(load, 1.5, clock)
    remembered.get()
    clock.tick(2)
    reader = threading.Thread(target=remembered.get)
    reader.start()
    assert reading.wait(5)
    assert [remembered.get() for _ in range(3)] == [1, 1, 1]
    gate.set()
    reader.join(5)
    assert remembered.get() == 2
    assert len(loads) == 2


# -- What is remembered ----------------------------------------------------------------------


@pytest.mark.django_db
def test_only_who_is_enabled_known_and_has_what_it_needs_is_asked(upstreams: Upstreams) -> None:
    upstreams.provider("a", priority=1)
    upstreams.provider("b", priority=9)
    upstreams.provider("off", enabled=False)
    upstreams.provider("keyless", Keyed)
    Provider.objects.create(slug="odd", title="odd", adapter_name="no such adapter")
    found = roster.current()
    assert [row.slug for row in found.offering(GAS)] == ["b", "a"]
    assert found.offering(PING) == []
    assert {row.slug for row in found.providers} == {"a", "b", "off", "keyless"}


@pytest.mark.django_db
def test_keys_that_work_are_handed_out_in_their_order(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", Keyed)
    labels: dict[str, dict[str, Any]] = {
        "second": {"order": 2},
        "first": {"order": 1},
        "off": {"enabled": False},
        "refused": {"set_aside_at": now()},
    }
    for label, fields in labels.items():
        Credential.objects.create(provider=provider, label=label, secret="x", **fields)
    found = roster.current()
    assert [key.label for key in found.keys_of(provider)] == ["first", "second"]
    assert found.offering(GAS) == [provider]


@pytest.mark.django_db
def test_a_question_costs_no_query_once_rows_are_known(
    upstreams: Upstreams, django_assert_num_queries: Any
) -> None:
    provider = upstreams.provider("a", Keyed)
    Credential.objects.create(provider=provider, label="key", secret="x")
    Policy.objects.create(dataset="gas")

    def look() -> None:
        found = roster.current()
        assert found.keys_of(provider)[0].provider.slug == "a"
        assert found.policies["gas"].strategy == "priority"
        roster.records()
        roster.lately()
        roster.listings("fake")
        roster.asset("btc")

    look()
    with django_assert_num_queries(0):
        look()


@pytest.mark.django_db
def test_what_a_provider_calls_an_asset_is_found_by_symbol_and_by_id() -> None:
    ours = Asset.objects.create(slug="bitcoin", symbol="BTC", name="Bitcoin")
    Listing.objects.create(asset=ours, adapter_name="x", quote="USD", external_id="XBT/USD")
    Listing.objects.create(asset=ours, adapter_name="x", quote="EUR", external_id="XBT/EUR")
    names = roster.listings("x")
    assert names.find("BTC", ("USDT", "USD")) == ("XBT/USD", "USD")
    assert names.find("bitcoin", ("EUR",)) == ("XBT/EUR", "EUR")
    assert names.symbol_of("XBT/EUR") == "BTC"
    assert names.symbol_of("ETH/EUR") is None
    with pytest.raises(Unsupported):
        names.find("BTC", ("GBP",))
    with pytest.raises(Unsupported):
        roster.listings("y").find("BTC")


def test_an_external_id_means_a_symbol_also_of_a_coin_with_a_digit_first() -> None:
    names = OwnNames({("0x", ""): "0x-protocol", ("ZRX", ""): "0x-protocol"})
    assert names.symbol_of("0x-protocol") == "ZRX"


@pytest.mark.django_db
def test_of_coins_with_one_symbol_the_first_is_meant() -> None:
    for order, slug in enumerate(["bitcoin", "batcoin"]):
        asset = Asset.objects.create(slug=slug, symbol="BTC", name=slug.title(), order=order)
        Listing.objects.create(asset=asset, adapter_name="x", external_id=f"x-{slug}")
    assert roster.listings("x").find("BTC") == ("x-bitcoin", "")
    assert roster.listings("x").find("batcoin") == ("x-batcoin", "")
    for word in ("btc", "BTC", "bitcoin", "Bitcoin"):
        found = roster.asset(word)
        assert found
        assert found.slug == "bitcoin"
    assert roster.asset("batcoin") == Asset.objects.get(slug="batcoin")
    assert roster.asset("nope") is None
    assert roster.symbols()["BTC"] == "Bitcoin"


@pytest.mark.django_db
def test_a_coin_that_a_provider_lacks_is_not_mistaken_for_its_namesake() -> None:
    Asset.objects.create(slug="bitcoin", symbol="BTC", name="Bitcoin")
    namesake = Asset.objects.create(slug="batcoin", symbol="BTC", name="Batcoin", order=1)
    Listing.objects.create(asset=namesake, adapter_name="x", external_id="x-batcoin")
    assert roster.listings("x").find("batcoin") == ("x-batcoin", "")
    with pytest.raises(Unsupported):
        roster.listings("x").find("BTC")


# -- How providers did lately ------------------------------------------------------------------


def _called(provider: Provider, *outcomes: str, **fields: Any) -> None:
    values = {"dataset": "gas", "seconds": 0.5, "at": now()} | fields
    rows = [Call(provider=provider, outcome=outcome, **values) for outcome in outcomes]
    Call.objects.bulk_create(rows)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came lately is looked up at every question."""
    monkeypatch.setattr(roster._lately, "ttl", 0.0)


@pytest.mark.django_db
def test_each_call_is_read_once_and_only_those_that_are_new(
    upstreams: Upstreams, hurried: None, django_assert_num_queries: Any
) -> None:
    provider = upstreams.provider("a")
    assert roster.lately().of(provider.pk, "gas", time.time()) is None
    _called(provider, "ok", "broken", age_s=7.0)
    for more in ((), ("ok",), ("missing",)):
        _called(provider, *more)
        with django_assert_num_queries(1):
            book = roster.lately()
    known = book.of(provider.pk, "gas", time.time())
    assert known
    assert (known.good, known.bad) == pytest.approx((2, 1), rel=0.1)
    assert known.latency_s == pytest.approx(0.5)
    assert known.data_age_s == 7
    assert book.last == Call.objects.latest("pk").pk
    assert book.of(provider.pk, "price", time.time()) is None


@pytest.mark.django_db
def test_of_many_calls_the_newest_are_read(
    upstreams: Upstreams, hurried: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster, "MOST_CALLS", 3)
    provider = upstreams.provider("a")
    _called(provider, *["broken"] * 9, *["ok"] * 3)
    assert (book := roster.lately()).last == Call.objects.latest("pk").pk
    known = book.of(provider.pk, "gas", time.time())
    assert known
    assert known.success_rate == 1


@pytest.mark.django_db
def test_two_processes_that_began_at_different_times_agree(
    upstreams: Upstreams, hurried: None
) -> None:
    provider = upstreams.provider("a")
    for outcome in ("ok", "broken", "ok"):
        _called(provider, outcome)
        roster.lately()
    moment = time.time()
    one = roster.lately().of(provider.pk, "gas", moment)
    roster.forget()
    other = roster.lately().of(provider.pk, "gas", moment)
    assert one
    assert other
    assert (one.good, one.bad) == pytest.approx((other.good, other.bad))


def test_nobody_waits_for_what_is_a_little_old(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[Callable[[], None]] = []
    monkeypatch.setattr(roster, "_start", jobs.append)
    values = count(1)
    remembered = Remembered(lambda: next(values), 1.0, clock, grace=2.0)
    assert remembered.get() == 1
    clock.tick(1)
    assert [remembered.get(), remembered.get()] == [1, 1]
    (job,) = jobs  # one loads, whoever else comes meanwhile
    job()
    assert remembered.get() == 2
    assert len(jobs) == 1


def test_who_comes_late_waits_for_the_new(clock: Clock) -> None:
    values = count(1)
    remembered = Remembered(lambda: next(values), 1.0, clock, grace=2.0)
    assert remembered.get() == 1
    clock.tick(3)
    assert remembered.get() == 2


def test_a_reload_behind_that_fails_is_tried_again(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(job: Callable[[], None]) -> None:
        with suppress(ZeroDivisionError):
            job()

    monkeypatch.setattr(roster, "_start", start)
    values = iter([1, 0, 2])
    remembered = Remembered(lambda: 4 // next(values), 1.0, clock, grace=9.0)
    assert remembered.get() == 4
    clock.tick(1)
    assert [remembered.get(), remembered.get()] == [4, 2]


@pytest.mark.django_db(transaction=True)
def test_a_reload_behind_leaves_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # with a thread, as in a server
    done = threading.Event()
    seen: list[Any] = []

    def job() -> None:
        connection.ensure_connection()
        seen.append(connection.connection)
        done.set()

    roster._start(job)
    assert done.wait(5)
    for thread in threading.enumerate():
        if thread.name == "reload":
            thread.join(5)
    assert len(seen) == 1
    assert seen[0] is not connection.connection
