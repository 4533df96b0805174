"""
The data explorer: every dataset as a form, made of the serializer that checks its parameters.

It asks what a program would ask, under the same limits: `ask` is judged by the same callers and
meter, and takes only a few of the places that pages share with the admin.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from rest_framework import serializers
from rest_framework.exceptions import APIException, Throttled

from aggregator import callers
from aggregator.api import errors
from aggregator.api.serializers import QuerySerializer
from aggregator.api.symbols import SymbolField, SymbolsField
from aggregator.api.urls import DATA
from aggregator.api.views import answer_to
from aggregator.callers import Caller
from aggregator.meter import meter
from aggregator.shown import Problem, Shown
from providers.errors import GatewayError, Overloaded

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACES = 4  # questions of pages under way at once: half of what pages and the admin share
PATIENCE_S = 0.5

_places = threading.BoundedSemaphore(PLACES)


@dataclass(frozen=True)
class Field:
    """One parameter as a form control: number, select or text."""

    name: str
    kind: str
    value: str
    required: bool
    hint: str
    default: str
    choices: Sequence[str] = ()
    least: int | None = None
    most: int | None = None
    is_symbol: bool = False
    errors: Sequence[str] = ()


@dataclass(frozen=True)
class Choice:
    """One dataset that may be asked for, and its route below /api."""

    route: str
    asked: type[QuerySerializer]
    summary: str

    @property
    def name(self) -> str:
        return self.asked.query.dataset.name

    @property
    def title(self) -> str:
        return self.asked.query.dataset.title

    @property
    def shown_route(self) -> str:
        """As the docs write it: `coins/{id}`."""
        return re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", self.route)

    def url(self, given: Mapping[str, str]) -> str:
        """The API's own address for these parameters; "" while a part of its path is missing."""
        path = {name: given.get(name, "") for name in self.asked.in_path}
        rest = {name: value for name, value in given.items() if name not in path}
        try:
            url = reverse(self.name, kwargs=path)
        except NoReverseMatch:
            return ""
        return url + (f"?{urlencode(rest, safe=',:')}" if rest else "")

    def fields(
        self, given: Mapping[str, str], wrong: Mapping[str, Sequence[str]] | None = None
    ) -> list[Field]:
        wrong = wrong or {}
        return [
            _field(name, field, given.get(name, ""), wrong.get(name, ()))
            for name, field in self.asked().fields.items()
        ]


CHOICES = {choice.name: choice for choice in (Choice(*entry) for entry in DATA)}


def _field(name: str, field: Any, value: str, wrong: Sequence[str]) -> Field:
    is_choice = isinstance(field, serializers.ChoiceField)
    is_number = isinstance(field, serializers.IntegerField)
    has_default = field.default is not serializers.empty
    return Field(
        name=name,
        kind="select" if is_choice else "number" if is_number else "text",
        value=value,
        required=field.required,
        hint=str(field.help_text or ""),
        default=str(field.default) if has_default else "",
        choices=tuple(map(str, field.choices)) if is_choice else (),
        least=field.min_value if is_number else None,
        most=field.max_value if is_number else None,
        is_symbol=isinstance(field, SymbolField | SymbolsField),
        errors=wrong,
    )


def ask(request: HttpRequest, choice: Choice, given: Mapping[str, str]) -> Shown | Problem:
    """What the API answers to these parameters, or its error."""
    try:
        with admitted(request):
            return Shown.of(answer_to(choice.asked(data=dict(given))))
    except (GatewayError, APIException) as error:
        response = errors.handler(error, {"view": "explorer"})
        return Problem(response.data if response else {})


@contextmanager
def admitted(request: HttpRequest) -> Iterator[None]:
    """Counted like a request to the API, and given one of few places."""
    verdict = meter.count(caller_of(request))
    if not verdict.allowed:
        raise Throttled(wait=verdict.resets_in_s)
    if not _places.acquire(timeout=PATIENCE_S):
        raise Overloaded("Too many questions of this page are under way.")
    try:
        yield
    finally:
        _places.release()


def caller_of(request: HttpRequest) -> Caller:
    """Staff ask as themselves; everybody else as an address, where that is allowed."""
    user = request.user
    if user.is_authenticated and user.is_staff:
        return Caller(f"user:{user.pk}", settings.ANONYMOUS_PER_MINUTE)
    peer = request.META.get("REMOTE_ADDR", "")
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    return callers.anonymous(callers.address_of(peer, forwarded))


def may_look(request: HttpRequest) -> bool:
    """May answers be shown to whoever is looking, without a key?"""
    return settings.ANONYMOUS_ACCESS or (request.user.is_authenticated and request.user.is_staff)
