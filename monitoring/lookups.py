"""A condition on many keys that costs the same however many there are."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from django.db.models import ForeignKey, Lookup


@ForeignKey.register_lookup
class Among(Lookup):
    """
    `endpoint__among=keys`: what `in` means, with all of them as one parameter. A statement with
    a place for each of hundreds takes longer to be made and parsed than its rows to be read.
    """

    lookup_name = "among"
    prepare_rhs = False
    rhs: Collection[int]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", [*params, list(self.rhs)]

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} IN (SELECT value FROM json_each(%s))", [
            *params,
            json.dumps(list(self.rhs)),
        ]
