"""
Hugging Face's router, the part that runs classifiers:
https://huggingface.co/docs/inference-providers/tasks/text-classification

It reads a text by counting the words of two short lists; each model names and orders its
labels in its own way. A text of more than 512 tokens is refused, as the models do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import orjson

from providers.sandbox.hosts.huggingface_tasks import TASKS, Sleepers
from providers.sandbox.limits import Meter
from providers.sandbox.market import Market, number_of, uniform
from providers.sandbox.wire import KEY_PREFIX, Host, Refusal, Reply, Request, json_reply, route

UP, DOWN = "up", "down"
NEITHER = "neither"
# Labels of a model in the order of its head, and what each means.
MODELS: Mapping[str, Mapping[str, str]] = {
    "ProsusAI/finbert": {"positive": UP, "negative": DOWN, "neutral": NEITHER},
    "yiyanghkust/finbert-tone": {"Neutral": NEITHER, "Positive": UP, "Negative": DOWN},
    "ElKulako/cryptobert": {"Bearish": DOWN, "Neutral": NEITHER, "Bullish": UP},
    "StephanAkkerman/FinTwitBERT-sentiment": {"NEUTRAL": NEITHER, "BULLISH": UP, "BEARISH": DOWN},
    "kk08/CryptoBERT": {"LABEL_0": DOWN, "LABEL_1": UP},
    "mrm8488/distilroberta-finetuned-financial-news-sentiment-analysis": {
        "negative": DOWN, "neutral": NEITHER, "positive": UP,
    },
    "cardiffnlp/twitter-roberta-base-sentiment-latest": {
        "negative": DOWN, "neutral": NEITHER, "positive": UP,
    },
    "distilbert/distilbert-base-uncased-finetuned-sst-2-english": {
        "NEGATIVE": DOWN, "POSITIVE": UP,
    },
    "nlptown/bert-base-multilingual-uncased-sentiment": {
        "1 star": DOWN, "2 stars": DOWN, "3 stars": NEITHER, "4 stars": UP, "5 stars": UP,
    },
}  # fmt: skip
UNSERVED = ("openai-community/gpt2", "OpenC/crypto-gpt-o3-mini")
RETIRED = ("finiteautomata/bertweet-base-sentiment-analysis",)
GATED = ("meta-llama/Llama-Guard-3-1B",)

UP_WORDS = re.compile("climb|surge|rall(y|ies)|gain|bold|record|release|good")
DOWN_WORDS = re.compile("slip|fall|crash|halt|hack|lawsuit|fear|worried|bad")
MOST_TOKENS, MOST_TEXTS, TOP_K = 512, 128, 5
# Seconds that a model needs to be loaded once somebody asks; the second is never done with it.
LOADS = {"facebook/bart-large-cnn": 2.0, "sshleifer/distilbart-cnn-12-6": 1e9}
LOADING_S = 20.0
ERRORS = {
    401: "Invalid username or password.",
    402: "You have exceeded your monthly included credits for Inference Providers. Subscribe to "
         "PRO to get 20x more monthly included credits.",
    403: "This authentication method does not have sufficient permissions to call Inference "
         "Providers on behalf of user sandbox",
    404: "Not Found",
    410: "https://api-inference.huggingface.co is no longer supported. Please use "
         "https://router.huggingface.co/hf-inference instead.",
    429: "Too Many Requests",
}  # fmt: skip


class HuggingFace(Host):
    names: ClassVar = ("router.huggingface.co",)

    def __init__(self, market: Market, meter: Meter | None = None) -> None:
        super().__init__(market, meter)
        self.sleepers = Sleepers(LOADS)

    @route("/hf-inference/models/{owner}/{name}", "POST")
    def classify(self, request: Request, owner: str, name: str) -> Any:
        self._admit(request)
        model = f"{owner}/{name}"
        if left := self.sleepers.left(model, request.now):
            error = {"error": f"Model {model} is currently loading", "estimated_time": left}
            raise self.refuse(error, 503)
        if model in TASKS:
            return TASKS[model](self._read(request)[0][0], _parameters(request))
        labels = self._labels(model)
        texts, is_single, top_k = self._read(request)
        found = [self._classified(text, model, labels)[:top_k] for text in texts]
        return found[:1] if is_single else found

    def failure(self, status: int, wait: float | None = None) -> Reply:
        if status == 503:
            error = "Model ProsusAI/finbert is currently loading"
            return json_reply({"error": error, "estimated_time": LOADING_S}, status)
        return json_reply({"error": ERRORS.get(status, "Internal Server Error")}, status)

    def _admit(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token.startswith(KEY_PREFIX):
            raise Refusal(self.failure(401))

    def _labels(self, model: str) -> Mapping[str, str]:
        if model in UNSERVED:
            raise self.refuse({"error": "Model not supported by provider hf-inference"}, 400)
        if model in RETIRED:
            error = f"The requested model '{model}' is deprecated and no longer supported"
            raise self.refuse({"error": error}, 410)
        if model in GATED:
            raise Refusal(self.failure(403))
        if model not in MODELS:
            raise self.refuse({"error": f"Model {model} does not exist"}, 404)
        return MODELS[model]

    def _read(self, request: Request) -> tuple[list[str], bool, int]:
        """Its texts, whether it was one that is no list, and how many labels are wanted."""
        try:
            document = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            raise self.refuse({"error": "the body is no JSON"}, 400) from None
        given = document.get("inputs") if isinstance(document, dict) else None
        texts: list[Any] = given if isinstance(given, list) else [given]
        if not texts or len(texts) > MOST_TEXTS or not all(isinstance(t, str) and t for t in texts):
            raise self.refuse({"error": "Invalid input: `inputs` is a text or a list of them"}, 422)
        longest = max(len(re.findall(r"\w+|[^\w\s]", text)) for text in texts)
        if longest > MOST_TOKENS:
            error = (
                f"The size of tensor a ({longest}) must match the size of tensor b ({MOST_TOKENS}) "
                "at non-singleton dimension 1"
            )
            raise self.refuse({"error": error}, 400)
        top_k = _parameters(request).get("top_k", TOP_K)
        if not isinstance(top_k, int) or top_k < 1:
            raise self.refuse({"error": "`top_k` is a whole number above 0"}, 422)
        return texts, not isinstance(given, list), top_k

    def _classified(self, text: str, model: str, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        """All labels, the likeliest first; their scores add up to 1."""
        words = text.lower()
        tone = len(UP_WORDS.findall(words)) - len(DOWN_WORDS.findall(words))
        meant = UP if tone > 0 else DOWN if tone < 0 else NEITHER
        weights = {
            label: (8.0 if side == meant else 1.0) + uniform(number_of(f"{model}:{text}:{label}"))
            for label, side in labels.items()
        }
        total = sum(weights.values())
        rows = [{"label": label, "score": weight / total} for label, weight in weights.items()]
        return sorted(rows, key=lambda row: -float(row["score"]))


def _parameters(request: Request) -> Mapping[str, Any]:
    document = orjson.loads(request.body)
    found = document.get("parameters") if isinstance(document, dict) else None
    return found if isinstance(found, dict) else {}
