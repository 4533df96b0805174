"""
`make bench`: every benchmark, and a table of what was found and what is promised.

`make bench ARGS="edge cold"` runs some. They report; they are no tests, and a promise that was
missed on a busy machine is a reason to run them again on a quiet one.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

from tests.bench.table import Row

BENCHES = (
    *("edge", "misses", "cold", "consensus", "parsing", "strategies"),
    *("alerts", "chat", "checks", "history", "pollers"),
)


def main(names: list[str]) -> None:
    cores, load = os.cpu_count(), os.getloadavg()[0]
    print(f"{cores} cores, shared with the load generator; load when it began {load:.1f}")
    missed: list[str] = []
    for name in names or BENCHES:
        print(f"\n{name}")
        rows: list[Row] = import_module(f"tests.bench.{name}").main() or []
        for row in rows:
            print(row)
        missed += [row.what for row in rows if row.held is False]
    print(f"\nmissed: {', '.join(missed) if missed else 'nothing'}")


if __name__ == "__main__":
    main(sys.argv[1:])
