"""What a benchmark found, a line each."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """`wanted` and `held` are None where nothing is promised."""

    what: str
    found: str
    wanted: str = ""
    held: bool | None = None

    def __str__(self) -> str:
        mark = {True: "held", False: "MISSED", None: ""}[self.held]
        return f"{self.what:<48} {self.found:>34}   {self.wanted:<28} {mark}".rstrip()
