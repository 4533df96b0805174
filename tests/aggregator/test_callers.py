"""Who is asking: keys, addresses, and how soon an edit is obeyed."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import RequestFactory, override_settings
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.request import Request

from aggregator import beat, callers
from aggregator.api.clients import ClientKeyAuthentication
from aggregator.api.throttles import ClientThrottle
from aggregator.callers import Caller, ClientDisabled, Unauthorized
from aggregator.models import Client
from providers.errors import Overloaded


@pytest.fixture
def client(db: None) -> tuple[Client, str]:
    row = Client(name="a program", per_minute=7)
    key = row.new_key()
    row.save()
    return row, key


def obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    """So much later that the clients are read anew."""
    now = callers._clients.clock()
    monkeypatch.setattr(callers._clients, "clock", lambda: now + callers.CLIENTS_S)
    callers.reload()


def test_a_client_is_known_by_its_key_alone(client: tuple[Client, str]) -> None:
    row, key = client
    callers.reload()
    assert callers.identify(key) == Caller(f"client:{row.pk}", 7)
    for wrong in (key[:-1], key.upper(), "agg_", row.key_hash, row.key_hint, "ключ"):
        with pytest.raises(Unauthorized):
            callers.identify(wrong)


def test_an_edit_is_obeyed_at_the_next_beat(
    client: tuple[Client, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    row, key = client
    callers.reload()
    assert callers.CLIENTS_S < beat.EVERY_S  # else every other beat would see nothing new
    Client.objects.filter(pk=row.pk).update(enabled=False)
    newcomer = Client(name="another")
    new_key = newcomer.new_key()
    newcomer.save()
    obeyed(monkeypatch)
    with pytest.raises(ClientDisabled):
        callers.identify(key)
    assert callers.identify(new_key).per_minute == 600


def test_a_key_that_was_seen_is_judged_anew_with_the_rows(
    client: tuple[Client, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    row, key = client
    headers = {b"x-api-key": key.encode()}
    callers.reload()
    for _ in range(2):
        assert callers.of_request({"headers": [*headers.items()]}, headers).per_minute == 7
    Client.objects.filter(pk=row.pk).update(enabled=False)
    obeyed(monkeypatch)
    with pytest.raises(ClientDisabled):
        callers.of_request({"headers": [*headers.items()]}, headers)


def test_only_good_keys_are_kept_as_they_came(client: tuple[Client, str]) -> None:
    callers.reload()
    clients = callers._clients.peek()
    for sent in (b"agg_no", b" " + client[1].encode(), client[1].encode()):
        with suppress(Unauthorized):
            callers.of_request({"headers": []}, {b"x-api-key": sent})
    assert clients is not None
    assert [*clients.seen] == [client[1].encode()]


def test_identifying_never_touches_the_database(
    client: tuple[Client, str], monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    _, key = client
    with pytest.raises(Overloaded):
        callers.identify(key)
    callers.reload()
    now = callers._clients.clock()
    monkeypatch.setattr(callers._clients, "clock", lambda: now + 3600)
    with django_assert_num_queries(0):
        callers.identify(key)


def test_a_dead_database_does_not_lock_clients_out(
    client: tuple[Client, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, key = client
    callers.reload()

    def dead() -> Any:
        raise DatabaseError

    monkeypatch.setattr(callers._clients, "load", dead)
    obeyed(monkeypatch)
    assert callers.identify(key).per_minute == 7
    callers.forget()
    callers.reload()
    with pytest.raises(Overloaded):
        callers.identify(key)


# -- Addresses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("", ""),
        ("unknown", ""),
        ("203.0.113.9, 10.0.0.1", ""),
    ],
)
def test_an_address_stands_for_its_site(address: str, site: str) -> None:
    assert callers.site_of(address) == site


@given(forwarded=st.text(max_size=60))
def test_without_a_proxy_of_ours_nobodys_word_counts(forwarded: str) -> None:
    assert callers.address_of("203.0.113.9", forwarded) == "203.0.113.9"


@given(invented=st.lists(st.ip_addresses(v=4).map(str), max_size=4), hops=st.integers(1, 3))
def test_what_the_caller_wrote_himself_never_counts(invented: list[str], hops: int) -> None:
    proxies = [f"198.51.100.{n}" for n in range(hops)]
    with override_settings(TRUSTED_PROXY_HOPS=hops):
        found = callers.address_of("10.0.0.1", ",".join([*invented, *proxies]))
        assert found == proxies[0]


@pytest.mark.parametrize("forwarded", ["", "unknown", "198.51.100.1, what?", "1.2.3"])
def test_a_proxy_that_names_no_address_leaves_us_its_own(forwarded: str, settings: Any) -> None:
    settings.TRUSTED_PROXY_HOPS = 1
    assert callers.address_of("10.0.0.1", forwarded) == "10.0.0.1"


# -- Django on its own -----------------------------------------------------------------------


def asked(**environ: Any) -> Request:
    return Request(RequestFactory().get("/api/market", **environ))


@pytest.mark.parametrize("header", ["HTTP_X_API_KEY", "HTTP_AUTHORIZATION"])
def test_django_judges_like_the_edge(client: tuple[Client, str], header: str) -> None:
    row, key = client
    said = {header: key if header == "HTTP_X_API_KEY" else f"bearer {key}"}
    user, caller = ClientKeyAuthentication().authenticate(asked(**said))
    assert (user.is_anonymous, caller.name) == (True, f"client:{row.pk}")
    with pytest.raises(Unauthorized):
        ClientKeyAuthentication().authenticate(asked(HTTP_X_API_KEY="agg_wrong"))
    _, anybody = ClientKeyAuthentication().authenticate(asked(REMOTE_ADDR="203.0.113.9"))
    assert anybody.name == "address:203.0.113.9"


@pytest.mark.django_db
def test_what_the_edge_admitted_is_neither_judged_nor_counted_again() -> None:
    caller = Caller("client:9", 1)
    for _ in range(3):
        request = asked(**{callers.ADMITTED: caller, "HTTP_X_API_KEY": "agg_wrong"})
        _, request.auth = ClientKeyAuthentication().authenticate(request)
        assert request.auth is caller
        assert ClientThrottle().allow_request(request, None)


@pytest.mark.django_db
def test_what_came_another_way_is_counted() -> None:
    def allowed() -> bool:
        request = asked()
        request.auth = Caller("client:9", 1)
        return ClientThrottle().allow_request(request, None)

    assert [allowed(), allowed()] == [True, False]
