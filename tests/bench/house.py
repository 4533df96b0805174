"""
A whole gateway of a benchmark's or a test's own: a stub provider, a database, web processes.

    with provider() as stub, house(folder, [stub.as_row("primary")]) as gateway:
        gateway.get("/api/market")
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.private import ROOT, Running, free_port, installation, running

KEY = "agg_" + "k" * 43  # of the client that every house has
PLENTY = 1_000_000_000  # requests a minute


@dataclass(frozen=True)
class Stub:
    """The stub provider as a process; `url` ends without a slash."""

    url: str

    def row(self, slug: str, behaviour: str = "ok", **fields: Any) -> dict[str, Any]:
        """A provider's row that asks the stub, under the provider's own name."""
        self.behave(slug, behaviour)
        return {"slug": slug, "base_url": f"{self.url}/{slug}", **fields}

    def behave(self, slug: str, behaviour: str) -> None:
        requests.get(f"{self.url}/set/{slug}/{behaviour}", timeout=5).raise_for_status()

    def calls(self) -> dict[str, int]:
        found: dict[str, int] = requests.get(f"{self.url}/calls", timeout=5).json()
        return found


@dataclass(frozen=True)
class House:
    """A running gateway; one `Running` and one address for each web process."""

    webs: Sequence[Running]
    urls: Sequence[str]
    env: Mapping[str, str]

    @property
    def url(self) -> str:
        return self.urls[0]

    @property
    def database(self) -> Path:
        return Path(self.env["DATA_DIR"]) / "aggregator.sqlite3"

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", 30)
        return requests.get(self.url + path, **kwargs)  # noqa: S113


@contextmanager
def provider() -> Iterator[Stub]:
    port = free_port()
    with running([sys.executable, "-m", "tests.bench.upstream", str(port)], port=port):
        yield Stub(f"http://127.0.0.1:{port}")


@contextmanager
def house(
    folder: Path,
    providers: Sequence[Mapping[str, Any]],
    settings: Mapping[str, str] | None = None,
    *,
    clients: Mapping[str, Mapping[str, Any]] | None = None,
    policies: Mapping[str, Mapping[str, Any]] | None = None,
    webs: int = 1,
    application: str = "",
) -> Iterator[House]:
    """
    A gateway with its data in `folder`, as the Procfile serves it, until the block ends. Rows of
    providers (most important first), of clients by name and of policies by dataset. Another
    `application` may be served in its place.
    """
    always = {"ALLOW_PRIVATE_UPSTREAMS": "127.0.0.1", "ANONYMOUS_PER_MINUTE": str(PLENTY)}
    env = installation(folder, **always | dict(settings or {}))
    known = {"everyday": {"key": KEY, "per_minute": PLENTY}, **(clients or {})}
    wanted = json.dumps(
        {"providers": list(providers), "clients": known, "policies": policies or {}}
    )
    seed = [sys.executable, "-m", "tests.bench.seed", wanted]
    with_settings = env | {"DJANGO_SETTINGS_MODULE": "aggregator.settings"}
    subprocess.run(seed, env=with_settings, cwd=ROOT, check=True)
    with ExitStack() as stack:
        ports = [free_port() for _ in range(webs)]
        started = [
            stack.enter_context(running(serving(port, application), port=port, env=env))
            for port in ports
        ]
        yield House(started, [f"http://127.0.0.1:{port}" for port in ports], env)


def serving(port: int, application: str = "") -> list[str]:
    """The Procfile's line for the web, for one process, and another application if one is named."""
    line = next(
        line.removeprefix("web: exec ")
        for line in (ROOT / "Procfile").read_text().splitlines()
        if line.startswith("web:")
    )
    words = line.replace('"$HOST"', "127.0.0.1").replace('"$PORT"', str(port))
    argv = words.replace('"$WEB_WORKERS"', "1").split()[1:]
    return [sys.executable, *argv, *([application] if application else [])]
