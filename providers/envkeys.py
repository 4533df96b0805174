"""
Keys that stand in environment variables, beside those an administrator entered.

A variable is for the providers whose rows name it (`key_env`, as the catalogue says). Its key has
a row without a secret, so that it is ordered, switched off, counted and set aside like any other,
by all processes; the key itself never leaves the environment. Entered keys come first.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db import transaction

from providers.models import Credential, Provider
from providers.secrets import fingerprint

logger = logging.getLogger(__name__)

AFTER_ENTERED = 1000  # where the order of these begins; an administrator may change it


def in_order(providers: Iterable[Provider]) -> list[Credential]:
    """Every key there is to use, switched off and set aside or not, as they are tried."""
    found = _rows()
    if settings.PROVIDER_KEYS and _enter(providers, found):
        found = _rows()
    return _usable(found)


def _rows() -> list[Credential]:
    return list(Credential.objects.select_related("provider"))


def _enter(providers: Iterable[Provider], found: Sequence[Credential]) -> bool:
    """Give every variable that is set its rows; was there anything to do?"""
    known = {(row.provider_id, row.env_name): row for row in found if row.env_name}
    new: list[Credential] = []
    changed: list[Credential] = []
    for provider in providers:
        for place, name in enumerate(provider.key_env):
            if not (key := settings.PROVIDER_KEYS.get(name)):
                continue
            row = known.get((provider.pk, name))
            if row is None:
                label, order = f"{name} (environment)", AFTER_ENTERED + place
                new.append(Credential(provider=provider, label=label, env_name=name, order=order))
            elif row.fingerprint != fingerprint(key):
                changed.append(row)
    for row in (*new, *changed):
        row.fingerprint = fingerprint(settings.PROVIDER_KEYS[row.env_name])
        row.start_clean()
    if new or changed:
        _write(new, changed)
    return bool(new or changed)


def _write(new: list[Credential], changed: list[Credential]) -> None:
    with transaction.atomic():
        # Another process may have been quicker.
        Credential.objects.bulk_create(new, ignore_conflicts=True)
        for row in changed:
            row.save()
    for row in changed:
        row.guard.reset()
        logger.info("%s: another key stands in %s", row.provider, row.env_name)


def _usable(found: Sequence[Credential]) -> list[Credential]:
    """Without those whose variable is empty, or holds a key that is here already."""
    seen: set[tuple[int, str]] = set()
    usable = []
    # A key that was entered is that, also where somebody had its variable tried before it.
    entered = {(row.provider_id, row.fingerprint) for row in found if not row.env_name}
    for row in found:
        own = (row.provider_id, row.fingerprint)
        if row.env_name and (not is_set(row) or own in seen | entered):
            continue
        seen.add(own)
        usable.append(row)
    return usable


def is_set(row: Credential) -> bool:
    """Does the variable hold the very key that this row stands for?"""
    key = settings.PROVIDER_KEYS.get(row.env_name)
    return key is not None and row.fingerprint == fingerprint(key)
