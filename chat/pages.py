"""A turn of a conversation as the page shows it: everything of others is text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from aggregator.shown import is_web
from chat.categories import Category
from chat.facts import ASKED
from chat.models import Feedback, Interaction
from chat.phrasing import number
from chat.shown import told

EXAMPLES = (
    "Price of BTC and ETH",
    "How did Solana do in the past 7 days?",
    "2.5 ETH in EUR",
    "US inflation",
    "Ethereum gas and the latest news",
    "RSI of Bitcoin",
    "What is staking?",
)
ROUTES = {
    "rule": "recognised by a rule",
    "classifier": "recognised by the classifier",
    "llm": "recognised by a language model",
    "clarify": "not recognised",
}


@dataclass(frozen=True)
class Row:
    """A figure of an answer."""

    subject: str
    label: str
    value: str
    unit: str
    at: str
    computed: bool
    source: str
    age_s: float | None


@dataclass(frozen=True)
class Link:
    """A headline, which is of a moment and what somebody reports, or where a text is from."""

    title: str
    url: str
    by: str
    at: str


@dataclass(frozen=True)
class Turn:
    """A question and its answer. `lines` are paragraphs."""

    id: str
    conversation: str
    query: str
    lines: Sequence[str]
    category: str
    route: str
    percent: int
    at: str
    rows: Sequence[Row]
    links: Sequence[Link]
    sources: Sequence[dict[str, Any]]
    suggestions: Sequence[str]
    said: frozenset[str]

    @classmethod
    def of(cls, interaction: Interaction, now: float) -> Turn:
        shown = told(interaction, now)
        facts = shown["data"]
        passages = [fact for fact in facts if fact["kind"] == "passage"]
        # A headline is shown as the link that it is.
        headlines = tuple(
            f"{fact['title']} (" for fact in passages if is_web(fact["url"]) and not fact["text"]
        )
        return cls(
            id=str(interaction.pk),
            conversation=str(interaction.conversation_id),
            query=interaction.query,
            lines=[
                line for line in interaction.answer.splitlines() if not line.startswith(headlines)
            ],
            category=interaction.category.replace("_", " ").lower(),
            route=ROUTES[interaction.route],
            percent=round(100 * interaction.confidence),
            at=f"{interaction.at:%Y-%m-%d %H:%M:%S}",
            rows=[_row(fact) for fact in facts if fact["kind"] == "figure"],
            links=[
                Link(fact["title"], fact["url"], fact["by"] or fact["provider"], _day(fact["at"]))
                for fact in passages
                if is_web(fact["url"])
            ],
            sources=_each_once(shown["sources"]),
            suggestions=shown["suggestions"],
            said=frozenset(item.type for item in interaction.feedback.all()),
        )

    @property
    def thumb(self) -> str:
        return next((t for t in (Feedback.Type.UP, Feedback.Type.DOWN) if t in self.said), "")

    @property
    def is_corrected(self) -> bool:
        return Feedback.Type.CORRECTION in self.said


def _each_once(sources: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of what one provider said to several questions of one kind, the oldest."""
    oldest: dict[tuple[str, str], dict[str, Any]] = {}
    for source in sorted(sources, key=lambda source: -(source["age_s"] or 0.0)):
        provider = source["provider"].replace(",", ", ")  # of several, as feeds are
        oldest.setdefault((provider, source["dataset"]), source | {"provider": provider})
    return list(oldest.values())


def _row(fact: dict[str, Any]) -> Row:
    value = fact["value"]
    return Row(
        subject=fact["subject"],
        label=fact["label"],
        value=number(value) if isinstance(value, Decimal | int) else str(value),
        unit=fact["unit"],
        at=_day(fact["at"]),
        computed=fact["computed"],
        source="your question" if fact["provider"] == ASKED else fact["provider"],
        age_s=fact["age_s"],
    )


def _day(at: str | None) -> str:
    if not at:
        return ""
    moment = datetime.fromisoformat(at)
    return f"{moment:%Y-%m-%d}" if "T" not in at else f"{moment:%Y-%m-%d %H:%M}"


def choices() -> dict[str, Any]:
    """What a correction may say that a question should have been taken for."""
    return {"categories": [(c.value, c.value.replace("_", " ").lower()) for c in Category]}
