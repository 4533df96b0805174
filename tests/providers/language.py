"""Every provider of language models of the catalogue, before the sandbox that plays them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from providers import catalogue, roster
from providers.datasets.completions import CompletionQuery, Message
from providers.models import Credential, Provider
from providers.resilience import Deadline
from providers.sandbox.faults import Rule
from providers.sandbox.sandbox import Sandbox
from providers.sandbox.server import running

ENTRIES = [e for e in catalogue.load().providers if e.category == "llm"]
ROWS = [e.slug for e in ENTRIES if e.adapter != "retired"]
RETIRED = [e.slug for e in ENTRIES if e.adapter == "retired"]
KEY = "sandbox-throw-away"
WIDE = [{"limit": 10000, "per_s": 60, "scope": "key"}]
FACTS = "Facts:\n- Bitcoin costs 86106.50 USD\n- It rose 2.1 percent\nPhrase them."


def asked(text: str = FACTS, **more: Any) -> CompletionQuery:
    return CompletionQuery(messages=(Message("user", text),), **more)


def patience() -> Deadline:
    return Deadline(10)


class Hosts:
    """The sandbox, and rows with a key each."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def row(self, slug: str, *, key: str = KEY, **fields: Any) -> Provider:
        """The row of the catalogue, switched on, with a key where it takes one."""
        fields.setdefault("limits", WIDE if slug not in ("ollama", "vllm") else [])
        Provider.objects.filter(slug=slug).update(enabled=True, **fields)
        row = Provider.objects.get(slug=slug)
        if key and row.adapter_class.auth is not None and not row.credentials.exists():
            self.key(row, "one", key)
        roster.forget()
        return row

    def key(self, row: Provider, label: str, key: str) -> Credential:
        made = Credential(provider=row, label=label)
        made.set_key(key)
        made.save()
        roster.forget()
        return made

    def spoil(self, row: Provider, fault: str, times: int | None = None) -> None:
        host = row.address.split("://")[1].split("/")[0]
        self.sandbox.rules.add(Rule(host, fault, times=times))


@contextmanager
def hosts(settings: Any) -> Iterator[Hosts]:
    sandbox = Sandbox()
    with running(sandbox) as url:
        settings.SANDBOX_URL = url
        Provider.objects.bulk_create(
            Provider(slug=entry.slug, **{**entry.row(), "enabled": False}) for entry in ENTRIES
        )
        yield Hosts(sandbox)
