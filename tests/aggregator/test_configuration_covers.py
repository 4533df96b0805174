"""Whatever an operator may edit goes through the file and back, or is left out for a reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models
from django.test import RequestFactory

from aggregator import configuration, importing
from aggregator.importing import BadConfiguration
from aggregator.models import Client
from monitoring.alerts.models import AlertRule, Slo
from monitoring.modelrows import ScanPlan
from monitoring.models import Endpoint, Plan
from providers import loading, priorities
from providers.health import Health
from providers.history import Edit
from providers.models import AiModel, Asset, Listing, Policy, Profile, Provider, Resource, Shipped
from providers.tables import Table
from tests.providers.adapters.declarations import TWINS, Twin

pytestmark = pytest.mark.django_db


def edited_in_the_admin() -> Iterator[type[models.Model]]:
    """Every model of which a superuser may add or change rows, also on the pages of others."""
    request = RequestFactory().get("/admin/")
    request.user = User(username="root", is_superuser=True, is_staff=True)
    for model, its in admin.site._registry.items():
        if its.has_add_permission(request) or its.has_change_permission(request):
            yield model
        for inline in its.get_inline_instances(request):
            if inline.has_add_permission(request, None) or inline.has_change_permission(request):
                yield inline.model


def columns(model: type[models.Model]) -> set[str]:
    fields = model._meta.concrete_fields
    return {field.name for field in fields if field.editable and not field.primary_key}


def concrete() -> dict[str, Any]:
    found = (model._meta.concrete_model for model in edited_in_the_admin())
    return {model._meta.label_lower: model for model in found if model}


def test_every_field_that_can_be_edited_is_in_the_file_or_left_out_for_a_reason() -> None:
    tables = {table.model: table for table in configuration.sections()}
    models_found = concrete()
    assert {"providers.provider", "aggregator.client", "monitoring.plan"} <= models_found.keys()
    missing = []
    for label, model in models_found.items():
        if label in configuration.LEFT_OUT:
            continue
        table = tables.get(model)
        said = {*table.fields, *table.names, *table.left_out} if table else set()
        missing += [f"{label}.{name}" for name in sorted(columns(model) - said)]
    assert missing == [], "export them, or say in LEFT_OUT or `left_out` why not"


def test_what_is_left_out_exists_and_has_a_reason() -> None:
    for label, reason in configuration.LEFT_OUT.items():
        assert apps.get_model(label)
        assert reason.endswith(".")
    for table in configuration.sections():
        for name, reason in table.left_out.items():
            assert name in columns(table.model)
            assert reason.endswith(".")


# -- Each field, there and back --------------------------------------------------------------

SAMPLES: dict[type[models.Field[Any, Any]], Any] = {
    models.URLField: "https://other.example/api",
    models.IntegerField: 4,
    models.FloatField: 12.5,
    models.TextField: "other: *words*",
    models.JSONField: ["other"],
    models.CharField: "other",
}
OTHERS: dict[str, Any] = {
    "providers.adapter_name": "openai_compatible",  # it takes options
    "providers.limits": [{"limit": 7, "per_s": 60}],
    "providers.rests_s": [1.5, 20],
    "providers.throttle_rests_s": [7],
    "providers.mapping": {"names": "symbol"},
    "providers.options": {"model": "other"},
    "policies.strategy": "weighted",
    "assets.kind": "fx",
    "resources.kind": "node",
    "resources.source": "house",
    "resources.auth": "none",
    "resources.key_in": "header",
    "resources.limits": [{"limit": 7, "per_s": 60}],
    "resources.flags": ["testnet"],
    **{f"resources.{n}": "https://other.example" for n in ("url", "docs_url", "signup_url")},
    "resources.probe_url": "https://other.example/up",
    "resources.addresses": ["https://third.example"],
    "ai_models.canonical_id": "other/b",
    "ai_models.task": "summarization",
    "ai_models.category": "summarization",
    "ai_models.fallback": "a/c",
    "ai_models.labels": [["LABEL_0", "bearish"]],
    "scans.interval_s": 90.5,
    "service_levels.within_ms": 500.0,
    "service_levels.dataset": "gas",
    "alert_rules.metric": "latency_drift",
    "alert_rules.direction": "below",
    "alert_rules.threshold": 9.5,
    "alert_rules.clear_at": 10.5,
    "alert_rules.scope": "kraken",
    "alert_rules.severity": "critical",
    "service_levels.objective_percent": 99.5,
}


def other(table: Table[Any], name: str, now: Any) -> Any:
    """A value that the field takes and does not have."""
    if f"{table.name}.{name}" in OTHERS:
        return OTHERS[f"{table.name}.{name}"]
    if isinstance(now, bool):
        return not now
    return next(v for kind, v in SAMPLES.items() if isinstance(table.fields[name], kind))


def ai_model(name: str, task: str) -> AiModel:
    return AiModel.objects.create(
        model_id=name, model_key=name[-1], canonical_id=name, task=task, category="trading"
    )


@pytest.fixture
def rows() -> dict[str, models.Model]:
    """A row for each section."""
    provider = Provider.objects.create(slug="kraken", title="Kraken", adapter_name="kraken")
    bitcoin = Asset.objects.create(slug="bitcoin", symbol="BTC", name="Bitcoin")
    client = Client(name="app")
    client.new_key()
    client.save()
    plan, scans = Plan(), ScanPlan()
    plan.save()
    scans.save()
    health = Health.objects.create(name="kraken", provider=provider)
    ai_model("a/c", task=OTHERS["ai_models.task"])  # it may stand in
    return {
        "providers": provider,
        "assets": bitcoin,
        "clients": client,
        "checks": plan,
        "policies": Policy.objects.create(dataset="market"),
        "listings": Listing.objects.create(
            asset=bitcoin, adapter_name="kraken", quote="USD", external_id="XBT"
        ),
        "resources": Resource.objects.create(slug="r", title="R", category="market"),
        "endpoints": Endpoint.objects.create(health=health),
        "ai_models": ai_model("a/b", task="fill-mask"),
        "scans": scans,
        "alert_rules": AlertRule.objects.get(slug="timeouts"),
        "service_levels": Slo.objects.create(name="Soon"),
    }


def test_each_field_is_told_by_the_file_and_taken_from_it(rows: dict[str, models.Model]) -> None:
    tables = configuration.sections()
    assert {table.name for table in tables} == rows.keys(), "a new section: add a row of it above"
    for table in tables:
        row = rows[table.name]
        was = table.values(row)
        then = {name: other(table, name, value) for name, value in was.items()}
        same = [name for name, value in was.items() if then[name] == value]
        assert not same, f"{table.name}: choose other samples"
        put(row, then)
        written = configuration.export().text()
        put(row, was)
        importing.run(written)
        row.refresh_from_db()
        assert table.values(row) == then, table.name


def put(row: models.Model, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


# -- Declared providers, the profile, the checks ---------------------------------------------


@pytest.mark.parametrize("twin", TWINS, ids=str)
def test_a_declared_provider_is_taken_elsewhere_whole(twin: Twin) -> None:
    mapping = twin.mapping | {"auth": {"header": "X-Api-Key", "prefix": "Bearer "}}
    Provider.objects.create(
        slug="mine", title="Mine", adapter_name="declared", cached_only=True,
        base_url="https://mine.example/api", mapping=mapping,
    )  # fmt: skip
    coin = Asset.objects.create(slug="bitcoin", symbol="BTC", name="Bitcoin")
    Listing.objects.create(asset=coin, adapter_name="declared_mine", external_id="btc")
    exported = configuration.export()
    assert exported.left_out == []
    for model in (Listing, Asset, Provider):
        model.objects.all().delete()
    importing.run(exported.text())
    row = Provider.objects.get()
    assert (row.mapping, row.cached_only) == (mapping, True)
    assert row.adapter_class.offers
    assert Listing.objects.get().external_id == "btc"


def test_a_profile_comes_along_and_goes_back_to_the_letter(shipped: None) -> None:
    priorities.switch(priorities.profiles()["origin"])
    Provider.objects.filter(slug="kraken").update(priority=7)
    written = configuration.export().text()
    for model in (Listing, Asset, Provider, Policy, Resource, Shipped, Profile):
        model.objects.all().delete()
    loading.load()
    importing.run(written)
    assert configuration.export().text() == written
    assert priorities.in_force().name == "origin"
    kept = loading.load()["providers"].kept
    assert kept == ["kraken.priority"], "what the profile says is nobody's edit"
    importing.run("aggregator: 1\nprofile: default")
    assert Provider.objects.get(slug="kraken").priority == 7
    assert Provider.objects.get(slug="crypto_dt_source").priority == 5


def test_a_switch_by_a_file_is_foretold_row_by_row(shipped: None) -> None:
    foretold = importing.run("aggregator: 1\nprofile: origin", dry_run=True)
    assert priorities.in_force().name == "default"
    said = [line for change in foretold for line in change.lines()]
    assert said[:2] == ["~ profile/priorities", '    name: "default" -> "origin"']
    place = said.index("~ providers/crypto_dt_source  (by the profile origin)")
    assert said[place + 1] == "    priority: 5 -> 90"
    assert importing.run("aggregator: 1\nprofile: origin") == foretold
    assert Edit.objects.filter(name="crypto_dt_source").get().after == {"priority": 90}


@pytest.mark.parametrize("name", ["nothing", "5", "[origin]"])
def test_an_unknown_profile_is_named(name: str) -> None:
    with pytest.raises(BadConfiguration, match="line 2: profile: no such profile. One of: default"):
        importing.run(f"aggregator: 1\nprofile: {name}")


def test_checks_are_told_for_endpoints_that_are_not_there_yet() -> None:
    Provider.objects.create(slug="kraken", title="Kraken", adapter_name="kraken")
    file = "aggregator: 1\nchecks: {all: {interval_s: 120}}\nendpoints: {kraken: {paused: true}}"
    importing.run(file)
    assert Plan.current().interval_s == 120
    assert Endpoint.objects.get(health__name="kraken").paused
    assert importing.run(file) == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("checks: {mine: {paused: true}}", "there is one plan, called 'all'"),
        ("checks: {all: {interval_s: 1}}", "checks.all.interval_s: Ensure"),
        ("endpoints: {nobody: {paused: true}}", "nothing called 'nobody' is checked"),
    ],
)
def test_a_mistake_about_checks_is_named(body: str, problem: str) -> None:
    with pytest.raises(BadConfiguration, match=problem):
        importing.run(f"aggregator: 1\n{body}")
