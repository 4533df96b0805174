"""A Hub and a runner of models on this machine, for the tests of scans."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from monitoring import aimodels
from monitoring.models import ModelMetric, Scan
from providers import calls, roster
from providers.aimodels import AiModel
from providers.models import Credential, Provider
from providers.resilience import guard
from providers.resilience.cell import forget
from providers.sandbox.faults import Rule
from providers.sandbox.sandbox import Sandbox
from providers.sandbox.server import running

HUB_HOST, RUNNER_HOST = "huggingface.co", "router.huggingface.co"


class Hub:
    """The sandbox, with a clock for scans that a test moves, and sleep that takes no time."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.now = now()
        self.slept: list[float] = []

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        """The sandbox ages by it too, so what loads meanwhile is loaded."""
        self.slept.append(seconds)
        self.sandbox.offset_s += seconds

    def tick(self, **span: float) -> None:
        self.now += timedelta(**span)

    def scan(self, by: str = "a test") -> Scan:
        roster.forget()
        scan, is_ours = aimodels.begin(by, self.now)
        assert is_ours
        done = aimodels.run(scan, self.clock, self.sleep)
        calls.flush()
        return done

    def asked(self, host: str) -> int:
        return sum(self.sandbox.log.counts().get(host, {}).values())

    def spoil(self, host: str, fault: str, path: str = "", times: int | None = None) -> None:
        self.sandbox.rules.add(Rule(host, fault, path, times))


def token(value: str = "sandbox-of-mine") -> None:
    key = Credential(provider=Provider.objects.get(slug="huggingface"), label="one")
    key.set_key(value)
    key.save()
    roster.forget()


def model(model_id: str) -> AiModel:
    return AiModel.objects.select_related("stats").get(model_id=model_id)


def newest(model_id: str) -> ModelMetric:
    return ModelMetric.objects.filter(model__model_id=model_id)[0]


@pytest.fixture
def hub(transactional_db: None, shipped: None, settings: Any) -> Iterator[Hub]:
    sandbox = Sandbox(coins=[])
    with running(sandbox) as url:
        settings.SANDBOX, settings.SANDBOX_URL = True, url
        yield Hub(sandbox)
    for slug in ("huggingface", "huggingface_hub"):
        forget(guard.key(slug))
