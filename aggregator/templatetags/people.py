"""Filters for the pages people see."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.conf import settings
from django.template import Context
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe

from aggregator import figures, shown
from providers import wording

register = template.Library()

MOST_COLOURED = 200_000  # characters; beyond it the colours cost more than they help

_JSON = re.compile(
    r'(?P<text>"(?:[^"\\]|\\.)*")(?P<colon>\s*:)?|(?P<word>\b(?:true|false|null)\b)'
    r"|(?P<number>-?\d[\d.eE+-]*)"
)


@register.inclusion_tag("parts/sandbox.html", takes_context=True)
def sandbox_banner(context: Context) -> dict[str, Any]:
    """On every page, also on those that are rendered without context processors."""
    return {"sandbox": settings.SANDBOX, "is_admin": context.get("has_permission", False)}


@register.filter
def number(value: Decimal | int | None) -> str:
    return figures.NOTHING if value is None else figures.number(value)


@register.filter
def large(value: Decimal | int | None) -> str:
    return figures.NOTHING if value is None else figures.large(value)


@register.filter
def share(value: Decimal | int | None) -> str:
    return figures.NOTHING if value is None else figures.share(value)


@register.filter
def per_cent(part: float | None) -> str:
    """Of a part from 0 to 1."""
    return figures.NOTHING if part is None else f"{100 * part:.0f} %"


@register.filter
def change(value: Decimal | None) -> SafeString:
    """A change in percent: sign and direction say what the colour says."""
    if value is None:
        return format_html('<span class="muted">{}</span>', figures.NOTHING)
    way = "up" if value > 0 else "down" if value < 0 else "flat"
    return format_html('<span class="{}">{}</span>', way, figures.percent(value))


@register.filter
def span(seconds: float | None) -> str:
    return figures.NOTHING if seconds is None else wording.span(seconds)


@register.filter
def at_utc(seconds: float) -> str:
    """A Unix time, to the minute."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


@register.filter
def choices_of(spec: Any, changelist: Any) -> list[dict[str, Any]]:
    """What a filter of the admin offers, in the list it belongs to."""
    # A link needs words: rows that have no category are to be found, too.
    return [
        choice | {"display": choice["display"] or "none"} for choice in spec.choices(changelist)
    ]


@register.filter
def is_web(value: str) -> bool:
    return shown.is_web(value)


@register.filter
def fee(value: Decimal | None) -> str:
    return figures.NOTHING if value is None else figures.fee(value)


@register.filter
def ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"


@register.filter
def words(code: str) -> str:
    """A status as a word: `rate_limited` is 'rate limited'."""
    return str(code).replace("_", " ")


@register.filter
def outcome(code: str) -> str:
    return wording.outcome(code)


@register.filter
def age(seconds: float | None) -> SafeString | str:
    """How old something is, in an element that `ages.js` keeps counting."""
    if seconds is None:
        return figures.NOTHING
    return format_html('<span data-age="{}">{}</span>', f"{seconds:.1f}", figures.ago(seconds))


@register.filter
def coloured(text: str) -> SafeString:
    """JSON with its names, texts and numbers marked for the style sheet; everything is escaped."""
    if len(text) > MOST_COLOURED:
        return conditional_escape(text)
    parts: list[str] = []
    end = 0
    for match in _JSON.finditer(text):
        parts.append(escape(text[end : match.start()]))
        parts.append(_marked(match))
        end = match.end()
    parts.append(escape(text[end:]))
    return mark_safe("".join(parts))  # noqa: S308 (each part is escaped above)


def _marked(match: re.Match[str]) -> str:
    groups: dict[str, Any] = match.groupdict()
    if groups["colon"]:
        return f'<span class="j-name">{escape(groups["text"])}</span>{groups["colon"]}'
    kind = next(name for name in ("text", "word", "number") if groups[name])
    return f'<span class="j-{kind}">{escape(match.group())}</span>'
