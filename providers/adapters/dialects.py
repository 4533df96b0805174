"""
How those who speak like OpenAI differ. What is not here is as OpenAI documents it.

A row names its dialect in its options; a host that nobody knows is "plain".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from providers import ratelimits
from providers.adapters.base import Auth
from providers.ratelimits import DAY_S, MINUTE_S, Family

BEARER = Auth(header="Authorization", prefix="Bearer ")
OPTIONAL = Auth(header="Authorization", prefix="Bearer ", required=False)


@dataclass(frozen=True)
class Dialect:
    """
    `key_path` is a free question that is answered to a good key alone; without one the list of
    models is asked, which is `public` where it proves nothing of a key. `json` is how a schema is
    sent: as "schema", as "object" (JSON, of any shape) or in "words". Who `relays` hands what is
    said to others, wherever it runs itself.
    """

    auth: Auth | None = BEARER
    models_path: str = "/models"
    key_path: str = ""
    public: bool = False
    tokens_field: str = "max_tokens"
    json: str = "schema"
    counts_streams: bool = True  # it knows `stream_options`
    families: tuple[Family, ...] = ()
    windows: Mapping[str, float] = field(default_factory=dict)
    probes_by_asking: bool = False  # nothing cheaper than a small completion says how it is
    check_every_s: float = 0.0
    relays: bool = False


# A community relay may be asked once in ten seconds, and says nothing of itself but by answering.
_G4F = Dialect(
    auth=OPTIONAL,
    public=True,
    json="words",
    counts_streams=False,
    probes_by_asking=True,
    check_every_s=900.0,
    relays=True,
)

DIALECTS: Mapping[str, Dialect] = {
    "plain": Dialect(auth=OPTIONAL, families=(ratelimits.plain,)),
    "openai": Dialect(tokens_field="max_completion_tokens", families=(ratelimits.plain,)),
    # https://console.groq.com/docs/rate-limits: requests of a day, tokens of a minute.
    "groq": Dialect(families=(ratelimits.plain,), windows={"requests": DAY_S, "tokens": MINUTE_S}),
    "openrouter": Dialect(key_path="/key", public=True, families=(ratelimits.bare,)),
    "together": Dialect(families=(ratelimits.bare,)),
    "mistral": Dialect(families=(ratelimits.spelt,), counts_streams=False),
    "cerebras": Dialect(tokens_field="max_completion_tokens", families=(ratelimits.spelt,)),
    "nvidia": Dialect(public=True, json="object"),
    "deepseek": Dialect(key_path="/user/balance", json="object"),
    "huggingface": Dialect(public=True, families=(ratelimits.ietf,)),
    "gemini": Dialect(counts_streams=False),
    "ollama": Dialect(auth=None, public=True),
    "vllm": Dialect(auth=OPTIONAL),
    "g4f": _G4F,
    "g4f_key": Dialect(**{**_G4F.__dict__, "auth": BEARER}),
}
