"""The OpenAPI document says what the API does: no more, no less, and in valid OpenAPI 3.1."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from typing import Any

import jsonschema
import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.validation import validate_schema

from aggregator.api.urls import DATA
from aggregator.explorer import CHOICES
from tests.upstreams import Upstreams, assets, coin_row, rows, status

pytestmark = pytest.mark.django_db(transaction=True)


WATCHED = (
    *("status", "status/{name}", "best", "history", "history/{name}"),
    *("export/csv", "health", "{name}/stats"),
)
MODELS = (
    *("scan", "models", "models/available", "models/{model_id}/history"),
    *("models/{model_id}/stats", "stats/summary", "dashboard", "health"),
    *("agent/status", "agent/start", "agent/stop"),
)


@cache
def shown() -> bytes:
    """The same for every test, and costly."""
    response = Client().get("/api/schema", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert response.status_code == 200
    return response.content


@pytest.fixture
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shown())
    return found


def operation(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][f"/api/{CHOICES[name].shown_route}"]["get"]
    return found


def check(document: dict[str, Any], found: dict[str, Any], status: int, body: Any) -> None:
    """The body is one that the operation promises for this status."""
    ((content_type, promised),) = found["responses"][str(status)]["content"].items()
    assert content_type == ("application/json" if status == 200 else "application/problem+json")
    schema = promised["schema"] | {"components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(body)


def test_it_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    validate_schema(document)  # type: ignore[no-untyped-call]


def test_it_is_made_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    """What is guessed, such as two names for one choice, gets a name that changes by itself."""
    call_command("spectacular", "--validate", "--fail-on-warn")
    assert not capsys.readouterr().err


def test_it_names_every_route_once_and_without_a_slash(document: dict[str, Any]) -> None:
    data = {f"/api/{choice.shown_route}" for choice in CHOICES.values()}
    assert len(data) == len(DATA)
    others = {"/api/capabilities", "/api/resources", "/api/status", "/api/sentiment/analyze"}
    others |= {"/api/system/status"}
    others |= {f"/api/providers/{route}" for route in WATCHED}
    others |= {"/api/incidents", "/api/incidents/{id}", "/api/alerts"}
    others |= {f"/api/ai-models/{route}" for route in MODELS}
    others |= {"/api/chat", "/api/chat/feedback", "/api/chat/conversations/{id}"}
    others |= {f"/api/privacy/{route}" for route in ("consent", "export", "erase")}
    assert set(document["paths"]) == data | others
    ids = [found["operationId"] for path in document["paths"].values() for found in path.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", CHOICES)
def test_its_parameters_are_those_that_are_checked(document: dict[str, Any], name: str) -> None:
    choice = CHOICES[name]
    fields = choice.asked().fields
    found = {p["name"]: p for p in operation(document, name).get("parameters", [])}
    assert set(found) == set(fields)
    for field, parameter in found.items():
        in_path = field in choice.asked.in_path
        assert parameter["in"] == ("path" if in_path else "query")
        assert parameter.get("required", False) == fields[field].required
        assert parameter["description"]


@pytest.mark.parametrize("name", CHOICES)
def test_every_error_it_promises_is_described(document: dict[str, Any], name: str) -> None:
    responses = operation(document, name)["responses"]
    assert set(responses) == {"200", "400", "401", "403", "404", "429", "503"}
    assert all(response["description"] for response in responses.values())


def test_a_key_is_one_of_two_headers_and_may_be_left_out(
    document: dict[str, Any], client: Client, settings: Any
) -> None:
    either: list[dict[str, Any]] = [{"clientKey": []}, {"clientKeyAsBearer": []}]
    assert operation(document, "market")["security"] == [*either, {}]
    assert document["components"]["securitySchemes"]["clientKey"]["name"] == "X-API-Key"
    settings.ANONYMOUS_ACCESS = False
    stricter = json.loads(client.get("/docs/schema?format=json").content)
    assert operation(stricter, "market")["security"] == either


def test_what_a_provider_may_leave_out_may_be_null(document: dict[str, Any]) -> None:
    row = document["components"]["schemas"]["MarketRow"]
    assert row["properties"]["market_cap"]["type"] == ["number", "null"]
    assert row["properties"]["name"]["type"] == "string"
    assert set(row["required"]) == set(row["properties"])


def test_real_answers_are_what_it_promises(
    document: dict[str, Any], client: Client, upstreams: Upstreams
) -> None:
    assets("BTC", "NOPE")
    for slug in ("alpha", "beta"):
        upstreams.provider(slug)
    upstreams.play["alpha"] = lambda asked: rows([coin_row(1, "x")._replace(price=Decimal("1e-9"))])
    asked: list[tuple[str, dict[str, str]]] = [
        ("market", {"limit": "5"}),
        ("price", {"symbols": "BTC,NOPE,whatever"}),
        ("news", {}),
        ("gas", {}),
        ("asset_sentiment", {"symbol": "BTC"}),
    ]
    for name, given in asked:
        body = client.get(CHOICES[name].url(given)).json()
        assert body["data"], name
        check(document, operation(document, name), 200, body)


def test_an_answer_without_a_source_would_be_noticed(document: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError, match="source"):
        check(document, operation(document, "market"), 200, {"data": [], "meta": {}})


def test_real_errors_are_what_it_promises(
    document: dict[str, Any], client: Client, upstreams: Upstreams, settings: Any
) -> None:
    upstreams.provider("alpha")
    upstreams.play["alpha"] = status(503)
    for name, given, expected in (
        ("market", {"limit": "9999"}, 400),
        ("ohlc", {"symbol": "nobody-knows-it"}, 404),
        ("market", {}, 503),
        ("sentiment", {}, 503),
    ):
        response = client.get(CHOICES[name].url(given))
        assert response.status_code == expected
        check(document, operation(document, name), expected, response.json())
    settings.ANONYMOUS_ACCESS = False
    refused = client.get("/api/market")
    assert refused.status_code == 401
    check(document, operation(document, "market"), 401, refused.json())


def test_system_routes_answer_what_they_promise(
    document: dict[str, Any], client: Client, upstreams: Upstreams
) -> None:
    upstreams.provider("alpha")
    client.get("/api/market")
    for path in ("/api/status", "/api/capabilities"):
        check(document, document["paths"][path]["get"], 200, client.get(path).json())


def test_a_reading_of_texts_is_what_it_promises(document: dict[str, Any], client: Client) -> None:
    found = document["paths"]["/api/sentiment/analyze"]["post"]
    for body, expected in (({"text": "Bitcoin surges"}, 200), ({"texts": []}, 422), ([], 422)):
        response = client.post("/api/sentiment/analyze", body, content_type="application/json")
        assert response.status_code == expected
        check(document, found, expected, response.json())
    assert set(found["responses"]) == {"200", "400", "401", "403", "413", "415", "422", "429"}


def test_the_docs_load_only_what_is_here(client: Client) -> None:
    page = client.get("/docs").content.decode()
    script = client.get("/docs?script=").content.decode()
    assert '"/docs?script="' in page
    assert 'url: "/docs/schema"' in script
    assert '"validatorUrl": null' in script
    assert "http://" not in script
    assert "https://" not in script


def test_the_docs_open_without_a_key(client: Client, settings: Any) -> None:
    settings.ANONYMOUS_ACCESS = False
    for path in ("/docs", "/docs?script=", "/docs/schema"):
        assert client.get(path).status_code == 200
