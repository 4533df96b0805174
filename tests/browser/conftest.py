from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.site import ARGUMENTS, WIDE, Site, Visit, serving, visiting
from tests.private import browser

Visiting = Callable[..., Visit]


# A module's own: while Playwright runs, Django takes this thread for an event loop's.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browser(), args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation that asks simulated providers, so that every page has something to show."""
    with serving(tmp_path_factory.mktemp("sandbox"), SANDBOX="1") as site:
        yield site


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A new installation without a sandbox."""
    with serving(tmp_path_factory.mktemp("fresh")) as site:
        yield site


@pytest.fixture
def look(chromium: Browser) -> Iterator[Visiting]:
    """`look(site, size, color_scheme="dark")`: a visit that is over when the test is."""
    with ExitStack() as visits:

        def begin(site: Site, size: tuple[int, int] = WIDE, **context: object) -> Visit:
            return visits.enter_context(visiting(chromium, site, size, **context))

        yield partial(begin)
