"""Those who speak like OpenAI, each with errors, limits and lists of its own."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

from providers.sandbox.hosts.huggingface import HuggingFace
from providers.sandbox.hosts.llm_openai import CREATED, OpenAIHost, message, waiting
from providers.sandbox.wire import Host, Reply, Request, json_reply, route


def go_duration(seconds: float) -> str:
    """2m59.56s, as Go writes it."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}m{rest:.2f}s" if minutes else f"{rest:.2f}s"


class OpenAI(OpenAIHost):
    names: ClassVar = ("api.openai.com",)
    models: ClassVar = ("gpt-4.1-mini", "gpt-4.1")
    size: ClassVar = 500

    def limits(self, left: int, resets_in_s: float) -> dict[str, str]:
        return {
            "x-ratelimit-limit-requests": str(self.size),
            "x-ratelimit-remaining-requests": str(left),
            "x-ratelimit-reset-requests": go_duration(resets_in_s),
            "x-ratelimit-limit-tokens": "200000",
            "x-ratelimit-remaining-tokens": "199000",
            "x-ratelimit-reset-tokens": "6m0s",
        }


class Groq(OpenAIHost):
    names: ClassVar = ("api.groq.com",)
    base: ClassVar = "/openai/v1"
    models: ClassVar = ("llama-3.1-8b-instant", "llama-3.3-70b-versatile", "openai/gpt-oss-20b")
    size: ClassVar = 14400
    seconds: ClassVar = 86400

    def card(self, name: str) -> dict[str, Any]:
        more = {"active": True, "context_window": 131072, "max_completion_tokens": 8192}
        return {**super().card(name), **more, "public_apps": None}

    def limits(self, left: int, resets_in_s: float) -> dict[str, str]:
        return {
            "x-ratelimit-limit-requests": str(self.size),
            "x-ratelimit-remaining-requests": str(left),
            "x-ratelimit-reset-requests": "2m59.56s",
            "x-ratelimit-limit-tokens": "6000",
            "x-ratelimit-remaining-tokens": "5900",
            "x-ratelimit-reset-tokens": "7.66s",
        }


class Cerebras(OpenAIHost):
    names: ClassVar = ("api.cerebras.ai",)
    models: ClassVar = ("gpt-oss-120b", "gemma-4-31b")
    size: ClassVar = 2400
    seconds: ClassVar = 86400

    def limits(self, left: int, resets_in_s: float) -> dict[str, str]:
        return {
            "x-ratelimit-limit-requests-day": str(self.size),
            "x-ratelimit-remaining-requests-day": str(left),
            "x-ratelimit-reset-requests-day": f"{resets_in_s:.6f}",
            "x-ratelimit-limit-tokens-minute": "30000",
            "x-ratelimit-remaining-tokens-minute": "29000",
            "x-ratelimit-reset-tokens-minute": "12.5",
        }


class Mistral(OpenAIHost):
    names: ClassVar = ("api.mistral.ai",)
    models: ClassVar = ("mistral-small-latest", "mistral-large-latest")
    size: ClassVar = 60

    def card(self, name: str) -> dict[str, Any]:
        more = {"name": name, "aliases": [], "max_context_length": 131072, "type": "base"}
        gone = {"deprecation": None, "deprecation_replacement_model": None}
        return {**super().card(name), **more, **gone, "capabilities": {"completion_chat": True}}

    def limits(self, left: int, resets_in_s: float) -> dict[str, str]:
        return {
            "x-ratelimit-limit-req-minute": str(self.size),
            "x-ratelimit-remaining-req-minute": str(left),
            "x-ratelimit-limit-tokens-minute": "500000",
            "x-ratelimit-remaining-tokens-minute": "499000",
            "x-ratelimit-limit-tokens-month": "1000000000",
            "x-ratelimit-remaining-tokens-month": "999000000",
            "x-ratelimit-tokens-query-cost": "40",
        }

    def failure(self, status: int, wait: float | None = None) -> Reply:
        kind, code = ("rate_limited", "1300") if status == 429 else ("invalid_request_error", None)
        error = {"object": "error", "message": message(status), "type": kind, "param": None}
        return waiting(json_reply({**error, "code": code}, status), wait)


class OpenRouter(OpenAIHost):
    names: ClassVar = ("openrouter.ai",)
    base: ClassVar = "/api/v1"
    models: ClassVar = ("openai/gpt-oss-20b:free", "meta-llama/llama-3.3-70b-instruct:free")
    lists_to_all: ClassVar = True
    size: ClassVar = 20

    @route("/key")
    def key(self, request: Request) -> Any:
        self.admit(request)
        used = {"usage": 0.25, "usage_daily": 0.01, "usage_weekly": 0.02, "usage_monthly": 0.1}
        free = {"used": 3, "limit": 50, "remaining": 47}
        limit = {"limit": 10, "limit_remaining": 9.75, "limit_reset": "monthly"}
        more = {"is_free_tier": True, "expires_at": None, "is_management_key": False}
        return {"data": {"label": "sandbox", **limit, **used, **more,
                         "free_model_daily_requests": free}}  # fmt: skip

    def card(self, name: str) -> dict[str, Any]:
        price = {"prompt": "0", "completion": "0"}
        return {
            "id": name, "canonical_slug": name, "name": name, "created": CREATED,
            "context_length": 131072, "pricing": price, "supported_parameters": ["max_tokens"],
            "expiration_date": None,
        }  # fmt: skip

    def listed(self, cards: list[dict[str, Any]]) -> Any:
        return {"data": cards}

    def failure(self, status: int, wait: float | None = None) -> Reply:
        error = {"code": status, "message": message(status)}
        reply = json_reply({"error": error}, status)
        if status == 429:
            resets = str(int((CREATED + 60) * 1000))
            reply.headers |= {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "0"}
            reply.headers["x-ratelimit-reset"] = resets
        return waiting(reply, wait)


