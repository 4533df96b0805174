"""
The API against its own schema: whatever schemathesis thinks of, no 500 and no undocumented answer.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from aggregator.wsgi import application
from providers.models import Credential, Provider
from providers.sandbox.sandbox import Sandbox
from providers.sandbox.server import running

pytestmark = pytest.mark.django_db(transaction=True)  # WSGI closes connections

# Where "nobody" is an answer: nothing was checked in this house, so none is known to be well.
MAY_NAME_NOBODY = ("/api/providers/best",)


def not_broken(ctx: Any, response: Any, case: Any) -> bool | None:
    """No 500 anywhere, and no 503 but where it is the answer."""
    if response.status_code == 503 and case.path in MAY_NAME_NOBODY:
        return None
    return not_a_server_error(ctx, response, case)


PROMISES: list[Any] = [
    not_broken,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def house(shipped: None, settings: Any) -> Any:
    """The whole catalogue, answered by a sandbox, with budgets that no test exhausts."""
    Provider.objects.update(limits=[], min_fresh_s=0)
    key = Credential(provider=Provider.objects.get(slug="fred"), label="who alone has a search")
    key.set_key("sandbox-of-mine")
    key.save()
    settings.SANDBOX = True
    with running(Sandbox()) as url:
        settings.SANDBOX_URL = url
        yield


def operations() -> list[Any]:
    """Every operation of the schema that the project itself publishes."""
    schema = schemathesis.openapi.from_wsgi("/api/schema?format=json", application)
    found = []
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        found.append(result.ok())
    return found


def fuzz(operation: Any, examples: int) -> None:
    modes = [GenerationMode.POSITIVE]
    if list(operation.query):
        modes.append(GenerationMode.NEGATIVE)  # there is something to get wrong
    for mode in modes:

        @settings(
            max_examples=examples,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            case.call_and_validate(checks=PROMISES)

        ask()


def test_every_route_is_in_the_schema(house: None) -> None:
    labels = {operation.label for operation in operations()}
    for path in ("market", "market/price", "market/ohlc", "coins/{id}", "news", "gas", "status"):
        assert f"GET /api/{path}" in labels


def test_no_answer_is_undocumented(house: None) -> None:
    for operation in operations():
        fuzz(operation, examples=8)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_answer_is_undocumented_at_length(house: None) -> None:
    for operation in operations():
        fuzz(operation, examples=150)
