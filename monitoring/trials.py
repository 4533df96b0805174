"""
When a language model is asked for a small answer as a check. It costs quota or money, so each key
has a budget of such answers a day, spread over the day, and none is asked for with a key that a
visitor was answered with.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count, Q

from providers import roster
from providers.adapters.llm import LanguageModel
from providers.datasets.completions import COMPLETION
from providers.models import Call, Credential, Provider

DAY = timedelta(days=1)


def due(provider: Provider, budget: int, now: datetime, purpose: str) -> Credential | None:
    """The first key that is worth a question now; `budget` is answers a day and key."""
    adapter = provider.adapter_class
    if not budget or not issubclass(adapter, LanguageModel) or not adapter.model:
        return None
    answers = Call.objects.filter(provider=provider, dataset=COMPLETION.name)
    for key in roster.current().keys_of(provider):
        recent = Q(at__gt=now - DAY / budget) & (Q(outcome="ok") | Q(purpose=purpose))
        ours = Q(at__gt=now - DAY, purpose=purpose)
        told = answers.filter(credential=key).aggregate(
            recent=Count("pk", filter=recent), ours=Count("pk", filter=ours)
        )
        if not told["recent"] and told["ours"] < budget:
            return key
    return None
