"""What models of the Hub do beside telling a mood, and how they are woken."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

ASLEEP_AFTER_S = 900.0  # without a question
LONGEST_TOLD_S = 60.0


class Sleepers:
    """Models that are loaded when somebody asks, and forgotten when nobody does for long."""

    def __init__(self, loads: Mapping[str, float]) -> None:
        self.loads = loads
        self._woken: dict[str, tuple[float, float]] = {}  # when it was woken, and asked last
        self._lock = threading.Lock()

    def left(self, model: str, now: float) -> float:
        """Seconds until it is loaded, as far as it tells; 0 for one that is awake."""
        if model not in self.loads:
            return 0.0
        with self._lock:
            woken, asked = self._woken.get(model, (now, now))
            if now - asked > ASLEEP_AFTER_S:
                woken = now
            self._woken[model] = woken, now
        return min(max(0.0, woken + self.loads[model] - now), LONGEST_TOLD_S)


def _summary(text: str, parameters: Mapping[str, Any]) -> Any:
    return [{"summary_text": text.split(". ")[0].rstrip(".") + "."}]


def _sorted(text: str, parameters: Mapping[str, Any]) -> Any:
    """By how many letters of a label the text has."""
    labels = [str(label) for label in parameters.get("candidate_labels", [])] or ["nothing"]
    weights = {label: 1 + sum(letter in text for letter in label) for label in labels}
    total = sum(weights.values())
    rows = [{"label": label, "score": weight / total} for label, weight in weights.items()]
    return sorted(rows, key=lambda row: -float(row["score"]))


TASKS: Mapping[str, Callable[[str, Mapping[str, Any]], Any]] = {
    "facebook/bart-large-cnn": _summary,
    "sshleifer/distilbart-cnn-12-6": _summary,
    "facebook/bart-large-mnli": _sorted,
}
