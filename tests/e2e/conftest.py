from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from providers.sandbox.server import running
from tests.conftest import while_refreshing
from tests.e2e.world import Catalogue, Witness, World


@pytest.fixture(scope="session")
def _upstreams() -> Iterator[tuple[Witness, str]]:
    """One sandbox for all tests: its market is costly, and the same for everybody."""
    sandbox = Witness()
    with running(sandbox) as url:
        yield sandbox, url


@pytest.fixture
def witness(_upstreams: tuple[Witness, str]) -> Witness:
    sandbox, _ = _upstreams
    sandbox.forget()
    return sandbox


@pytest.fixture(scope="session")
def _shipped() -> list[Catalogue]:
    """One, once a test has loaded it."""
    return []


@pytest.fixture
def catalogue(transactional_db: None, _shipped: list[Catalogue]) -> Iterator[None]:
    """The rows of the catalogue, in a database that threads can read too."""
    if _shipped:
        _shipped[0].restore()
    else:
        _shipped.append(Catalogue())
    yield
    while_refreshing()


@pytest.fixture
def world(
    client: Client,
    settings: Any,
    catalogue: None,
    witness: Witness,
    _upstreams: tuple[Witness, str],
) -> World:
    settings.SANDBOX, settings.SANDBOX_URL = True, _upstreams[1]
    return World(client, witness)
