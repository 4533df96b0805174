"""Who would be asked next, on the page of a policy."""

from __future__ import annotations

from typing import Any

from django import template

from aggregator.outlook import outlooks
from providers.datasets import DATASETS

register = template.Library()


@register.inclusion_tag("parts/outlook.html")
def outlook(dataset_name: str) -> dict[str, Any]:
    """Every strategy with the order it has now; nothing for a dataset that is no more."""
    dataset = DATASETS.get(dataset_name)
    if dataset is None:
        return {}
    return {"outlooks": outlooks(dataset), "merged": dataset.merged}
