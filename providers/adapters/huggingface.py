"""
https://huggingface.co/docs/inference-providers/providers/hf-inference

It serves small models that run on a CPU, classifiers above all. A month of an account without a
subscription has credit for some thousand texts.
"""

from __future__ import annotations

import re
from typing import Any

from providers.adapters.base import Adapter, Auth, Reply, listed, number, said
from providers.adapters.labels import classified
from providers.datasets import DAY, ClassificationQuery, Classified, Query
from providers.errors import (
    BadKey,
    Broken,
    Garbled,
    Loading,
    Missing,
    PlanLimit,
    ProviderError,
    Throttled,
    Unsupported,
)
from providers.registry import register

MOST = 1500  # characters of a text: its models read 512 tokens, which are more than that in English
LABELS = 5  # of each text: all that a model of sentiment has
LONGEST_LOADING_S = 60.0
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
        return [classified(map(_pair, listed(labels)), query.model) for labels in found]

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
            case 404 | 410:
                return Missing("it serves no such model")
            case 400 if "not supported" in str(error).lower():
                return Missing("it serves no such model")
            case 400 | 413 | 422:
                return Missing("its model cannot read this text")
            case 503 if "estimated_time" in said(reply):
                seconds = float(number(said(reply)["estimated_time"]))
                wait = min(max(seconds, 1.0), LONGEST_LOADING_S)
                return Loading("the model is being loaded", wait=wait)
            case 200 if error:
                return Broken("an error in place of labels")
        return None


def _pair(item: Any) -> tuple[Any, Any]:
    return item["label"], item["score"]
