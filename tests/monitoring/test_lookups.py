"""`among` finds what `in` finds, by one parameter, on every database."""

from __future__ import annotations

import pytest
from django.utils.timezone import now

from monitoring import roll
from monitoring.models import Endpoint, StateChange
from tests.upstreams import Upstreams

pytestmark = pytest.mark.django_db(transaction=True)


def test_among_is_in(upstreams: Upstreams) -> None:
    for slug in "abc":
        upstreams.provider(slug)
    roll.sync()
    keys = list(Endpoint.objects.values_list("pk", flat=True))
    for pk in keys:
        StateChange.objects.create(endpoint_id=pk, status="healthy", began_at=now())
    rows = StateChange.objects.order_by("pk")
    for some in ([], keys[:1], keys[1:], keys, [*keys, 0, -7, 2**40]):
        among = rows.filter(endpoint__among=some)
        assert list(among) == list(rows.filter(endpoint__in=some))
        assert not set(among) & set(rows.exclude(endpoint__among=some))
        assert len(among) == len(set(some) & set(keys))


def test_it_is_one_parameter_however_many_there_are() -> None:
    _, params = StateChange.objects.filter(endpoint__among=range(500)).query.sql_with_params()
    assert len(params) == 1
