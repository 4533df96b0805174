"""Who asks the gateway at its public door, one or many at once, and the past it begins with."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from django.test import Client

from aggregator import answers, shelf


class Got:
    """A response, with its body read."""

    def __init__(self, path: str) -> None:
        response = Client().get(path)
        self.status = response.status_code
        self.headers = response.headers
        self.body: dict[str, Any] = json.loads(response.content)

    @property
    def meta(self) -> dict[str, Any]:
        assert self.status == 200, self.body
        meta: dict[str, Any] = self.body["meta"]
        return meta

    @property
    def attempts(self) -> list[tuple[str, str]]:
        found = self.meta if self.status == 200 else self.body
        return [(a["provider"], a["outcome"]) for a in found.get("attempts", ())]


def get(path: str = "/api/gas") -> Got:
    return Got(path)


def age(seconds: float) -> None:
    """Everything on both boards was fetched so much earlier."""
    known = [a for a in answers.board._answers.values() if a.query == a.query.upstream()]
    shelf.purge([])
    answers.board.clear()
    answers.shelve_many(
        [
            replace(
                answer,
                fetched_at=answer.fetched_at - seconds,
                fresh_until=answer.fresh_until - seconds,
                stale_until=answer.stale_until - seconds,
            )
            for answer in known
        ]
    )
