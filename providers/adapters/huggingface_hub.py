"""
https://huggingface.co/docs/hub/api: what the Hub says of a model. It costs no credit, and needs no
token; with one the limits are twice as high (https://huggingface.co/docs/hub/rate-limits).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from providers.adapters.base import Adapter, Auth, Reading, Reply, maybe, said, text
from providers.datasets import ModelFacts, ModelFactsQuery
from providers.errors import BadKey, Garbled, Missing, PlanLimit, ProviderError, Unsupported
from providers.registry import register

WINDOW_S = 300.0  # in which it counts requests
RUNNER = "hf-inference"  # of all who run models of the Hub, the one that we ask
FIELDS = ("inferenceProviderMapping", "pipeline_tag", "gated", "disabled")
MODEL = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?", re.ASCII)
STATES = ("live", "staging", "error")


@register
class HuggingFaceHub(Adapter):
    """Models by name: what they do, who may use them, and whether hf-inference runs them."""

    name = "huggingface_hub"
    title = "Hugging Face Hub"
    base_url = "https://huggingface.co"
    docs_url = "https://huggingface.co/docs/hub/api"
    auth = Auth(header="Authorization", prefix="Bearer ", required=False)

    def model_facts(self, query: ModelFactsQuery) -> list[ModelFacts]:
        """One row. A model that was renamed is found by its old name too, by a redirect."""
        if not MODEL.fullmatch(query.model):
            raise Unsupported("this is no name of a model")
        found = self._about(query.model)
        name = text(found["id"], most=120)
        if not MODEL.fullmatch(name):
            raise Garbled("this is no name of a model")
        if name != query.model:  # a redirect forgets which fields were wanted
            found = self._about(name)
        return [
            ModelFacts(
                name,
                maybe(text, found.get("pipeline_tag")),
                _served(found.get("inferenceProviderMapping")),
                gated=found.get("gated", False) is not False,
                disabled=found.get("disabled", False) is True,
            )
        ]

    def _about(self, model: str) -> Any:
        return self.http.get(f"/api/models/{model}", **{"expand[]": list(FIELDS)})

    def ping(self) -> None:
        self.http.get("/api/models", limit=1)

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """
        Without a token it says 401 of a model that does not exist, so as not to tell of those that
        are private; the header says which it is.
        """
        code = reply.headers.get("X-Error-Code", "")
        if code == "GatedRepo":
            return PlanLimit("its owner chooses who may use it")
        if code in ("RepoNotFound", "RevisionNotFound", "EntryNotFound") or reply.status == 404:
            return Missing("the Hub knows no such model")
        if reply.status == 401:
            error = str(said(reply).get("error")).lower()
            if "credentials" in error or "token" in error:
                return BadKey("its token is not accepted")
            return Missing("the Hub knows no such model, or it is private")
        if reply.status == 403:
            return PlanLimit("the token may not see this model")
        return None

    @classmethod
    def readings(cls, headers: Mapping[str, str]) -> Iterable[Reading]:
        """
        RateLimit: "api";r=489;t=201 and RateLimit-Policy: "fixed window";"api";q=500;w=300 (a
        draft of the IETF: draft-ietf-httpapi-ratelimit-headers). They come with every answer.
        """
        left, policy = _parts(headers.get("RateLimit")), _parts(headers.get("RateLimit-Policy"))
        if "r" in left:
            yield Reading(
                policy.get("w") or WINDOW_S,
                remaining=left["r"],
                limit=policy.get("q"),
                resets_in_s=left.get("t"),
            )


def _served(mapping: Any) -> str | None:
    """In which state the runner has it; the mapping is an object by runner, or a list of them."""
    if isinstance(mapping, list):
        mapping = {item.get("provider"): item for item in mapping if isinstance(item, dict)}
    if not isinstance(mapping, dict) or RUNNER not in mapping:
        return None
    state = text(mapping[RUNNER]["status"], most=20)
    return state if state in STATES else "error"


def _parts(header: str | None) -> dict[str, float]:
    """The numbers of a header such as "api";r=489;t=201."""
    found = re.findall(r";\s*([a-z]+)=(\d{1,9})(?=\s*(?:;|$))", header or "")
    return {name: float(value) for name, value in found}
