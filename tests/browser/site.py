"""The whole product as people meet it: its own processes, and a browser that looks at it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, ConsoleMessage, Page, Response
from playwright.sync_api import Request as Fetch

from tests.private import ROOT, free_port, installation, running

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
WIDE, NARROW = (1280, 800), (320, 640)


@dataclass(frozen=True)
class Site:
    """
    A running installation. `password` is the administrator's; `others` are the addresses of its
    further web processes.
    """

    url: str
    password: str
    sandbox: bool
    env: dict[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()

    @property
    def second(self) -> Site:
        """The same installation through another process."""
        return replace(self, url=self.others[0])

    def manage(self, *words: str) -> None:
        """`manage.py` of this installation."""
        subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=self.env, check=True)

    def ask(self, path: str, **headers: str) -> tuple[int, bytes]:
        """What a program gets, in the spelling of its key's header: `x_api_key="agg_..."`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with urlopen(Request(self.url + path, headers=named), timeout=20) as reply:  # noqa: S310
            return reply.status, reply.read()


# Every provider lives where nobody listens, so that a test asks nobody on the Internet.
UNPLUG = (
    "from providers.models import Provider; Provider.objects.update(base_url='http://127.0.0.1:9/')"
)


@contextmanager
def serving(folder: Path, *, webs: int = 1, **settings: str) -> Iterator[Site]:
    """
    Prepared and served like by `make run`, without its worker: with its sandbox if it is one,
    else with providers that cannot be reached. Of several web processes each has a port.
    """
    own = {"DJANGO_SETTINGS_MODULE": "tests.browser.settings", "LOG_LEVEL": "WARNING"}
    env = installation(folder, **own | settings)
    manage = [sys.executable, "manage.py"]
    prepared = subprocess.run(
        [*manage, "start", "--prepare-only"], cwd=ROOT, env=env, capture_output=True, text=True
    )
    password = re.search(r"password: (\S+)", prepared.stdout)
    assert password, prepared.stdout + prepared.stderr
    ports = [int(env["PORT"]), *(free_port() for _ in range(webs - 1))]
    with ExitStack() as processes:
        if is_sandbox := settings.get("SANDBOX") == "1":
            sandbox = running([*manage, "sandbox"], port=int(env["SANDBOX_PORT"]), env=env)
            processes.enter_context(sandbox)
        else:
            subprocess.run([*manage, "shell", "-c", UNPLUG], cwd=ROOT, env=env, check=True)
        for port in ports:
            web = [sys.executable, "-m", "aggregator.serve", "--port", str(port)]
            processes.enter_context(running(web, port=port, env=env))
        url, *others = (f"http://127.0.0.1:{port}" for port in ports)
        yield Site(url, password.group(1), is_sandbox, env, tuple(others))


@dataclass
class Visit:
    """A page that notes what went wrong while somebody looked."""

    site: Site
    page: Page
    wrong: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)  # statuses that are no surprise

    def watch(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        self.page.on("request", self._request)
        self.page.on("response", self._response)

    def go(self, path: str) -> None:
        self.page.goto(self.site.url + path, wait_until="load")

    def sign_in(self) -> None:
        self.go("/admin/")
        self.page.get_by_label("Username").fill("admin")
        self.page.get_by_label("Password").fill(self.site.password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.get_by_role("heading", name="Catalogue and clients").wait_for()

    def violations(self) -> list[str]:
        """What axe-core objects to, by all of its rules and best practices."""
        self.page.evaluate(AXE)
        found: dict[str, Any] = self.page.evaluate("axe.run({preload: false})")
        return [
            f"{rule['id']}: {node['target']} {node['failureSummary']}"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]

    def overflow(self) -> int:
        """Pixels by which the page is wider than its window."""
        found: int = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return found

    def _console(self, message: ConsoleMessage) -> None:
        # A failed request is judged by its status, below.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.wrong.append(f"console: {message.text}")

    def _request(self, request: Fetch) -> None:
        if not request.url.startswith((f"{self.site.url}/", "data:")):
            self.wrong.append(f"another host: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.wrong.append(f"{response.status}: {response.url}")


@contextmanager
def visiting(
    browser: Browser, site: Site, size: tuple[int, int], **context: Any
) -> Iterator[Visit]:
    """A visit in a context of its own; what went wrong meanwhile fails the test."""
    width, height = size
    with browser.new_context(
        viewport={"width": width, "height": height}, reduced_motion="reduce", **context
    ) as opened:
        visit = Visit(site, opened.new_page())
        visit.watch()
        yield visit
    assert not visit.wrong, "\n".join(visit.wrong)
