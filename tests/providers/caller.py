"""Calls to one provider, and what they left behind."""

from __future__ import annotations

from typing import Any

import pytest

from providers import calls, client, roster
from providers.client import call
from providers.datasets import GasQuery
from providers.errors import (
    ProviderError,
)
from providers.models import Call, Provider
from providers.resilience import Circuit, Deadline

GAS = GasQuery()


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