class Together(OpenAIHost):
    names: ClassVar = ("api.together.xyz",)
    models: ClassVar = ("meta-llama/Llama-3.3-70B-Instruct-Turbo",)
    size: ClassVar = 60

    def listed(self, cards: list[dict[str, Any]]) -> Any:
        return [card | {"type": "chat", "pricing": {"input": 0.88, "output": 0.88}}
                for card in cards]  # fmt: skip

    def limits(self, left: int, resets_in_s: float) -> dict[str, str]:
        return {
            "x-ratelimit-limit": str(self.size),
            "x-ratelimit-remaining": str(left),
            "x-ratelimit-reset": "1",
            "x-tokenlimit-limit": "60000",
            "x-tokenlimit-remaining": "59000",
        }


class DeepSeek(OpenAIHost):
    names: ClassVar = ("api.deepseek.com",)
    base: ClassVar = ""
    models: ClassVar = ("deepseek-v4-flash", "deepseek-v4-pro")

    @route("/user/balance")
    def balance(self, request: Request) -> Any:
        self.admit(request)
        balance = {"currency": "USD", "total_balance": "4.20", "granted_balance": "0.00"}
        return {"is_available": True, "balance_infos": [{**balance, "topped_up_balance": "4.20"}]}


class Nvidia(OpenAIHost):
    names: ClassVar = ("integrate.api.nvidia.com",)
    models: ClassVar = ("meta/llama-3.1-8b-instruct", "nvidia/llama-3.3-nemotron-super-49b-v1")
    lists_to_all: ClassVar = True
    size: ClassVar = 40

    def failure(self, status: int, wait: float | None = None) -> Reply:
        title = HTTPStatus(status).phrase if status in list(HTTPStatus) else "Error"
        return waiting(json_reply({"status": status, "title": title}, status), wait)

    def unknown_model(self, name: str) -> Reply:
        detail = "Function '7b7f2a3e': Not found for account 'sandbox'"
        return json_reply({"status": 404, "title": "Not Found", "detail": detail}, 404)


class HuggingFaceRouter(OpenAIHost, HuggingFace):
    """The router's chat beside its classifiers, which stand in `huggingface`."""

    names: ClassVar = ("router.huggingface.co",)
    models: ClassVar = ("openai/gpt-oss-20b", "meta-llama/Llama-3.3-70B-Instruct")
    lists_to_all: ClassVar = True

    def elsewhere(self, request: Request) -> Reply:
        return Host.serve(self, request)

    def card(self, name: str) -> dict[str, Any]:
        partner = {"provider": "groq", "status": "live", "context_length": 131072, "is_free": False}
        return {**super().card(name), "providers": [partner]}

    def failure(self, status: int, wait: float | None = None) -> Reply:
        return waiting(HuggingFace.failure(self, status), wait)

    def unknown_model(self, name: str) -> Reply:
        return json_reply({"error": f"The requested model '{name}' does not exist"}, 404)


class G4F(OpenAIHost):
    """Its main address wants a key; those below /api, which lead to one other host each, do not."""

    names: ClassVar[tuple[str, ...]] = ("g4f.space",)
    models: ClassVar = ("gpt-4o-mini", "llama-3.1-8b-instant", "grok-3-mini", "gemini-2.5-flash",
                        "meta/llama-3.1-8b-instruct")  # fmt: skip
    lists_to_all: ClassVar = True

    def elsewhere(self, request: Request) -> Reply:
        parts = request.path.split("/")
        if parts[1] != "api" or len(parts) < 4 or parts[2] not in ("groq", "gemini", "nvidia"):
            return self.failure(404)
        door = _Relay(self.market, self.meter)
        door.base = f"/api/{parts[2]}"  # type: ignore[misc]
        return door.serve(request)

    def failure(self, status: int, wait: float | None = None) -> Reply:
        kinds = {401: "MissingAuthError", 404: "ModelNotFoundError", 429: "RateLimitError"}
        said = f"{kinds.get(status, 'ResponseError')}: {message(status)}"
        return waiting(json_reply({"error": {"message": said}}, status), wait)


class _Relay(G4F):
    names: ClassVar = ()
    answers_to_all: ClassVar = True


class Ollama(OpenAIHost):
    names: ClassVar = ("127.0.0.1:11434",)
    models: ClassVar = ("llama3.2",)
    lists_to_all: ClassVar = True
    answers_to_all: ClassVar = True

    def failure(self, status: int, wait: float | None = None) -> Reply:
        return waiting(json_reply({"error": message(status)}, status), wait)

    def unknown_model(self, name: str) -> Reply:
        error = {"message": f"model '{name}' not found", "type": "not_found_error"}
        return json_reply({"error": {**error, "param": None, "code": None}}, 404)


class Vllm(OpenAIHost):
    names: ClassVar = ("127.0.0.1:8000",)
    models: ClassVar = ("local/model",)
    lists_to_all: ClassVar = True
    answers_to_all: ClassVar = True


class Closed(Host):
    """Hosts that have closed."""

    names: ClassVar = (
        "cloudcode-pa.googleapis.com",
        "models.github.ai",
        "api-inference.huggingface.co",
    )

    def serve(self, request: Request) -> Reply:
        return self.failure(410)

    def failure(self, status: int, wait: float | None = None) -> Reply:
        return json_reply({"error": f"{HTTPStatus(status).phrase}: no longer supported"}, status)
