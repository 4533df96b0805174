"""How busy the machine is that this process runs on. Percentages are 0 to 100."""

from __future__ import annotations

from typing import Any

import psutil

_before: tuple[float, float] | None = None  # seconds of all processors, and those at work


def load() -> dict[str, Any]:
    """
    `cpu_percent` is of the time since the last call, of all processors together, and None at the
    first; `load_avg` of 1, 5 and 15 minutes.
    """
    return {
        "cpu_percent": _cpu_percent(),
        "memory_percent": psutil.virtual_memory().percent,
        "load_avg": [round(value, 2) for value in psutil.getloadavg()],
    }


def _cpu_percent() -> float | None:
    # Not psutil's own memory: that is of each thread, and we have many.
    global _before
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    now = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    before, _before = _before, (now, now - idle)
    if before is None or now <= before[0]:
        return None
    share = float((now - idle - before[1]) / (now - before[0]))
    return round(100 * min(1.0, max(0.0, share)), 1)
