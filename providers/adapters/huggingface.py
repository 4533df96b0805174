"""
https://huggingface.co/docs/inference-providers/providers/hf-inference

It serves small models that run on a CPU, classifiers above all. A month of an account without a
subscription has credit for some thousand texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from providers.adapters.base import Adapter, Auth, Reply, listed, number, prose, said
from providers.adapters.labels import classified
from providers.datasets import (
    DAY,
    ClassificationQuery,
    Classified,
    Query,
    Trial,
    TrialQuery,
)
from providers.errors import (
    BadKey,
    Broken,
    Garbled,
    Loading,
    Missing,
    ModelFailed,
    PlanLimit,
    ProviderError,
    Throttled,
    Unserved,
    Unsupported,
)
from providers.registry import register

MOST = 1500  # characters of a text: its models read 512 tokens, which are more than that in English
LABELS = 5  # of each text: all that a model of sentiment has
LONGEST_LOADING_S = 60.0
MOST_SHOWN = 300  # characters of what a model wrote
PROBE = "ProsusAI/finbert"
MODEL = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?", re.ASCII)


@register
class HuggingFace(Adapter):
    """Classifies texts with any of its models; each text is cut to what the models can read."""

    name = "huggingface"
    title = "Hugging Face (hf-inference)"
    base_url = "https://router.huggingface.co/hf-inference"
    docs_url = "https://huggingface.co/docs/inference-providers/providers/hf-inference"
    offers = (ClassificationQuery,)
    auth = Auth(header="Authorization", prefix="Bearer ")

    def classification(self, query: ClassificationQuery) -> list[Classified]:
        """All texts or none: a row that is left out would move the others."""
        if not MODEL.fullmatch(query.model):
            raise Unsupported("this is no name of a model")
        texts = [text[:MOST] for text in query.texts]
        found = self._ask(query.model, texts)
        meanings = dict(query.labels)
        return [classified(map(_pair, listed(one)), query.model, meanings) for one in found]

    def trial(self, query: TrialQuery) -> list[Trial]:
        """One text, and what the task makes of it: the likeliest label, the summary, ..."""
        if not MODEL.fullmatch(query.model):
            raise Unsupported("this is no name of a model")
        if query.task not in TASKS:
            raise Unsupported("nothing is known of this task")
        parameters, read = TASKS[query.task]
        body = {"inputs": query.text, **({"parameters": parameters} if parameters else {})}
        return [read(self.http.post(f"/models/{query.model}", body))]

    def ping(self) -> None:
        """It has no question that is free and needs the key: this one is a word."""
        self._ask(PROBE, ["ping"])

    def _ask(self, model: str, texts: list[str]) -> list[Any]:
        """Of each text its labels. One text goes as a text, which is the documented way."""
        found = listed(
            self.http.post(
                f"/models/{model}",
                {
                    "inputs": texts[0] if len(texts) == 1 else texts,
                    "parameters": {"top_k": LABELS},
                },
            )
        )
        if len(texts) == 1 and found and isinstance(found[0], dict):
            return [found]  # some versions leave the outer list out
        if len(found) != len(texts):
            raise Garbled("labels of more or fewer texts than were sent")
        return found

    @classmethod
    def cost(cls, query: Query) -> int:
        """In texts: of a call with fifty, the credit pays fifty."""
        return len(query.texts) or 1 if isinstance(query, ClassificationQuery) else 1

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """Its reasons stand in `error`; a model that fails is not the provider that fails."""
        error = said(reply).get("error")
        match reply.status:
            case 401:
                return BadKey("its token is not accepted")
            case 402:
                return Throttled("its credit of the month is used up", wait=DAY)
            case 403:
                return PlanLimit("the token may not use this model")
            case 410 if "router.huggingface.co" in str(error):
                return Broken("this address is retired")
            case 404:
                return Unserved("it knows no such model")
            case 410:
                return Unserved("it runs this model no more")
            case 400 if "not supported" in str(error).lower():
                return Unserved("it does not run this model")
            case 400 | 413 | 422:
                return Missing("its model cannot read this text")
            case 503 if "estimated_time" in said(reply):
                seconds = float(number(said(reply)["estimated_time"]))
                wait = min(max(seconds, 1.0), LONGEST_LOADING_S)
                return Loading("the model is being loaded", wait=wait)
            case 500 | 502 | 503 | 504 if error:
                return ModelFailed("the model failed")
            case 200 if error:
                return Broken("an error in place of labels")
        return None


def _pair(item: Any) -> tuple[Any, Any]:
    return item["label"], item["score"]


# -- What each task is sent, and sends back ----------------------------------------------------
# https://huggingface.co/docs/inference-providers/tasks/index


def _first(found: Any) -> Any:
    """Of a list, of a list of lists, or of one alone."""
    while isinstance(found, list):
        found = found[0]
    return found


def _likeliest(found: Any) -> Trial:
    """Labels with their scores, the likeliest first; or two lists, as some versions have it."""
    if isinstance(found, dict) and "labels" in found:
        return _trial(found["labels"][0], found["scores"][0])
    first = _first(found)
    return _trial(first["label"], first["score"])


def _filled(found: Any) -> Trial:
    first = _first(found)
    return _trial(first["token_str"], first["score"])


def _trial(output: Any, score: Any) -> Trial:
    confidence = number(score)
    if not 0 <= confidence <= 1:
        raise Garbled("a probability is 0 to 1")
    return Trial(prose(output, most=MOST_SHOWN), confidence)


def _summed_up(found: Any) -> Trial:
    return Trial(prose(_first(found)["summary_text"], most=MOST_SHOWN), None)


def _written(found: Any) -> Trial:
    return Trial(prose(_first(found)["generated_text"], most=MOST_SHOWN), None)


TASKS: Mapping[str, tuple[Mapping[str, Any], Callable[[Any], Trial]]] = {
    "text-classification": ({"top_k": LABELS}, _likeliest),
    "zero-shot-classification": ({"candidate_labels": ["markets", "sports"]}, _likeliest),
    "summarization": ({}, _summed_up),
    "text-generation": ({"max_new_tokens": 8}, _written),
    "fill-mask": ({"top_k": 1}, _filled),
}
