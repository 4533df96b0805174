"""
The Hub itself: https://huggingface.co/docs/hub/api. It knows of each model what it does, whether
its owner lets everybody in, and who runs it.

As there, a model that was renamed is redirected, one that does not exist is a 401 for whoever
sends no token, and every answer tells what is left of a window of five minutes.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from providers.sandbox.limits import Budget, Usage
from providers.sandbox.market import number_of
from providers.sandbox.wire import KEY_PREFIX, Host, Reply, Request, json_reply, route, whole

WINDOW_S = 300
ANONYMOUS, ACCOUNT = 500, 1000  # requests in a window
LIVE, STAGING, BROKEN = "live", "staging", "error"


class Card(NamedTuple):
    task: str | None = "text-classification"
    served: str | None = LIVE  # by hf-inference
    gated: bool | str = False


CARDS = {
    "ElKulako/cryptobert": Card(),
    "kk08/CryptoBERT": Card(),
    "burakutf/finetuned-finbert-crypto": Card(None, None),
    "ProsusAI/finbert": Card(),
    "yiyanghkust/finbert-tone": Card(),
    "StephanAkkerman/FinTwitBERT-sentiment": Card(served=STAGING),
    "mrm8488/distilroberta-finetuned-financial-news-sentiment-analysis": Card(),
    "cardiffnlp/twitter-roberta-base-sentiment-latest": Card(),
    "finiteautomata/bertweet-base-sentiment-analysis": Card(),
    "distilbert/distilbert-base-uncased-finetuned-sst-2-english": Card(),
    "nlptown/bert-base-multilingual-uncased-sentiment": Card(served=BROKEN),
    "mathugo/crypto_news_bert": Card("fill-mask", None),
    "OpenC/crypto-gpt-o3-mini": Card(None, None),
    "agarkovv/CryptoTrader-LM": Card(None, LIVE, "manual"),
    "openai-community/gpt2": Card("text-generation", None),
    "distilbert/distilgpt2": Card("text-generation", None),
    "facebook/bart-large-cnn": Card("summarization"),
    "sshleifer/distilbart-cnn-12-6": Card("summarization"),
    "facebook/bart-large-mnli": Card("zero-shot-classification"),
    "meta-llama/Llama-Guard-3-1B": Card("text-generation", None, "manual"),
}
RENAMED = {
    "gpt2": "openai-community/gpt2",
    "distilgpt2": "distilbert/distilgpt2",
    "distilbert-base-uncased-finetuned-sst-2-english": (
        "distilbert/distilbert-base-uncased-finetuned-sst-2-english"
    ),
}


class HuggingFaceHub(Host):
    names: ClassVar = ("huggingface.co",)

    @route("/api/models")
    def models(self, request: Request) -> Any:
        most = whole(request.params.get("limit", "30")) or 30
        return [_row(name, CARDS[name]) for name in sorted(CARDS)[:most]]

    @route("/api/models/{name}")
    def renamed(self, request: Request, name: str) -> Any:
        if name not in RENAMED:
            return self._nothing(request)
        place = f"/api/models/{RENAMED[name]}"
        return Reply(307, b"", headers={"location": place})

    @route("/api/models/{owner}/{name}")
    def model(self, request: Request, owner: str, name: str) -> Any:
        card = CARDS.get(f"{owner}/{name}")
        if card is None:
            return self._nothing(request)
        wanted = {value for key, value in request.query if key in ("expand", "expand[]")}
        row = _row(f"{owner}/{name}", card)
        more = {
            "inferenceProviderMapping": _mapping(f"{owner}/{name}", card),
            "pipeline_tag": card.task,
            "gated": card.gated,
            "disabled": False,
        }
        if not wanted:
            return row | {"gated": card.gated, "disabled": False}
        kept = {field: value for field, value in more.items() if field in wanted}
        return {name: row[name] for name in ("_id", "id")} | {
            field: value for field, value in kept.items() if value is not None
        }

    def _nothing(self, request: Request) -> Reply:
        """The same for what is private and for what does not exist."""
        known = _has_token(request)
        error = "Repository not found" if known else "Invalid username or password."
        headers = {"X_Error_Code": "RepoNotFound", "X_Error_Message": "Repository not found"}
        return json_reply({"error": error}, 404 if known else 401, **headers)

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        if "authorization" in request.headers and not _has_token(request):
            raise self.refuse({"error": "Invalid credentials in Authorization header"}, 401)
        if _has_token(request):
            return (Budget("huggingface account", ACCOUNT, WINDOW_S),)
        return (Budget("huggingface address", ANONYMOUS, WINDOW_S),)

    def dress(self, request: Request, reply: Reply, usage: Usage) -> Reply:
        if usage.used:
            (budget,) = self.budgets(request)
            now = self.meter.clock()
            left, ends = max(0, budget.size - usage.used[0]), WINDOW_S - int(now % WINDOW_S)
            reply.headers["ratelimit"] = f'"api";r={left};t={ends}'
            reply.headers["ratelimit-policy"] = f'"fixed window";"api";q={budget.size};w={WINDOW_S}'
        return reply


def _has_token(request: Request) -> bool:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return scheme == "Bearer" and token.startswith(KEY_PREFIX)


def _row(name: str, card: Card) -> dict[str, Any]:
    row = {"_id": f"{number_of(name):024x}"[:24], "id": name, "modelId": name, "private": False}
    return row | {"pipeline_tag": card.task} if card.task else row


def _mapping(name: str, card: Card) -> dict[str, Any]:
    if card.served is None:
        return {}
    return {
        "hf-inference": {
            "status": card.served,
            "providerId": name,
            "task": card.task,
            "isModelAuthor": False,
        }
    }
