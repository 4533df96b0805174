"""
Whether a long past makes anything slow: status routes, the overview page, one endpoint's week, CSV.

10 million results on a PostgreSQL of its own, loaded by COPY; 1 million on SQLite. Roll-ups, and
what is made ready of them, are made by the real code. Times are of the server, without the network,
each time with nothing remembered of any row. `python -m tests.bench.history small` is a quick look.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.bench.table import Row
from tests.private import ROOT, installation, missing_services, private_postgres

WEEK_S = 7 * 86400
WHOLE = {"PostgreSQL": 10_000_000, "SQLite": 1_000_000, "endpoints": 200}
SMALL = {"PostgreSQL": 40_000, "SQLite": 20_000, "endpoints": 20}
TIMES = 7
MOST_MS = {
    "/api/providers/status": 50.0,
    "/api/providers/best": 50.0,
    "/api/providers/health": 50.0,
    "/api/status": 50.0,
    "/api/system/status": 50.0,
    "/status": 50.0,
    "/api/providers/history/p7?hours=168": 100.0,
    "/status/p7": 100.0,
}
EXPORT = "/api/providers/export/csv"
MOST_CSV_MB = 5.0


def main(sizes: dict[str, int] | None = None) -> list[Row]:
    sizes = sizes or WHOLE
    rows = _measured("SQLite", sizes, "")
    if lacking := missing_services():
        return [*rows, Row("a long past on PostgreSQL", f"skipped: {lacking}")]
    lean = ("shared_buffers=256MB", "maintenance_work_mem=128MB", "max_wal_size=4GB")
    with private_postgres(*lean) as url:
        return [*rows, *_measured("PostgreSQL", sizes, url)]


def _measured(name: str, sizes: dict[str, int], url: str) -> list[Row]:
    number, endpoints = sizes[name], sizes["endpoints"]
    with tempfile.TemporaryDirectory() as folder:
        unlimited = {"ANONYMOUS_PER_MINUTE": "1000000"}
        env = installation(Path(folder), DATABASE_URL=url, LOG_LEVEL="ERROR", **unlimited)
        env |= {"DJANGO_SETTINGS_MODULE": "aggregator.settings"}
        work = [sys.executable, "-m", "tests.bench.history", "work", str(number), str(endpoints)]
        done = subprocess.run(work, env=env, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    found = json.loads(done.stdout.splitlines()[-1])
    rows = [Row(f"{number:,} results loaded, {name}", f"{found['loaded_s']:.0f} s")]
    rows.append(Row(f"rolled up, {name}", f"{found['rolled_s']:.0f} s"))
    for path, most in MOST_MS.items():
        ms, cpu_ms = found["ms"][path]
        took = f"{ms:.0f} ms, {cpu_ms:.0f} of our CPU"
        rows.append(Row(f"{path}, {name}", took, f"under {most:g} ms", ms < most))
    grown = found["csv_mb"]
    held = grown <= MOST_CSV_MB
    rows.append(
        Row(f"CSV grows memory by, {name}", f"{grown:+.1f} MB", f"{MOST_CSV_MB:g} MB or less", held)
    )
    return rows


# -- In the installation -----------------------------------------------------------------------


def work(number: int, endpoints: int) -> dict[str, Any]:
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils.timezone import now

    from aggregator.management.commands import start
    from monitoring import prepared

    call_command("migrate", verbosity=0)
    start.collect_static()
    began = time.monotonic()
    _load(number, endpoints)
    loaded = time.monotonic()
    prepared.roll_up(now())
    rolled = time.monotonic()
    return {
        "loaded_s": loaded - began,
        "rolled_s": rolled - loaded,
        "ms": {path: _ms(path) for path in MOST_MS},
        "csv_mb": _csv_mb(endpoints),
    }


def _load(number: int, many: int) -> None:
    from django.db import connection, transaction
    from django.utils.timezone import now

    from monitoring import roll
    from monitoring.models import Endpoint, StateChange
    from providers import roster
    from providers.health import Health
    from providers.models import Provider

    Provider.objects.bulk_create(
        Provider(slug=f"p{n}", title=f"Provider {n}", adapter_name="binance", category="exchange")
        for n in range(many)
    )
    roster.forget()
    roll.sync()
    moment, began = now(), now() - timedelta(days=90)
    Health.objects.update(
        status="healthy",
        reason="answers",
        since=began,
        checked_at=moment,
        fresh_until=moment + timedelta(days=1),
        response_time_ms=120.0,
    )
    endpoints = list(Endpoint.objects.order_by("pk").values_list("pk", flat=True))
    StateChange.objects.bulk_create(_intervals(endpoints, began), batch_size=2000)
    rows = _results(endpoints, number, moment - timedelta(seconds=WEEK_S - 3600), moment)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            _copy(cursor, rows)
        else:
            marks = ", ".join(["%s"] * len(COLUMNS))
            names = ", ".join(COLUMNS)
            insert = f"INSERT INTO {TABLE} ({names}) VALUES ({marks})"  # noqa: S608
            with transaction.atomic():
                for batch in _batches(rows, 20_000):
                    cursor.executemany(insert, batch)
        cursor.execute("ANALYZE")


TABLE = "monitoring_checkresult"
COLUMNS = (
    *("endpoint_id", "run", "at", "finding", "status", "outcome", "response_time_ms"),
    *("error", "source", "written_at"),
)


def _copy(cursor: Any, rows: Iterable[tuple[Any, ...]]) -> None:
    """Without keys to look up and indexes to keep meanwhile: that takes a third of the time."""
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT LIKE %s",
        [TABLE, "%pkey"],
    )
    indexes = cursor.fetchall()
    cursor.execute("SET session_replication_role = replica")
    cursor.execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT one_result_a_run")
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX IF EXISTS {name}")
    with cursor.copy(f"COPY {TABLE} ({', '.join(COLUMNS)}) FROM STDIN") as copy:
        for batch in _batches(rows, 5_000):
            copy.write("".join(map(_line, batch)))
    cursor.execute("SET session_replication_role = DEFAULT")
    for _, definition in indexes:
        cursor.execute(definition)


def _line(row: tuple[Any, ...]) -> str:
    """A row as COPY reads it: nothing in it needs quoting."""
    return "\t".join(["\\N" if value is None else str(value) for value in row]) + "\n"


def _results(endpoints: list[int], number: int, start: Any, end: Any) -> Iterator[tuple[Any, ...]]:
    """So many, evenly over the span, each endpoint in its turn; one of fifty failed."""
    chance, each = Random(7), number // len(endpoints)
    step = (end - start) / each
    for n in range(each):
        at = str(start + n * step)
        for endpoint in endpoints:
            if chance.random() < 0.02:
                said: tuple[Any, ...] = ("fault", "degraded", "timed_out", None, "no answer")
            else:
                said = ("good", "healthy", "ok", 80 + 80 * chance.random(), "")
            finding, status, outcome, ms, error = said
            yield (endpoint, n, at, finding, status, outcome, ms, error, "probe", at)


def _intervals(endpoints: list[int], began: Any) -> Iterator[Any]:
    """Ninety days of each: two outages a week."""
    from monitoring.models import StateChange

    for endpoint in endpoints:
        at = began
        for n in range(52):
            status, hours = ("down", 1) if n % 2 else ("healthy", 83)
            end = None if n == 51 else at + timedelta(hours=hours)
            last = "healthy" if end is None else status
            yield StateChange(endpoint_id=endpoint, status=last, began_at=at, ended_at=end)
            at = end or at


def _batches(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _ms(path: str) -> tuple[float, float]:
    """The best of several, and our part of it: the machine may be busy with others."""
    from django.test import Client

    from monitoring import pages, readings, system
    from providers import roster

    client, took = Client(SERVER_NAME="localhost"), []
    client.get(path)
    for _ in range(TIMES):
        for remembering in (readings, roster, system, pages):
            remembering.forget()
        began, worked = time.perf_counter(), time.thread_time()
        response = client.get(path)
        took.append((1000 * (time.perf_counter() - began), 1000 * (time.thread_time() - worked)))
        assert response.status_code == 200, response.content
    return min(took)


def _csv_mb(endpoints: int) -> float:
    import os

    import psutil
    from django.test import Client

    process, client = psutil.Process(os.getpid()), Client(SERVER_NAME="localhost")
    client.get(EXPORT).getvalue()
    before = process.memory_info().rss
    for _ in range(20):
        lines = sum(1 for _ in client.get(EXPORT))
        assert lines == endpoints + 1
    return float((process.memory_info().rss - before) / 1e6)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["work", number, endpoints]:
            print(json.dumps(work(int(number), int(endpoints))))
        case ["small"]:
            print(*main(SMALL), sep="\n")
        case _:
            print(*main(), sep="\n")
