"""
A whole gateway before a sandbox that remembers what it said, or should have said.

A test asks through the public door, spoils providers, lets time pass, and compares every number it
is shown with what providers really said.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Model
from django.test import Client

from aggregator import answers, flights
from providers import calls, loading, roster
from providers.models import AiModel, Asset, Call, Credential, Listing, Policy, Provider, Resource
from providers.resilience import Cell, guard
from providers.sandbox.faults import Fault, Rule
from providers.sandbox.hosts import HOSTS
from providers.sandbox.sandbox import Sandbox
from providers.sandbox.wire import Reply, Request
from tests.aggregator.visitors import age
from tests.conftest import while_refreshing
from tests.emptying import Copy

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
QUANTITY = re.compile(rb'"(0x[0-9a-f]+)"')
REST_S = 30.0  # after a failure, in these tests: longer than any of them takes
PATIENCE_S = 5.0  # of a provider: far more than the sandbox needs on a busy machine
SHORT_S = 0.3  # of a provider that will not answer in time anyway
SLOW = ("delay", "drip", "hang")


class Witness(Sandbox):
    """A sandbox that keeps, of each request, the answer that no fault has spoiled."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._said: list[tuple[str, bytes]] = []
        self._writing = threading.Lock()

    def answer(self, request: Request) -> tuple[Reply, Fault]:
        reply, fault = super().answer(request)
        if speaker := self.speakers.get(request.host):
            with self._writing:
                self._said.append((request.host, speaker.answer(request).body))
        return reply, fault

    def forget(self) -> None:
        """Begin anew, with the same market: nothing spoiled, nothing asked, nothing said."""
        self.rules.clear()
        self.log.clear()
        self.offset_s = 0.0
        with self._writing:
            self._said.clear()

    def said(self, host: str) -> list[bytes]:
        """The bodies of the honest answers of a host, oldest first."""
        with self._writing:
            return [body for name, body in self._said if name == host]

    def numbers(self, host: str) -> set[Decimal]:
        """Every number that the host honestly said, in whatever quotes or base."""
        said = b" ".join(self.said(host))
        quantities = {Decimal(int(number, 16)) for number in QUANTITY.findall(said)}
        return quantities | {Decimal(number.decode()) for number in NUMBER.findall(said)}


@dataclass(frozen=True)
class Said:
    """An answer of the API; its numbers are exact."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def data(self) -> list[dict[str, Any]]:
        assert self.status == 200, self.body
        rows: list[dict[str, Any]] = self.body["data"]
        return rows

    @property
    def meta(self) -> dict[str, Any]:
        assert self.status == 200, self.body
        meta: dict[str, Any] = self.body["meta"]
        return meta

    @property
    def attempts(self) -> dict[str, dict[str, Any]]:
        """Who was passed over, by name."""
        found = self.meta["attempts"] if self.status == 200 else self.body["attempts"]
        return {attempt["provider"]: attempt for attempt in found}

    @property
    def outcomes(self) -> dict[str, str]:
        return {name: attempt["outcome"] for name, attempt in self.attempts.items()}


def numbers(value: Any) -> set[Decimal]:
    """Every number of an answer."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return set().union(*map(numbers, inner))
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return {Decimal(value)} if is_number else set()


class World:
    def __init__(self, client: Client, sandbox: Sandbox) -> None:
        self.client = client
        self.sandbox = sandbox

    def get(self, url: str, **headers: str) -> Said:
        return self._said(self.client.get(url, headers=headers))

    def post(self, url: str, body: Any) -> Said:
        return self._said(self.client.post(url, body, content_type="application/json"))

    @staticmethod
    def _said(response: Any) -> Said:
        body = json.loads(response.content, parse_float=Decimal)
        if response.status_code != 200:
            assert response["Content-Type"] == "application/problem+json", response.content
        return Said(response.status_code, response.headers, body)

    # -- Providers -----------------------------------------------------------------------------

    def only(self, *slugs: str) -> None:
        """Nobody else is enabled, and they are asked in this order."""
        Provider.objects.exclude(slug__in=slugs).update(enabled=False)
        for place, slug in enumerate(slugs):
            found = Provider.objects.filter(slug=slug)
            assert found.update(enabled=True, priority=100 - place) == 1, slug
        roster.forget()

    def give_key(self, slug: str, key: str) -> Credential:
        credential = Credential(provider=Provider.objects.get(slug=slug), label="of a test")
        credential.set_key(key)
        credential.save()
        roster.forget()
        return credential

    def host(self, slug: str) -> str:
        return urlsplit(Provider.objects.get(slug=slug).address).netloc

    def spoil(self, slug: str, fault: str, times: int | None = None, path: str = "") -> None:
        self.sandbox.rules.add(Rule(self.host(slug), fault, path, times))
        if fault.startswith(SLOW):
            Provider.objects.filter(slug=slug).update(timeout_s=SHORT_S)
            roster.forget()

    def heal(self) -> None:
        self.sandbox.rules.clear()

    def asked(self, slug: str) -> int:
        """How often the provider was asked, as it counts."""
        return sum(self.sandbox.log.counts().get(self.host(slug), {}).values())

    # -- What became of it ---------------------------------------------------------------------

    def calls(self) -> list[tuple[str, str]]:
        """(provider, outcome) of every call in the book, oldest first."""
        assert calls.flush()
        rows = Call.objects.order_by("at", "pk")
        return list(rows.values_list("provider__slug", "outcome"))

    def status(self, slug: str) -> dict[str, Any]:
        """What /api/status says of a provider, once the book is written and read anew."""
        assert calls.flush()
        roster.forget()
        found: dict[str, Any] = self.get("/api/status").body["providers"][slug]
        return found

    # -- Time and the shelf --------------------------------------------------------------------

    def begin_again(self) -> None:
        """Nothing is spoiled, nobody rests, and nothing is on the shelf."""
        self.heal()
        self.empty_the_shelf()
        for provider in Provider.objects.filter(enabled=True):
            provider.guard.reset()

    def empty_the_shelf(self) -> None:
        while_refreshing()
        answers.purge()

    def age(self, seconds: float) -> None:
        """All that is remembered happened so many seconds earlier than it did."""
        while_refreshing()
        age(seconds)
        answers.board.clear()
        for slug in Provider.objects.values_list("slug", flat=True):
            cell = Cell(guard.key(slug), ttl=guard.TTL)
            cell.update(lambda value: (_earlier(value, seconds), None))
        flights.forget()


MOMENTS = ("open_until", "probed_at", "back_at", "at")  # in what a guard remembers


def _earlier(value: Any, seconds: float) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        name: inner - seconds if name in MOMENTS and inner is not None else _earlier(inner, seconds)
        for name, inner in value.items()
    }


SPOKEN = frozenset(name for kind in HOSTS for name in kind.names)


class Catalogue:
    """
    The rows as shipped, but that budgets are wide, rests outlast a test, and whom the sandbox does
    not speak for is switched off. To load them is costly, to `restore` them is not.
    """

    def __init__(self) -> None:
        loading.load()
        Provider.objects.update(limits=[], timeout_s=PATIENCE_S, rests_s=[REST_S])
        for row in Provider.objects.all():
            if urlsplit(row.address).netloc not in SPOKEN:
                Provider.objects.filter(pk=row.pk).update(enabled=False)
        roster.forget()
        models: tuple[type[Model], ...] = (Provider, Policy, Asset, Listing, AiModel, Resource)
        self.rows = Copy(model._meta.db_table for model in models)

    def restore(self) -> None:
        """Into an empty database."""
        self.rows.restore()
        roster.forget()
