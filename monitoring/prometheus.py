"""
What /metrics tells: of all processes, from rows and cells. Seconds, ratios of 0 to 1 and Unix
times, as is the habit (https://prometheus.io/docs/practices/naming/); nothing where nothing was
measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import Min, Sum
from django.utils.timezone import now as current_time

from aggregator import readouts as gateway
from monitoring import readings
from monitoring.exposition import Family, page
from monitoring.models import Endpoint
from monitoring.readings import Board, Reading
from providers import usage
from providers.models import Outcome
from providers.resilience import Phase
from providers.roster import Remembered
from providers.standing import Status

READ_S = 1.0


def text() -> str:
    """The whole page, made at most a second ago."""
    return _text.get()


def forget() -> None:
    _text.forget()


def _read() -> str:
    board, moment = readings.board(), current_time()
    return page(
        [*_house(moment), *_traffic(), *_calls(), *_endpoints(board), *_checks(board, moment)]
    )


_text = Remembered(_read, READ_S)


def _house(moment: datetime) -> Iterator[Family]:
    info = Family("aggregator_build_info", "gauge", "Always 1; the version is its label.")
    info.add(1, version=settings.SPECTACULAR_SETTINGS["VERSION"])
    yield info
    database = Family("aggregator_database_up", "gauge", "Does the database answer?")
    database.add(float(gateway.database_is_online(connection)))
    yield database
    worker = Family("aggregator_worker_up", "gauge", "Has the worker finished a task lately?")
    worker.add(float(gateway.worker(moment)["background_worker"] == "active"))
    yield worker
    shelf = Family("aggregator_shelf_answers", "gauge", "Answers on the shelf.")
    shelf.add(gateway.shelf_size())
    yield shelf


# -- What was asked of us, and of providers ------------------------------------------------------


def _traffic() -> Iterator[Family]:
    bounds, totals = gateway.traffic_now()
    requests = Family(
        "aggregator_http_requests_total",
        "counter",
        "Requests, by route and status.",
    )
    for told, count in sorted(totals.get("requests", {}).items()):
        route, _, status = told.rpartition(" ")
        requests.add(count, route=route, status=status)
    yield requests
    answers = Family(
        "aggregator_answers_total",
        "counter",
        "Answers of data routes, by how they came about: hit, stale and refreshing off the shelf; "
        "miss asked for; coalesced waited for another's.",
    )
    for cached, count in sorted(totals.get("answers", {}).items()):
        answers.add(count, cache=cached)
    yield answers
    took = Family(
        "aggregator_http_request_duration_seconds", "histogram", "Until the response was ready."
    )
    seconds = totals.get("seconds", {})
    for route in sorted({told.rpartition(" ")[0] for told in seconds}):
        counts = [seconds.get(f"{route} {place}", 0) for place in range(len(bounds) + 1)]
        took.distribution(bounds, counts, seconds.get(f"{route} {len(counts)}", 0), route=route)
    yield took


def _calls() -> Iterator[Family]:
    calls = Family(
        "aggregator_upstream_calls_total",
        "counter",
        "Calls of providers, by how they ended: ok, or the code of an error.",
    )
    seconds = Family(
        "aggregator_upstream_call_seconds_total", "counter", "Seconds that those calls took."
    )
    ended = Outcome.objects.order_by("provider__slug", "outcome")
    for slug, outcome, number, took in ended.values_list("provider__slug", "outcome").annotate(
        Sum("calls"), Sum("seconds")
    ):
        calls.add(number, provider=slug, outcome=outcome)
        seconds.add(took, provider=slug, outcome=outcome)
    yield calls
    yield seconds


# -- What is watched ---------------------------------------------------------------------------


def _endpoints(board: Board) -> Iterator[Family]:
    items = list(board.readings.values())
    yield from _verdicts(items)
    yield from _budgets(items)
    yield from _quotas()


def _verdicts(items: list[Reading]) -> Iterator[Family]:
    def family(name: str, said: str) -> Family:
        return Family(f"aggregator_endpoint_{name}", "gauge", said)

    status = family("status", "1 for the status that the endpoint has.")
    up = family("up", "Did it answer anything at all at its last check?")
    valid = family("credential_valid", "Is the key that we send accepted?")
    took = family("response_seconds", "What its last good check took.")
    checked = family("last_check_timestamp_seconds", "When it was checked last.")
    until = family("fresh_until_timestamp_seconds", "When its status becomes unknown by silence.")
    failures = family("consecutive_failures", "Failed checks in a row.")
    for item in items:
        health, name = item.health, item.name
        status.states(item.status, map(str, Status), "status", endpoint=name, kind=health.kind)
        up.add(_flag(health.endpoint_up), endpoint=name)
        valid.add(_flag(health.credential_valid), endpoint=name)
        ms = health.response_time_ms
        took.add(None if ms is None else ms / 1000, endpoint=name)
        checked.add(_seconds(health.checked_at), endpoint=name)
        until.add(_seconds(health.fresh_until), endpoint=name)
        failures.add(health.failures, endpoint=name)
    yield from (status, up, valid, took, checked, until, failures)


def _budgets(items: list[Reading]) -> Iterator[Family]:
    circuit = Family(
        "aggregator_circuit_state", "gauge", "1 for the state that the provider's circuit is in."
    )
    left = Family(
        "aggregator_tokens_left_ratio", "gauge", "Of its scarcest rate limit, what may go out now."
    )
    for item in items:
        if item.provider is None or item.standing is None:
            continue
        guard = item.provider.guard
        phase = guard.phase(item.standing)
        circuit.states(phase, map(str, Phase), "state", provider=item.provider.slug)
        left.add(guard.tokens_left(item.standing), provider=item.provider.slug)
    yield circuit
    yield left


def _quotas() -> Iterator[Family]:
    used = Family("aggregator_quota_used_ratio", "gauge", "What is used of a quota; 1: all of it.")
    ends = Family("aggregator_quota_ends_seconds", "gauge", "Until it is spent, at today's pace.")
    for guard, quotas in sorted(usage.quotas().items()):
        for quota in quotas:
            window = f"{quota.per_s:g}"
            used.add(quota.share, guard=guard, window_seconds=window)
            ends.add(quota.ends_in_s, guard=guard, window_seconds=window)
    yield used
    yield ends


def _checks(board: Board, moment: datetime) -> Iterator[Family]:
    paused = Family("aggregator_checks_paused", "gauge", "Is checking paused?")
    paused.add(float(board.plan.paused))
    yield paused
    interval = Family("aggregator_check_interval_seconds", "gauge", "Between two checks of one.")
    interval.add(board.plan.interval_s)
    yield interval
    lag = Family(
        "aggregator_check_lag_seconds", "gauge", "How long the check that is most overdue is so."
    )
    due = Endpoint.objects.of_providers().filter(paused=False).aggregate(due=Min("next_due"))["due"]
    lag.add(None if due is None else max(0.0, (moment - due).total_seconds()))
    yield lag


def _flag(value: bool | None) -> float | None:
    return None if value is None else float(value)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
