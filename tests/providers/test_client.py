from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection

from providers import calls, client, roster
from providers.client import call
from providers.datasets import CoinQuery, GasQuery, GlobalQuery, NewsQuery, PriceQuery
from providers.errors import (
    BadKey,
    Blocked,
    Broken,
    CircuitOpen,
    Dropped,
    Garbled,
    Missing,
    NoKey,
    OutOfTokens,
    ProviderError,
    Throttled,
    TimedOut,
    Unsupported,
)
from providers.models import Call, Credential, Provider
from providers.resilience import Circuit, Deadline, Phase
from tests.upstreams import (
    NOON,
    Asked,
    Better,
    Fake,
    Keyed,
    Said,
    Upstreams,
    in_turn,
    status,
    usual,
)

pytestmark = pytest.mark.django_db

GAS = GasQuery()


def key(provider: Provider, label: str, **fields: Any) -> Credential:
    credential = Credential(provider=provider, label=label, **fields)
    credential.set_key(f"the-{label}-key")
    credential.save()
    return credential


def ask(provider: Provider, query: Any = GAS, seconds: float = 5, **more: Any) -> client.Fetched:
    roster.forget()
    return call(Provider.objects.get(pk=provider.pk), query, Deadline(seconds), **more)


def refused(kind: type[ProviderError], provider: Provider, **more: Any) -> Any:
    with pytest.raises(kind) as caught:
        ask(provider, **more)
    assert type(caught.value) is kind
    return caught.value


def outcomes() -> list[str]:
    assert calls.flush()
    return list(Call.objects.order_by("pk").values_list("outcome", flat=True))


def circuit(provider: Provider) -> Circuit:
    return provider.guard.standing().circuit


def only_keys(*good: str) -> Callable[[Asked], Said]:
    """Answers who sends one of these keys, and 401 to everybody else."""
    return lambda asked: usual(asked) if asked.key in good else Said(401)


# -- One call and its row --------------------------------------------------------------------


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


# -- Trying again ----------------------------------------------------------------------------


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


# -- Keys ------------------------------------------------------------------------------------


def test_a_provider_that_needs_a_key_is_not_asked_without_one(upstreams: Upstreams) -> None:
    refused(NoKey, upstreams.provider("a", Keyed))
    assert upstreams.asked == []
    assert outcomes() == []


