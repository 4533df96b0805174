from __future__ import annotations

import pytest

from chat.models import PrivacyPolicy


@pytest.fixture
def all_agree(db: None) -> None:
    """Who says nothing about it agrees that we learn from what they ask."""
    PrivacyPolicy(training=True).save()
