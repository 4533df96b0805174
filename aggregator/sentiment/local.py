"""
A model of one's own, on this machine's CPU: a folder that `transformers` can read, and no network.

`requirements-ml.txt` brings the libraries; without them, or without a folder, there is none. They
are loaded by the first text and not before: they cost seconds, and some hundred megabytes.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from decimal import Decimal
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings

from providers.adapters.labels import classified
from providers.datasets import Classified
from providers.errors import GatewayError
from providers.resilience import Deadline
from providers.resilience.store import let_go

logger = logging.getLogger(__name__)

LIBRARIES = ("torch", "transformers")
BATCH = 8  # texts that are read at once: more need more memory, and are hardly faster on a CPU
MOST_WAITING = 4  # requests with the one thread; whoever comes then need not wait


class NoModel(GatewayError):
    """There is no model here that could read a text."""

    code = "no_model"
    http_status = 503
    title = "No local model"


class ModelLate(NoModel):
    code = "timed_out"


class ModelFailed(NoModel):
    code = "failed"


def is_there() -> bool:
    """Are the libraries installed, and is there a folder with a model? Loads neither."""
    return not lacking()


def lacking() -> str:
    """What is missing for a local model; "" for nothing."""
    if not settings.SENTIMENT_LOCAL_MODEL:
        return "SENTIMENT_LOCAL_MODEL names no folder"
    if not (_folder() / "config.json").is_file():
        return "the folder of SENTIMENT_LOCAL_MODEL holds no model"
    missing = [name for name in LIBRARIES if find_spec(name) is None]
    return f"{', '.join(missing)} is not installed: see requirements-ml.txt" if missing else ""


def name() -> str:
    """What it is called: its folder's name; "" where none is set."""
    return _folder().name if settings.SENTIMENT_LOCAL_MODEL else ""


def classify(texts: Sequence[str], deadline: Deadline) -> list[Classified]:
    """
    A row for each text; NoModel, or one of its kind, or Garbled when the labels mean nothing here.

    One thread reads for everybody. Whoever is not served in time goes away, and what was begun for
    them is finished: so the model that was being loaded is there for the next.
    """
    if lack := lacking():
        raise NoModel(lack)
    work = _in_line(str(_folder()), tuple(texts))
    let_go()
    try:
        found = work.result(timeout=deadline.left())
    except Late:
        work.cancel()
        raise ModelLate("the model has not read it in time, or is still being loaded") from None
    except Exception as error:
        logger.exception("the local model could not read")
        raise ModelFailed(f"the model could not read it: {type(error).__name__}") from error
    return [classified(map(_pair, labels), _folder().name) for labels in found]


def _in_line(folder: str, texts: Sequence[str]) -> Future[Any]:
    places = _places()
    if not places.acquire(blocking=False):
        raise ModelLate("others are in line already")
    work: Future[Any] = _thread().submit(_read, folder, texts)
    work.add_done_callback(lambda _: places.release())
    return work


def _folder() -> Path:
    return Path(settings.BASE_DIR, settings.SENTIMENT_LOCAL_MODEL)


def _pair(item: Any) -> tuple[Any, Any]:
    return item["label"], Decimal(repr(item["score"]))


def _read(folder: str, texts: Sequence[str]) -> Any:
    return _pipeline(folder)(list(texts), truncation=True, batch_size=BATCH)


@cache
def _pipeline(folder: str) -> Any:
    """Only from the folder, and only weights that cannot be code (safetensors)."""
    transformers: Any = import_module("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, local_files_only=True, use_safetensors=True
    )
    return transformers.pipeline(
        "text-classification", model=model, tokenizer=tokenizer, device="cpu", top_k=None
    )


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="local-model")


@cache
def _places() -> BoundedSemaphore:
    return BoundedSemaphore(MOST_WAITING)


def _after_fork() -> None:
    for kept in (_thread, _places, _pipeline):
        kept.cache_clear()


os.register_at_fork(after_in_child=_after_fork)
