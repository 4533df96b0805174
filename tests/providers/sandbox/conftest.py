"""One sandbox for the tests of a file that only ask it."""

from __future__ import annotations

import pytest

from tests.providers.sandbox.asking import Asker


@pytest.fixture(scope="module")
def asker() -> Asker:
    return Asker()
