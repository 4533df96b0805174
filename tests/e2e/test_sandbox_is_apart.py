"""The sandbox has a place of its own, reaches nobody, and leaves the real installation alone."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from providers import transport
from providers.errors import Unreachable
from providers.models import Credential, Provider
from providers.resilience import Deadline
from tests.e2e.houses import database, dump, manage, rows, upstreams, web
from tests.e2e.world import World
from tests.private import ROOT, installation

# -- A place of its own ------------------------------------------------------------------------


@pytest.mark.slow
def test_a_normal_start_after_the_sandbox_serves_none_of_its_answers(tmp_path: Path) -> None:
    normal = installation(tmp_path)
    sandbox = {**normal, "SANDBOX": "1"}
    manage(normal, "start", "--prepare-only")
    # So that nobody real is asked by this test.
    rows(normal, "UPDATE providers_provider SET enabled = 0")
    before, logs = dump(normal), contents(tmp_path / "logs")

    said = manage(sandbox, "start", "--prepare-only")
    assert "SANDBOX" in said
    with upstreams(sandbox), web(sandbox) as site:
        answer = requests.get(f"{site}/api/market?limit=3", timeout=20)
        assert answer.status_code == 200
        assert answer.json()["meta"]["sandbox"] is True
        assert requests.get(f"{site}/readyz", timeout=20).json()["sandbox"] is True
        assert banner(site)
    shelved = rows(sandbox, "SELECT dataset FROM aggregator_shelvedanswer")
    assert ("market",) in shelved
    assert rows(sandbox, "SELECT outcome FROM providers_call") == [("ok",)]
    assert database(sandbox).parent == tmp_path / "sandbox"
    assert "answered" in (tmp_path / "sandbox/logs/provider_rotation.log").read_text()

    assert dump(normal) == before
    assert contents(tmp_path / "logs") == logs
    with web(normal) as site:
        answer = requests.get(f"{site}/api/market?limit=3", timeout=20)
        assert (answer.status_code, answer.json()["code"]) == (503, "unanswered")
        assert requests.get(f"{site}/readyz", timeout=20).json()["sandbox"] is False
        assert not banner(site)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*")}


def banner(site: str) -> bool:
    """Does the home page say that it is all made up?"""
    page = requests.get(site, timeout=20)
    assert page.status_code == 200
    return "sandbox" in page.text.lower()


SETTINGS = """
import json
from aggregator import settings as s
print(json.dumps({
    "database": str(s.DATABASES["default"]["NAME"]), "logs": str(s.LOG_DIR),
    "store": s.STORE_PREFIX, "queue": s.Q_CLUSTER["name"],
    "cache": str(s.CACHES["default"].get("KEY_PREFIX") or s.CACHES["default"]["LOCATION"]),
    "upstreams": s.SANDBOX_URL,
}))
"""


def settings_of(env: dict[str, str]) -> dict[str, str]:
    command = [sys.executable, "-c", SETTINGS]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    "services",
    [{}, {"DATABASE_URL": "postgres://db.local/main", "REDIS_URL": "redis://127.0.0.1:1/0"}],
    ids=["embedded", "grown"],
)
def test_it_shares_no_place_with_the_real_installation(
    tmp_path: Path, services: dict[str, str]
) -> None:
    env = installation(tmp_path, **services)
    normal, sandbox = settings_of(env), settings_of({**env, "SANDBOX": "1"})
    assert normal["upstreams"] == ""
    assert sandbox["upstreams"] == f"http://127.0.0.1:{env['SANDBOX_PORT']}"
    assert [name for name in normal if normal[name] == sandbox[name]] == []


def test_it_is_never_on_unless_asked_for(tmp_path: Path) -> None:
    env = installation(tmp_path)
    del env["SANDBOX"]
    assert settings_of(env)["upstreams"] == ""


# -- Nobody is reached -------------------------------------------------------------------------


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> set[Any]:
    """Every address that a connection is made to."""
    found: set[Any] = set()
    connect = transport._connect

    def noting(endpoints: Any, trip: Any) -> Any:
        found.update(address for _, address in endpoints)
        return connect(endpoints, trip)

    monkeypatch.setattr(transport, "_connect", noting)
    transport.line.cache_clear()  # connections that were kept open would not be made again
    return found


@pytest.mark.parametrize(
    "address",
    [
        "https://api.example.org/v3",
        "http://169.254.169.254/latest",
        "https://10.0.0.1:8443/api",
        "https://api.coingecko.com@example.org/v3",
    ],
)
def test_a_provider_it_does_not_speak_for_is_unknown_and_not_reached(
    world: World, dialled: set[Any], settings: Any, address: str
) -> None:
    world.only("coingecko_free")
    Provider.objects.filter(slug="coingecko_free").update(base_url=address)
    for url in ("/api/market/global", "/api/market/price?symbols=BTC", "/api/news"):
        assert world.get(url).status in (404, 503)
    port = int(settings.SANDBOX_URL.rsplit(":", 1)[1])
    assert dialled == {("127.0.0.1", port)}
    assert world.status("coingecko_free")["status"] == "unknown"
    assert world.calls() == []


def test_no_address_but_its_own_is_dialled(world: World, dialled: set[Any]) -> None:
    for url in ("https://api.kraken.com/0/public/Time", "http://127.0.0.1:9/", "http://[::1]:9/"):
        with pytest.raises(Unreachable, match="no request leaves this machine"):
            transport.exchange("GET", url, deadline=Deadline(2), headers={})
    assert dialled == set()


def test_a_redirect_does_not_lead_out_of_it(world: World, dialled: set[Any], settings: Any) -> None:
    world.only("coinpaprika")
    world.spoil("coinpaprika", "redirect=http://127.0.0.1:9/elsewhere")
    assert world.get("/api/market/global").outcomes == {"coinpaprika": "garbled"}
    assert dialled == {("127.0.0.1", int(settings.SANDBOX_URL.rsplit(":", 1)[1]))}


# -- Keys --------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", ["coingecko_demo", "coingecko_pro"])
def test_a_throw_away_key_lets_a_keyed_tier_answer(world: World, tier: str) -> None:
    world.only(tier)
    without = world.get("/api/market/global")
    assert (without.status, world.asked(tier)) == (503, 0)
    world.give_key(tier, "sandbox-for-trying")
    assert world.get("/api/market/global").meta["source"] == tier
    assert world.status(tier)["has_key"] is True


def test_a_real_key_opens_nothing_in_it_and_is_told_to_nobody(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = "CG-real0123456789abcdef"
    world.only("coingecko_pro")
    world.give_key("coingecko_pro", key)
    said = world.get("/api/market/global")
    assert said.outcomes == {"coingecko_pro": "no_key"}
    kept = Credential.objects.get()
    assert kept.set_aside_at is not None
    assert world.get("/api/market/global").status == 503
    assert world.asked("coingecko_pro") == 1  # it was refused, so it is not tried again
    shown = json.dumps(said.body, default=str) + json.dumps(
        world.get("/api/status").body, default=str
    )
    assert key not in shown + caplog.text + kept.set_aside_reason + kept.secret
    assert key not in json.dumps(world.sandbox.log.last(100))
