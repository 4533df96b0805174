"""What people say to an answer."""

from __future__ import annotations

from django.db import transaction
from django.utils.timezone import now

from chat.models import Feedback, Interaction

THUMBS = (Feedback.Type.UP, Feedback.Type.DOWN)


def note(
    interaction: Interaction, type: Feedback.Type, text: str = "", category: str = ""
) -> Feedback:
    """Keep it; said again it replaces what was said, and a thumb takes the other one back."""
    with transaction.atomic():
        # One after the other, so that of two thumbs at once one is left.
        Interaction.objects.select_for_update().only("pk").get(pk=interaction.pk)
        if type in THUMBS:
            others = [thumb for thumb in THUMBS if thumb != type]
            Feedback.objects.filter(interaction=interaction, type__in=others).delete()
        kept, _ = Feedback.objects.update_or_create(
            interaction=interaction,
            type=type,
            defaults={"text": text, "category": category, "at": now()},
        )
    return kept
