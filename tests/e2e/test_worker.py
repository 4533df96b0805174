"""The worker as its operator runs it: what it does unasked, and what survives its sudden end."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from providers.sandbox.control import Remote
from tests.e2e.houses import Env, manage, rows, upstreams, wait_until, web, worker
from tests.private import installation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

DO = "from django_q.tasks import async_task; async_task('aggregator.tasks.{}')"
SCHEDULED_S = 75  # the cluster looks at its schedules every half minute
LONG_AGO = "2020-01-01 00:00:00"


@pytest.fixture
def env(tmp_path: Path) -> Iterator[Env]:
    """An installation with the sandbox behind it, fresh from its first `make run`."""
    env = installation(tmp_path, SANDBOX="1")
    manage(env, "start", "--prepare-only")
    with upstreams(env):
        yield env


def sandbox(env: Env) -> Remote:
    return Remote(int(env["SANDBOX_PORT"]))


def learned(env: Env) -> set[tuple[str, str]]:
    """(adapter, external id) of what providers' own lists have taught."""
    query = "SELECT adapter_name, external_id FROM providers_listing WHERE learned_at IS NOT NULL"
    return set(rows(env, query))


def teachers(env: Env) -> list[str]:
    """The providers that are asked for their lists, in order."""
    said = manage(
        env,
        "shell",
        "-c",
        "from providers.learning import teachers; print('\\n', *[p.slug for p in teachers()])",
    )
    return said.splitlines()[-1].split()


def done(env: Env) -> list[str]:
    """The tasks that ended well."""
    found = rows(env, "SELECT func FROM django_q_task WHERE success = 1 ORDER BY stopped")
    return [str(func).rpartition(".")[2] for (func,) in found]


def test_the_first_tasks_run_and_are_seen(env: Env) -> None:
    unlisted = rows(
        env,
        "SELECT id, symbol FROM providers_asset WHERE id NOT IN "
        "(SELECT asset_id FROM providers_listing WHERE adapter_name = 'coinbase')",
    )
    assert unlisted
    with web(env) as site, worker(env):
        assert requests.get(f"{site}/readyz", timeout=20).json()["worker"] == "silent"
        first = {"warm_answers", "prune_rows", "learn_listings", "run_checks"}
        wait_until(lambda: first <= set(done(env)), SCHEDULED_S)
        wait_until(lambda: readiness(site)["worker"] == "active")

        # Each adapter with a list was asked for it once, and the book says so.
        asked = rows(
            env,
            "SELECT p.slug, c.outcome, c.purpose FROM providers_call c "
            "JOIN providers_provider p ON p.id = c.provider_id WHERE c.dataset = 'listing'",
        )
        slugs = teachers(env)
        assert {"kraken", "binance", "coinbase", "okx", "coinpaprika"} < set(slugs)
        assert sum(slug.startswith("coingecko") for slug in slugs) == 1
        assert sorted(asked) == sorted((slug, "ok", "listing") for slug in slugs)

        # A coin that had no name there got one from the list, and is priced by it.
        names = dict(
            rows(
                env,
                "SELECT a.symbol, l.external_id FROM providers_listing l "
                "JOIN providers_asset a ON a.id = l.asset_id "
                "WHERE l.adapter_name = 'coinbase' AND l.learned_at IS NOT NULL",
            )
        )
        coin = next(symbol for _, symbol in unlisted if symbol in names)
        rows(env, "UPDATE providers_provider SET enabled = 0 WHERE slug != 'coinbase'")
        time.sleep(2)  # within which every process obeys
        answer = requests.get(f"{site}/api/market/price?symbols={coin}", timeout=20).json()
        assert (answer["data"][0]["symbol"], answer["meta"]["source"]) == (coin, "coinbase")


def readiness(site: str) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(f"{site}/readyz", timeout=20).json()
    return found


def test_what_is_asked_often_is_refreshed_before_it_goes_stale(env: Env) -> None:
    question = "/api/market/price?symbols=BTC"
    with web(env) as site:
        for _ in range(3):
            before = requests.get(site + question, timeout=20).json()
        wait_until(lambda: rows(env, "SELECT key FROM providers_cell WHERE key LIKE 'demand:%'"))
    assert tickers(env) == 1
    make_older(env, seconds=45)  # of the 60 that it is fresh
    with worker(env):
        manage(env, "shell", "-c", DO.format("warm_answers"))
        wait_until(lambda: "warm_answers" in done(env))
    with web(env) as site:
        after = requests.get(site + question, timeout=20).json()
    assert (after["meta"]["cache"], after["meta"]["stale"]) == ("hit", False)
    assert after["meta"]["fetched_at"] > before["meta"]["fetched_at"]
    assert tickers(env) == 2


def tickers(env: Env) -> int:
    """Calls for prices that reached the provider."""
    counted = sandbox(env).state()["requests"].get("api.kraken.com", {})
    return int(counted.get("/0/public/Ticker", 0))


def make_older(env: Env, seconds: float) -> None:
    for key, payload in rows(env, "SELECT key, payload FROM aggregator_shelvedanswer"):
        head, _, data = payload.partition("\n")
        meta = json.loads(head)
        for name in ("fetched_at", "fresh_until", "stale_until"):
            meta[name] -= seconds
        rows(
            env,
            "UPDATE aggregator_shelvedanswer SET payload = ?, fetched_at = ? WHERE key = ?",
            f"{json.dumps(meta)}\n{data}",
            meta["fetched_at"],
            key,
        )


def test_a_worker_killed_in_the_middle_of_a_task_loses_nothing(env: Env) -> None:
    # Not what the first start would do by itself: one task, and nothing beside it.
    rows(env, "UPDATE django_q_schedule SET next_run = '2099-01-01 00:00:00'")
    before = rows(env, "SELECT * FROM providers_listing ORDER BY id")
    slugs = teachers(env)
    earlier = slugs[: slugs.index("okx")]
    assert {"binance", "coinbase"} <= set(earlier)
    sandbox(env).fault("www.okx.com", "hang")
    with worker(env) as first:
        manage(env, "shell", "-c", DO.format("learn_listings"))
        wait_until(lambda: "www.okx.com" in sandbox(env).state()["requests"])
        first.signal_group(signal.SIGKILL)
    known = learned(env)
    # Kraken's names all stood in the catalogue already.
    assert {adapter for adapter, _ in known} == {*earlier} - {"kraken"}
    assert (
        rows(env, "SELECT * FROM providers_listing WHERE learned_at IS NULL ORDER BY id") == before
    )
    assert done(env) == []
    assert len(rows(env, "SELECT id FROM django_q_ormq")) == 1  # still to be done

    sandbox(env).clear()
    rows(env, "UPDATE django_q_ormq SET lock = ?", LONG_AGO)  # its lease has run out
    with worker(env):
        wait_until(lambda: done(env) == ["learn_listings"], patience=60)
    assert known < learned(env)
    assert {"okx", "coingecko", "coinpaprika"} <= {adapter for adapter, _ in learned(env)}
    assert rows(env, "SELECT id FROM django_q_ormq") == []
