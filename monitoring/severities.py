"""How grave something is: the words that status pages share, gravest last."""

from __future__ import annotations

from django.db import models


class Severity(models.TextChoices):
    MINOR = "minor", "minor"
    MAJOR = "major", "major"
    CRITICAL = "critical", "critical"


ORDER = tuple(item.value for item in Severity)


def at_least(severity: str, least: str) -> bool:
    return ORDER.index(severity) >= ORDER.index(least)


def gravest(*severities: str) -> str:
    """The gravest of some; minor without any."""
    return max(severities, key=ORDER.index, default=Severity.MINOR.value)
