"""
Whether a trained model may answer: good enough by itself, and no worse than the champion. Pure.

A figure measured on a thousand questions has its noise, so "no worse" means: not below the
champion's own bootstrap interval, on the same questions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# What reports are asked for, as `Report.as_json` writes them.
Metrics = Mapping[str, Any]

# Of every category. The lowest of the base model is OUT_OF_SCOPE with 0.80 (docs/learning.md). Some
# have only 33 frozen questions, whose F1 moves by some 0.08 by chance: a refusal by a hair is to be
# looked at, and a person may still promote the model.
LEAST_F1 = 0.70
WORST_CALIBRATION = 0.05
SLOWEST_MS = 10.0  # the 95th percentile of a classification
LARGEST_BYTES = 10_000_000


def refusals(candidate: Metrics, champion: Metrics | None, size_bytes: int) -> list[str]:
    """Why it may not answer; empty when it may."""
    found = [
        f"{category}: F1 {scores['f1']:.3f} is below {LEAST_F1}"
        for category, scores in candidate["by_category"].items()
        if scores["questions"] and scores["f1"] < LEAST_F1
    ]
    if (error := candidate["calibration_error"]) > WORST_CALIBRATION:
        found.append(f"calibration error {error:.3f} is above {WORST_CALIBRATION}")
    if (slow := candidate["p95_ms"]) > SLOWEST_MS:
        found.append(f"classification takes {slow:.1f} ms, more than {SLOWEST_MS:.0f}")
    if size_bytes > LARGEST_BYTES:
        found.append(f"{size_bytes:,} bytes are more than {LARGEST_BYTES:,}")
    if champion and candidate["macro_f1"] < champion["macro_f1_low"]:
        found.append(
            f"macro-F1 {candidate['macro_f1']:.3f} is below the champion's "
            f"{champion['macro_f1']:.3f} ({champion['macro_f1_low']:.3f} to "
            f"{champion['macro_f1_high']:.3f})"
        )
    if champion and (gone := missing(candidate, champion)):
        found.append(f"it does not know {', '.join(gone)}")
    return found


def missing(candidate: Metrics, champion: Metrics) -> list[str]:
    """Categories that the champion finds and the candidate never does."""

    def known(metrics: Metrics) -> set[str]:
        return {name for name, scores in metrics["by_category"].items() if scores["recall"]}

    return sorted(known(champion) - known(candidate))
