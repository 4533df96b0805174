"""Keys in the admin: they go in, are used and set aside, and are never shown again."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import now

from providers import roster
from providers.models import Credential, Provider
from providers.secrets import decrypt
from tests.providers.operator import (
    CREDENTIALS,
    PROVIDERS,
    SECRET,
    act,
    credential,
    edit,
    errors_of,
    messages_of,
    text_of,
)
from tests.providers.operator import keyed as keyed
from tests.upstreams import Upstreams

pytestmark = pytest.mark.django_db(transaction=True)


def pages_about_keys(client: Client, provider: Provider) -> Iterator[str]:
    yield client.get(CREDENTIALS).content.decode()
    yield client.get(f"{PROVIDERS}{provider.pk}/change/").content.decode()
    yield client.get(f"{PROVIDERS}{provider.pk}/history/").content.decode()
    for row in Credential.objects.all():
        yield client.get(f"{CREDENTIALS}{row.pk}/change/").content.decode()
        yield client.get(f"{CREDENTIALS}{row.pk}/history/").content.decode()


def test_a_key_goes_in_and_is_never_shown_again(admin_client: Client, keyed: Provider) -> None:
    sent = {
        "provider": keyed.pk,
        "label": "mine",
        "key": f" {SECRET}\n",
        "order": 0,
        "enabled": "on",
    }
    admin_client.post(f"{CREDENTIALS}add/", sent)
    row = Credential.objects.get()
    assert decrypt(row.secret) == SECRET
    for page in pages_about_keys(admin_client, keyed):
        assert SECRET not in page
        assert row.secret not in page
    assert f"set on {now():%Y-%m-%d}" in text_of(admin_client.get(CREDENTIALS))


def test_a_key_is_not_shown_after_an_error_beside_it(admin_client: Client, keyed: Provider) -> None:
    sent = {"provider": keyed.pk, "label": "", "key": SECRET, "order": 0, "enabled": "on"}
    response = admin_client.post(f"{CREDENTIALS}add/", sent)
    assert "label" in errors_of(response)
    assert SECRET not in response.content.decode()


def test_a_key_that_no_header_can_carry_is_refused_and_not_repeated(
    admin_client: Client, keyed: Provider
) -> None:
    bad = "sk-two words-and-é"
    sent = {"provider": keyed.pk, "label": "mine", "key": bad, "order": 0}
    response = admin_client.post(f"{CREDENTIALS}add/", sent)
    assert "one word of plain characters" in str(errors_of(response)["key"])
    assert bad not in html.unescape(response.content.decode())


def test_an_empty_key_keeps_the_one_that_is_stored(admin_client: Client, keyed: Provider) -> None:
    row = credential(keyed)
    edit(admin_client, row, label="renamed", key="")
    row.refresh_from_db()
    assert (row.label, decrypt(row.secret)) == ("renamed", SECRET)


def test_a_new_key_starts_with_a_clean_record(admin_client: Client, keyed: Provider) -> None:
    row = credential(keyed)
    Credential.objects.update(
        set_aside_at=now(), set_aside_reason="HTTP 401", created_at=now() - timedelta(days=9)
    )
    edit(admin_client, row, key="sk-new")
    row.refresh_from_db()
    assert decrypt(row.secret) == "sk-new"
    assert row.set_aside_at is None
    assert row.created_at > now() - timedelta(minutes=1)


def test_keys_are_edited_beside_their_provider(admin_client: Client, keyed: Provider) -> None:
    new = {
        "credentials-TOTAL_FORMS": "1",
        "credentials-0-label": "beside",
        "credentials-0-key": SECRET,
        "credentials-0-order": "0",
        "credentials-0-enabled": "on",
        "credentials-0-provider": str(keyed.pk),
    }
    roster.current()
    edit(admin_client, keyed, **new)
    assert [key.key() for key in roster.current().keys_of(keyed)] == [SECRET]
    for page in pages_about_keys(admin_client, keyed):
        assert SECRET not in page


def test_a_provider_that_takes_no_key_is_not_asked_for_one(
    admin_client: Client, upstreams: Upstreams
) -> None:
    row = upstreams.provider("open")
    assert (
        "credentials-TOTAL_FORMS"
        not in admin_client.get(f"{PROVIDERS}{row.pk}/change/").content.decode()
    )


def test_a_key_set_aside_says_why_and_is_used_again_when_told(
    admin_client: Client, keyed: Provider
) -> None:
    row = credential(keyed)
    Credential.objects.update(set_aside_at=now(), set_aside_reason="HTTP 401")
    assert re.search(r"set aside on .* UTC: HTTP 401", text_of(admin_client.get(CREDENTIALS)))
    assert not roster.current().keys_of(keyed)
    response = act(admin_client, CREDENTIALS, "use_again", row)
    assert messages_of(response) == ["1 key is in use again."]
    assert roster.current().keys_of(keyed) == [row]


def test_one_key_is_tested_and_not_its_neighbour(
    admin_client: Client, keyed: Provider, upstreams: Upstreams
) -> None:
    good, bad = credential(keyed, "good", order=2), credential(keyed, "bad", order=1)
    bad.set_key("sk-wrong")
    bad.save()
    (said,) = messages_of(act(admin_client, CREDENTIALS, "test_keys", good))
    assert re.fullmatch(r"keyed with 'good': answered in \d+ ms\.", said)
    assert [asked.key for asked in upstreams.asked] == [SECRET]
    (said,) = messages_of(act(admin_client, CREDENTIALS, "test_keys", bad))
    assert "key 'bad' was refused" in said
    assert "sk-wrong" not in said
    bad.refresh_from_db()
    assert bad.set_aside_at


def test_a_key_that_cannot_be_decrypted_is_told_apart(
    admin_client: Client, keyed: Provider
) -> None:
    row = credential(keyed)
    Credential.objects.update(secret="damaged")
    (said,) = messages_of(act(admin_client, CREDENTIALS, "test_keys", row))
    assert "cannot be decrypted" in said
