"""How facts are kept: JSON with every digit it came with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.expressions import BaseExpression

from aggregator.encoding import dumps
from providers.http import decode

if TYPE_CHECKING:
    _TextField = models.Field[Any, Any]
else:
    _TextField = models.TextField  # which is generic for the type checker alone


class ExactJSONField(_TextField):
    """
    JSON as text, so that no database rounds it: fractions come back as `Decimal`, whole numbers
    as `int`, times as the RFC 3339 text they were written as.
    """

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else dumps(value).decode()

    def from_db_value(self, value: Any, expression: BaseExpression, connection: Any) -> Any:
        return None if value is None else decode(value.encode())
