"""What a query string may hold: a parameter nobody knows, or given twice, is a 400 naming it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any, ClassVar

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.request import Request

TWICE = "Given more than once: which one is meant?"


class Parameters(serializers.Serializer[Any]):
    aliases: ClassVar[Mapping[str, str]] = {}

    def get_fields(self) -> dict[str, Any]:
        """Copies that this one may bind. To make them anew, as DRF does, takes four times that."""
        return {name: copy(field) for name, field in self._declared_fields.items()}

    def to_internal_value(self, data: Any) -> Any:
        names = [self.aliases.get(name, name) for name in data]
        if unknown := sorted(set(names) - set(self.fields) - {"format"}):
            known = ", ".join(self.fields) or "none"
            _refuse(unknown, f"Unknown parameter. Known: {known}.")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            _refuse(twice, TWICE)
        return super().to_internal_value(dict(zip(names, data.values(), strict=True)))

    @classmethod
    def of(cls, request: Request) -> dict[str, Any]:
        """What was asked, checked; raises ValidationError."""
        asked = cls(data=once(request.query_params))
        asked.is_valid(raise_exception=True)
        found: dict[str, Any] = asked.validated_data
        return found


class NoParameters(Parameters):
    pass


def once(query: QueryDict) -> dict[str, str]:
    """
    Every parameter with its value. Of several values Django would take the last and say nothing:
    `symbols=BTC&symbols=ETH` would be answered with half of what was asked.
    """
    if twice := [name for name, values in query.lists() if len(values) > 1]:
        _refuse(twice, TWICE)
    return {name: str(value) for name, value in query.items()}


def _refuse(names: list[str], why: str) -> None:
    raise serializers.ValidationError({name[:60]: why for name in names})