def test_keys_are_used_in_their_order(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", Keyed)
    key(provider, "second", order=2)
    first = key(provider, "first", order=1)
    ask(provider)
    assert [asked.key for asked in upstreams.asked] == ["the-first-key"]
    assert outcomes() == ["ok"]
    assert Call.objects.get().credential == first


@pytest.mark.parametrize("number", [401, 402, 403])
def test_a_refused_key_is_set_aside_alone_and_the_next_is_used(
    upstreams: Upstreams, number: int
) -> None:
    provider = upstreams.provider("a", Keyed)
    bad, good = key(provider, "bad"), key(provider, "good", order=1)
    upstreams.play["a"] = in_turn(status(number), only_keys("the-good-key"))
    ask(provider)
    ask(provider)
    assert [a.key for a in upstreams.asked] == ["the-bad-key", "the-good-key", "the-good-key"]
    bad.refresh_from_db()
    good.refresh_from_db()
    assert bad.set_aside_at is not None
    assert str(number) in bad.set_aside_reason
    assert "the-bad-key" not in bad.set_aside_reason
    assert good.set_aside_at is None
    assert circuit(provider) == Circuit()
    assert outcomes() == ["bad_key", "ok", "ok"]


def test_without_a_key_that_works_there_is_none(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", Keyed)
    key(provider, "bad")
    upstreams.play["a"] = only_keys()
    assert "'bad' was refused" in str(refused(NoKey, provider))
    refused(NoKey, provider)
    assert len(upstreams.asked) == 1
    assert circuit(provider) == Circuit()


def test_who_answers_without_a_key_too_is_asked_without_one_at_last(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", Better)
    key(provider, "bad")
    upstreams.play["a"] = only_keys("")
    ask(provider)
    assert [asked.key for asked in upstreams.asked] == ["the-bad-key", ""]


def test_who_turns_us_away_without_a_key_rests(upstreams: Upstreams) -> None:
    upstreams.play["a"] = only_keys()
    provider = upstreams.provider("a", Better)
    refused(BadKey, provider)
    assert refused(CircuitOpen, provider).wait > 800


def test_a_key_nobody_can_have_is_set_aside_without_asking(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", Keyed)
    odd = Credential(provider=provider, label="odd")
    odd.set_key("line\nbreak")
    odd.save()
    refused(NoKey, provider)
    odd.refresh_from_db()
    assert odd.set_aside_at is not None
    assert upstreams.asked == []
    assert circuit(provider) == Circuit()


def test_a_key_that_cannot_be_decrypted_is_no_key(upstreams: Upstreams, settings: Any) -> None:
    """Fails closed: what is stored is never sent as if it were the key, nor is nothing sent."""
    provider = upstreams.provider("a", Keyed, limits=[{"limit": 1, "per_s": 60}])
    key(provider, "lost")
    known = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = ["YW5vdGhlci1rZXktYW5vdGhlci1rZXktYW5vdGhlci0="]
    assert "cannot be decrypted" in str(refused(NoKey, provider))
    assert upstreams.asked == []
    settings.ENCRYPTION_KEYS = [*settings.ENCRYPTION_KEYS, *known]
    ask(provider)


def test_a_refused_key_is_survived_while_the_database_is_out(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    provider = upstreams.provider("a", Keyed)
    key(provider, "bad")
    key(provider, "good", order=1)
    upstreams.play["a"] = only_keys("the-good-key")
    roster.forget()
    roster.current()

    def out(*args: Any, **kwargs: Any) -> Any:
        raise DatabaseError("gone")

    monkeypatch.setattr(Credential.objects, "filter", out)
    call(provider, GAS, Deadline(5))
    assert "not set aside yet" in caplog.text


# -- Quotas of a key -------------------------------------------------------------------------


def of_key(limit: float) -> list[dict[str, Any]]:
    return [{"limit": limit, "per_s": 60, "scope": "key"}]


def test_a_spent_key_rests_alone(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", Keyed, limits=of_key(30))
    key(provider, "one")
    key(provider, "two", order=1)
    upstreams.play["a"] = lambda asked: (
        Said(429, b"{}", {"Retry-After": "90"}) if asked.key == "the-one-key" else usual(asked)
    )
    ask(provider)
    ask(provider)
    sent = [asked.key for asked in upstreams.asked]
    assert sent == ["the-one-key", "the-two-key", "the-two-key"]
    assert circuit(provider) == Circuit()
    assert outcomes() == ["throttled", "ok", "ok"]


def test_when_every_key_is_spent_the_error_says_until_when(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", Keyed, limits=of_key(30))
    key(provider, "one")
    upstreams.play["a"] = status(429, retry_after=90)
    assert refused(Throttled, provider).wait == 90
    assert 80 < refused(CircuitOpen, provider).wait <= 90
    assert circuit(provider) == Circuit()
    assert len(upstreams.asked) == 1


def test_a_key_is_passed_over_before_its_quota_is_hit(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", Keyed, limits=of_key(1))
    key(provider, "one")
    key(provider, "two", order=1)
    ask(provider)
    ask(provider)
    refused(OutOfTokens, provider)
    assert [asked.key for asked in upstreams.asked] == ["the-one-key", "the-two-key"]


def test_a_429_without_a_quota_of_the_key_rests_the_provider(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", Keyed)
    key(provider, "one")
    key(provider, "two", order=1)
    upstreams.play["a"] = status(429, retry_after=30)
    refused(Throttled, provider)
    refused(CircuitOpen, provider)
    assert len(upstreams.asked) == 1


def test_a_provider_that_rests_costs_its_keys_nothing(upstreams: Upstreams) -> None:
    """Refusals of the provider's own guard must not drain the quota of a day."""
    limits = [
        {"limit": 300, "per_s": 86400, "scope": "key", "burst": 5},
        {"limit": 1, "per_s": 60},
    ]
    provider = upstreams.provider("a", Keyed, limits=limits)
    credential = key(provider, "one")
    ask(provider)
    for _ in range(9):
        refused(OutOfTokens, provider)
    provider.guard.reset()
    upstreams.play["a"] = status(500)
    refused(Broken, provider)
    for _ in range(9):
        refused(CircuitOpen, provider)
    assert credential.guard.standing().tokens["86400"].level == pytest.approx(3, abs=0.1)


def test_a_provider_that_is_down_says_nothing_of_the_key(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", Keyed, limits=of_key(30))
    credential = key(provider, "one")
    upstreams.play["a"] = status(451)
    refused(Blocked, provider)
    assert credential.guard.standing().circuit == Circuit()
    provider.guard.reset()
    upstreams.play["a"] = usual
    ask(provider)


def test_headers_teach_the_budget(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", limits=[{"limit": 60, "per_s": 60}])
    upstreams.play["a"] = lambda asked: Said(200, usual(asked).body, {"X-Left": "0"})
    ask(provider)
    refused(OutOfTokens, provider)


# -- One probe -------------------------------------------------------------------------------


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
