"""
A model on this machine: tiny, with random weights, and read by the real libraries. They come with
requirements-ml.txt and not with the tests.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from aggregator.sentiment import local, methods
from providers.errors import Garbled
from providers.resilience import Deadline

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] bitcoin up down".split()  # noqa: SIM905
LABELS = ("positive", "negative", "neutral")
needs_libraries = pytest.mark.skipif(
    any(find_spec(name) is None for name in local.LIBRARIES),
    reason="torch or transformers is not installed: pip install -r requirements-ml.txt",
)


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    yield
    for kept in (local._thread, local._places, local._pipeline):
        kept.cache_clear()


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """Where the setting looks."""
    found = tmp_path / "tiny-model"
    found.mkdir()
    settings.SENTIMENT_METHOD, settings.SENTIMENT_LOCAL_MODEL = "local", str(found)
    return found


def make(folder: Path, labels: Sequence[str] = LABELS) -> None:
    """A BERT of one layer that has learned nothing."""
    torch: Any = import_module("torch")
    transformers: Any = import_module("transformers")
    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(WORDS))
    tokenizer = transformers.BertTokenizerFast(str(vocabulary), model_max_length=32)
    tokenizer.save_pretrained(folder)


@needs_libraries
@pytest.mark.timeout(120)
def test_texts_are_read_by_the_model_in_the_folder(folder: Path) -> None:
    make(folder)
    texts = ["bitcoin up", "down " * 500, "日本語 🚀"]
    found = methods.read(texts, Deadline(60))
    assert (found.method, found.model, found.fallback) == ("local", "tiny-model", None)
    assert len(found.rows) == 3
    for row in found.rows:
        assert row.label in ("bullish", "neutral", "bearish")
        assert -1 <= row.score <= 1
        assert Decimal("0.3") < row.confidence <= 1
    again = methods.read(texts[:1], Deadline(5))
    assert again.rows[0] == found.rows[0]


@needs_libraries
@pytest.mark.timeout(120)
def test_labels_that_mean_nothing_here_are_not_guessed(folder: Path) -> None:
    make(folder, ("LABEL_0", "LABEL_1"))
    with pytest.raises(Garbled):
        local.classify(["bitcoin"], Deadline(60))
    found = methods.read(["bitcoin surges"], Deadline(60))
    assert found.method == "lexicon"
    assert found.fallback
    assert (found.fallback.method, found.fallback.reason) == ("local", "garbled")


@needs_libraries
@pytest.mark.timeout(120)
def test_a_folder_with_something_else_is_no_model(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "bert"}')
    found = methods.read(["bitcoin surges"], Deadline(60))
    assert found.method == "lexicon"
    assert found.fallback
    assert found.fallback.reason == "failed"


# -- What does not depend on the libraries ----------------------------------------------------


@pytest.fixture
def slow(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A model that reads once the event is set."""
    (folder / "config.json").write_text("{}")
    ready = threading.Event()

    def read(folder: str, texts: Sequence[str]) -> Any:
        assert ready.wait(20)
        return [[{"label": "positive", "score": 0.75}, {"label": "negative", "score": 0.25}]]

    monkeypatch.setattr(local, "LIBRARIES", ())
    monkeypatch.setattr(local, "_read", read)
    yield ready
    ready.set()


def test_nobody_waits_longer_than_they_may(slow: threading.Event) -> None:
    began = time.monotonic()
    found = methods.read(["bitcoin surges"], Deadline(0.1))
    assert time.monotonic() - began < 2
    assert (found.method, found.rows[0].label) == ("lexicon", "bullish")
    assert found.fallback
    assert found.fallback.reason == "timed_out"
    slow.set()
    assert methods.read(["bitcoin"], Deadline(20)).method == "local"


def test_those_who_come_while_many_wait_need_not(slow: threading.Event) -> None:
    line = [local._in_line("", ()) for _ in range(local.MOST_WAITING)]
    began = time.monotonic()
    found = methods.read(["bitcoin"], Deadline(20))
    assert time.monotonic() - began < 2
    assert found.fallback
    assert "in line" in found.fallback.detail
    slow.set()
    for work in line:
        work.result(20)
    assert methods.read(["bitcoin"], Deadline(20)).method == "local"
