"""
How well the chat's classifier does on the questions nobody tuned on, and what it costs.
`python -m tests.bench.chat`

It trains the base model anew, and measures the classifier alone and the whole decision as visitors
get it: first the rules, then the classifier, and no language model. A question that is asked back
counts with the category that is likeliest. Figures of quality are the same on every machine with
the same versions of the libraries; those of time are of this one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from tests.bench.table import Row

if TYPE_CHECKING:
    from chat.training.evaluation import Report
    from chat.training.fitting import Trained
    from chat.weights import Prediction, Weights

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

    began, worked = time.perf_counter(), time.process_time()
    trained = fitting.train(questions.train(), {"dataset": "train"})
    seconds, of_processor = time.perf_counter() - began, time.process_time() - worked
    model = weights.read(trained.data, trained.sha256)
    report = evaluate(model.predict, questions.held_out(), clock=time.thread_time)
    decided = evaluate(lambda text: decide(model, text), questions.held_out())
    show(report)
    alone, whole = crossed(trained)
    price, sure = report.by_category[Category.PRICE_QUERY], report.sure[Category.PRICE_QUERY]
    auroc, megabytes = report.out_of_scope_auroc or 0.0, len(trained.data) / 1e6
    found = f"{sure.precision or 0:.3f}, {sure.recall or 0:.0%} found"
    error = report.calibration_error
    return [
        f1_row("macro-F1 of the whole decision (rules, then classifier)", decided),
        f1_row("macro-F1 of the classifier alone", report),
        Row("the same two by cross-validation on the training part", f"{whole:.3f}, {alone:.3f}"),
        Row("accuracy of the same two", f"{decided.accuracy:.3f}, {report.accuracy:.3f}"),
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
        # It has one thread, so beside nothing else this is its time by the clock.
        Row(
            "training, of processor time",
            f"{of_processor:.1f} s ({seconds:.1f} s by the clock)",
            "<= 30 s",
            of_processor <= LONGEST_TRAINING_S,
        ),
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


def f1_row(name: str, report: Report) -> Row:
    spread = f"{report.macro_f1:.3f} ({report.macro_f1_low:.3f}-{report.macro_f1_high:.3f})"
    return Row(f"{name}, 95 % interval", spread, f">= {LEAST_F1}", report.macro_f1 >= LEAST_F1)


def decide(model: Weights, text: str) -> Prediction:
    """What `chat.sorting` makes of a first question where no language model is configured."""
    from chat import sorting
    from chat.models import Route
    from chat.weights import Prediction
    from tests.chat.finding import find

    guess = model.predict(text)
    said = sorting.sort(text, find(text), None, lambda text, unit: guess, lambda text: None)
    if said.route is not Route.RULE:
        return guess
    return Prediction(said.category, said.confidence, {said.category: said.confidence}, True, "")


def crossed(trained: Trained) -> tuple[float, float]:
    """Macro-F1 on training questions that were not seen: of the classifier, and with the rules."""
    from collections import Counter

    from chat import questions, rules
    from chat.training.evaluation import macro_f1
    from tests.chat.finding import find

    alone: Counter[Any] = Counter()
    whole: Counter[Any] = Counter()
    for question, at in zip(questions.train(), trained.scores.argmax(axis=1), strict=True):
        guess = trained.categories[at]
        verdict = rules.judge(question.text, find(question.text))
        alone[question.category, guess] += 1
        whole[question.category, verdict.category if verdict else guess] += 1
    return macro_f1(alone), macro_f1(whole)


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
