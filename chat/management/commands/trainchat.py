"""Train the chat's classifier now and here, not by the worker."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from chat import datasets, deployment
from chat.models import TrainingRun
from chat.training import runs


class Command(BaseCommand):
    help = (
        "Freezes a dataset, trains a model on it and evaluates it on the frozen questions. "
        "It answers at once where none did before; with --promote also otherwise, if it passes."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--if-missing", action="store_true", help="do nothing when a model answers already"
        )
        parser.add_argument("--promote", action="store_true", help="let it answer if it passes")
        parser.add_argument("--seed", type=int, default=0, help="0 unless said")

    def handle(
        self, *args: Any, if_missing: bool, promote: bool, seed: int, **options: Any
    ) -> None:
        answering = deployment.champion()
        if if_missing and answering:
            return
        dataset, _ = datasets.freeze()
        run = TrainingRun.objects.create(dataset=dataset, seed=seed)
        if not runs.claim(run, now()):
            raise CommandError("A worker was faster: see the training runs in the admin.")
        runs.work(run)
        if run.state == TrainingRun.State.FAILED:
            raise CommandError(f"The training failed: {run.error}")
        model = getattr(run, "model", None)
        if model is None:
            self.stdout.write(f"{run}: {run.doing}.")
            return
        figures = f"macro-F1 {model.metrics['macro_f1']:.3f}, {model.size_bytes:,} bytes"
        self.stdout.write(f"{model} of {dataset}: {figures}, {model.trained_s:.1f} s.")
        if run.reasons:
            self.stderr.write("The gate refused it: " + "; ".join(run.reasons))
        if answering and promote and not run.reasons:
            deployment.promote(model, why="trained by trainchat")
