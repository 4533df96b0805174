"""Which key of a provider is used, set aside or passed over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError

from providers import roster
from providers.client import call
from providers.errors import (
    BadKey,
    Blocked,
    Broken,
    CircuitOpen,
    NoKey,
    OutOfTokens,
    Throttled,
)
from providers.models import Call, Credential, Provider
from providers.resilience import Circuit, Deadline
from tests.providers.caller import GAS, ask, circuit, outcomes, refused
from tests.upstreams import (
    Asked,
    Better,
    Keyed,
    Said,
    Upstreams,
    in_turn,
    status,
    usual,
)

pytestmark = pytest.mark.django_db


def key(provider: Provider, label: str, **fields: Any) -> Credential:
    credential = Credential(provider=provider, label=label, **fields)
    credential.set_key(f"the-{label}-key")
    credential.save()
    return credential


def only_keys(*good: str) -> Callable[[Asked], Said]:
    """Answers who sends one of these keys, and 401 to everybody else."""
    return lambda asked: usual(asked) if asked.key in good else Said(401)


# -- Keys --------------------------------------------------------------------------------------


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


# -- Quotas of a key ---------------------------------------------------------------------------


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
