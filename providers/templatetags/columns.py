"""Tables of Django's admin, as a screen reader hears them."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

# A column without a name: its head is a cell like any other.
NAMELESS = (
    ('<th class="original"></th>', '<td class="original"></td>'),
    ("<th></th>", "<td></td>"),
)


@register.filter
def without_nameless_heads(html: SafeString) -> SafeString:
    """The same table; what is escaped in it stays so."""
    text = str(html)
    for head, cell in NAMELESS:
        text = text.replace(head, cell)
    return mark_safe(text)  # noqa: S308
