"""Which model to ask, and who stands in for it: by the rows that the scans write."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from django.db import Error as DatabaseIsOut
from django.utils.timezone import now

from providers.aimodels import AiModel, ModelStatus, chain
from providers.roster import Remembered

logger = logging.getLogger(__name__)

ROWS_S = 1.5
# Whom to ask would be in vain. One that is being loaded is the sooner awake for being asked.
IN_VAIN = (ModelStatus.NOT_FOUND, ModelStatus.UNSERVED, ModelStatus.FAILED)


def _load() -> Mapping[str, AiModel]:
    return {row.model_id: row for row in AiModel.objects.all()}


_rows = Remembered(_load, ROWS_S)


def in_line(name: str, moment: datetime | None = None) -> list[AiModel]:
    """
    The model called so, and who stands in for it, the first to ask first; those that cannot be
    asked are left out, unless nobody would be left. Empty for a model that has no row.
    """
    first, moment = find(name), moment or now()
    found = chain(_known(), first.model_id) if first else []
    able = [row for row in found if row.status_at(moment) not in IN_VAIN]
    return able or list(found[:1])


def find(name: str) -> AiModel | None:
    """By its id, or by what the Hub calls it now."""
    rows = _known().values()
    return next((row for row in rows if name in (row.model_id, row.canonical_id)), None)


def _known() -> Mapping[str, AiModel]:
    try:
        return _rows.get()
    except DatabaseIsOut as error:
        logger.error("the database is out of reach, no model has a stand-in: %s", error)
        return {}


def forget() -> None:
    _rows.forget()
