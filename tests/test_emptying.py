"""What a test committed is gone after it, and what a migration brought is there again."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django_q.models import Schedule

from providers.models import Asset, Provider
from tests.emptying import Fresh

pytestmark = pytest.mark.django_db(transaction=True)


def everything() -> dict[str, list[dict[str, Any]]]:
    models = apps.get_models(include_auto_created=True)
    return {m._meta.db_table: list(m._base_manager.order_by("pk").values()) for m in models}


def test_a_database_is_as_a_migration_left_it(django_db_setup: Fresh) -> None:
    before = everything()
    Provider.objects.create(slug="kraken", title="Kraken", adapter_name="kraken")
    Schedule.objects.all()[0].delete()
    Schedule.objects.update(minutes=77)
    assert everything() != before
    django_db_setup.restore()
    assert everything() == before
    assert Schedule.objects.count() > 1
    assert Permission.objects.count() > 100


def test_it_is_emptied_of_the_whole_catalogue(shipped: None, django_db_setup: Fresh) -> None:
    assert Asset.objects.count() > 100
    django_db_setup.restore()
    assert not Asset.objects.exists()
    Schedule.objects.create(name="new", func="math.sqrt", minutes=1)  # in nobody's place
