"""
Rows for a gateway of a test's or benchmark's own: providers, the stub's coins, clients.

`python -m tests.bench.seed JSON` in that gateway's environment; see `house.house`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django

from tests.bench import upstream


def main(wanted: dict[str, Any]) -> None:
    django.setup()
    from django.core.management import call_command

    from aggregator.management.commands import start
    from aggregator.models import Client, hash_key
    from providers.models import Asset, Listing, Policy, Provider

    call_command("migrate", verbosity=0)
    start.collect_static()
    for priority, provider in enumerate(reversed(wanted["providers"])):
        Provider.objects.create(
            title=provider["slug"], adapter_name="coingecko", priority=priority, **provider
        )
    for dataset, policy in wanted["policies"].items():
        Policy.objects.update_or_create(dataset=dataset, defaults=policy)
    assets = Asset.objects.bulk_create(
        Asset(slug=f"coin-{n}", symbol=upstream.symbol(n), name=f"Coin {n}", order=n)
        for n in range(upstream.COINS)
    )
    Listing.objects.bulk_create(
        Listing(asset=asset, adapter_name="coingecko", external_id=asset.slug) for asset in assets
    )
    for name, client in wanted["clients"].items():
        key = client.pop("key")
        Client.objects.create(name=name, key_hash=hash_key(key), key_hint=key[:10], **client)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
