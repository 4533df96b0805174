"""
The fear and greed index of alternative.me: https://alternative.me/crypto/fear-and-greed-index/#api

One value a day since 2018-02-01, newest first, all text. Four days are missing upstream too.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any, ClassVar

from providers.sandbox.limits import Budget
from providers.sandbox.market import DAY_S, uniform
from providers.sandbox.wire import Host, Request, route, whole

FIRST_DAY = 1_517_443_200 // DAY_S
MISSING_DAYS = {1_523_664_000, 1_523_750_400, 1_523_836_800, 1_729_900_800}
# The highest value of each class.
CLASSES = (
    (25, "Extreme Fear"),
    (46, "Fear"),
    (54, "Neutral"),
    (75, "Greed"),
    (100, "Extreme Greed"),
)
DATE_FORMATS = {"us": "%m-%d-%Y", "cn": "%Y-%m-%d", "kr": "%Y-%m-%d", "world": "%d-%m-%Y"}


class AlternativeMe(Host):
    names: ClassVar = ("api.alternative.me",)

    @route("/fng")
    def index(self, request: Request) -> Any:
        limit = whole(request.params.get("limit", "1"))
        if limit is None or limit < 0:
            return _envelope([], "limit must be a whole number")
        today = int(request.now // DAY_S)
        days = [d for d in range(today, FIRST_DAY - 1, -1) if d * DAY_S not in MISSING_DAYS]
        shape = DATE_FORMATS.get(request.params.get("date_format", ""))
        rows = [self._row(day, shape) for day in (days[:limit] if limit else days)]
        rows[0]["time_until_update"] = str(int((today + 1) * DAY_S - request.now))
        return _envelope(rows, None)

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        return (Budget("alternative.me", 600, 600),)

    def _row(self, day: int, shape: str | None) -> dict[str, str]:
        value = index_of(self.market.seed, day)
        moment = datetime.fromtimestamp(day * DAY_S, UTC)
        return {
            "value": str(value),
            "value_classification": class_of(value),
            "timestamp": moment.strftime(shape) if shape else str(day * DAY_S),
        }


def index_of(seed: int, day: int) -> int:
    """The value of a day counted from 1970; others serve it too."""
    tide = math.sin(2 * math.pi * day / 61) + 0.5 * math.sin(2 * math.pi * day / 17)
    return round(50 + 24 * tide + 10 * (uniform(seed, 21, day) - 0.5))


def class_of(value: int) -> str:
    return next(name for most, name in CLASSES if value <= most)


def _envelope(rows: list[dict[str, str]], error: str | None) -> dict[str, Any]:
    return {"name": "Fear and Greed Index", "data": rows, "metadata": {"error": error}}
