"""Rows that have had their time, deleted in small chunks so that nobody waits for a lock."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from django.utils.timezone import now

from aggregator.models import ShelvedAnswer
from providers import outcomes
from providers.history import KEPT as EDITS_KEPT
from providers.history import Edit
from providers.models import Call, Cell
from providers.pruning import delete_in_chunks
from providers.tallies import KEPT as TALLIES_KEPT
from providers.tallies import Tally

CALLS_KEPT = timedelta(days=7)


def prune(sleep: Callable[[float], None] = time.sleep) -> dict[str, int]:
    """Delete old calls and edits, answers nobody may serve, expired cells: how many of each."""
    moment = time.time()
    return {
        "calls": delete_in_chunks(Call.objects.filter(at__lt=now() - CALLS_KEPT), sleep),
        "tallies": delete_in_chunks(Tally.objects.filter(hour__lt=now() - TALLIES_KEPT), sleep),
        "outcomes": outcomes.fold(now()),
        "answers": delete_in_chunks(ShelvedAnswer.objects.filter(stale_until__lt=moment), sleep),
        "edits": delete_in_chunks(Edit.objects.filter(at__lt=now() - EDITS_KEPT), sleep),
        "cells": delete_in_chunks(Cell.objects.filter(expires_at__lt=moment - 86400), sleep),
    }
