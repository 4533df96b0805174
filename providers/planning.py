"""Ask providers what our keys may ask: once in some hours, and when somebody tests a key."""

from __future__ import annotations

from datetime import timedelta

from django.utils.timezone import now

from providers import plans, roster
from providers.client import Fetched, call
from providers.datasets import PlanQuery
from providers.models import Credential
from providers.resilience import Deadline

EVERY = timedelta(hours=6)


def due() -> list[Credential]:
    """Keys in use whose plan was not read for hours, where the provider tells it."""
    catalogue = roster.current()
    return [
        credential
        for provider in catalogue.providers
        if provider.enabled and plans.tells_plan(provider.adapter_class)
        for credential in catalogue.keys_of(provider)
        if credential.plan_read_at is None or credential.plan_read_at < now() - EVERY
    ]


def read(credential: Credential, *, purpose: str = "plan") -> Fetched:
    """What the provider says of this key, which sets its windows; raises ProviderError."""
    deadline = Deadline(credential.provider.timeout_s)
    told = call(credential.provider, PlanQuery(), deadline, purpose=purpose, only=credential)
    plans.keep(credential, told.rows)
    return told
