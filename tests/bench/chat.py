"""
How well the chat's classifier does on the questions nobody tuned on, and what it costs.
`python -m tests.bench.chat`

It trains the base model anew. Figures of quality are the same on every machine with the same
versions of the libraries; those of time are of this one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tests.bench.table import Row

if TYPE_CHECKING:
    from chat.training.evaluation import Report

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

LEAST_F1, LEAST_PRICE, LEAST_AUROC = 0.92, 0.97, 0.93
WORST_CALIBRATION = 0.05
LONGEST_TRAINING_S, LARGEST_MB, SLOWEST_MS = 30.0, 10.0, 10.0

# What a process grows by that classifies, measured in one of its own.
GROWTH = """
import sys, resource
from chat import features, weights
def mb(): return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 1e6
data = sys.stdin.buffer.read()
before = mb()
weights.read(data, sys.argv[1]).predict("what does bitcoin cost now")
print(mb() - before)
"""


def main() -> list[Row]:
    import django

    django.setup()
    from chat import questions, weights
    from chat.categories import Category
    from chat.training import fitting
    from chat.training.evaluation import evaluate

    began = time.perf_counter()
    trained = fitting.train(questions.train(), {"dataset": "train"})
    seconds = time.perf_counter() - began
    model = weights.read(trained.data, trained.sha256)
    report = evaluate(model.predict, questions.held_out(), clock=time.thread_time)
    show(report)
    price, sure = report.by_category[Category.PRICE_QUERY], report.sure[Category.PRICE_QUERY]
    auroc, megabytes = report.out_of_scope_auroc or 0.0, len(trained.data) / 1e6
    spread = f"{report.macro_f1:.3f} ({report.macro_f1_low:.3f}-{report.macro_f1_high:.3f})"
    found = f"{sure.precision or 0:.3f}, {sure.recall or 0:.0%} found"
    error = report.calibration_error
    return [
        Row("macro-F1, 95 % interval", spread, f">= {LEAST_F1}", report.macro_f1 >= LEAST_F1),
        Row("accuracy", f"{report.accuracy:.3f}"),
        Row(
            "PRICE_QUERY precision where sure",
            found,
            f">= {LEAST_PRICE}",
            (sure.precision or 0) >= LEAST_PRICE,
        ),
        Row("PRICE_QUERY precision of all guesses", f"{price.precision or 0:.3f}"),
        Row(
            "expected calibration error",
            f"{error:.3f}",
            f"<= {WORST_CALIBRATION}",
            error <= WORST_CALIBRATION,
        ),
        Row("out-of-scope AUROC", f"{auroc:.3f}", f">= {LEAST_AUROC}", auroc >= LEAST_AUROC),
        Row("training", f"{seconds:.1f} s", "<= 30 s", seconds <= LONGEST_TRAINING_S),
        Row("artefact", f"{megabytes:.1f} MB", "<= 10 MB", megabytes <= LARGEST_MB),
        Row(
            "classification, p95, of processor time",
            f"{report.p95_ms:.2f} ms",
            "<= 10 ms",
            report.p95_ms <= SLOWEST_MS,
        ),
        Row(
            "memory of a process that classifies", f"+{growth(trained.data, trained.sha256):.0f} MB"
        ),
    ]


def show(report: Report) -> None:
    """By category, and the confusion matrix: rows are what it is, columns what was guessed."""
    print(f"{'':20}{'F1':>7}{'precision':>11}{'recall':>8}{'questions':>11}")
    for category, said in report.by_category.items():
        numbers = f"{said.f1:7.3f}{said.precision or 0:11.3f}{said.recall or 0:8.3f}"
        print(f"{category:20}{numbers}{said.questions:11}")
    print(f"\n{'':20}" + "".join(f"{category[:5]:>6}" for category in report.categories))
    for category, counts in zip(report.categories, report.confusion, strict=True):
        print(f"{category:20}" + "".join(f"{count or '.':>6}" for count in counts))
    print()


def growth(data: bytes, sha256: str) -> float:
    """Megabytes that loading and asking a model adds."""
    command = [sys.executable, "-c", GROWTH, sha256]
    return float(subprocess.run(command, input=data, capture_output=True, check=True).stdout)


if __name__ == "__main__":
    for line in main():
        print(line)
