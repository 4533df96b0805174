"""What an operator may see and do about providers; and what the admin never shows."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from providers import calls, roster
from providers.admin import faults, testing
from providers.admin.edits import BoundedPaginator
from providers.datasets import GasQuery, MarketQuery
from providers.errors import Unreachable
from providers.models import Asset, Call, Cell, Credential, Listing, Policy, Provider
from providers.overview import providers_now
from providers.resilience import Phase
from providers.secrets import decrypt
from tests.upstreams import Better, Keyed, Said, Upstreams, status

pytestmark = pytest.mark.django_db(transaction=True)

PROVIDERS = "/admin/providers/provider/"
CREDENTIALS = "/admin/providers/credential/"
SECRET = "sk-0123456789-never-to-be-seen"


def text_of(page: Any) -> str:
    found = page.content.decode() if hasattr(page, "content") else page
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found)).split())


def act(client: Client, url: str, action: str, *rows: Any, **more: Any) -> Any:
    chosen = [row.pk for row in rows]
    data = {"action": action, "_selected_action": chosen, **more}
    return client.post(url, data, follow=True)


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def form_of(client: Client, url: str) -> dict[str, Any]:
    """What a browser would send back if nothing were changed."""
    response = client.get(url)
    forms = [response.context["adminform"].form]
    for inline in response.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    data: dict[str, Any] = {}
    for form in forms:
        for bound in form:
            value = bound.field.prepare_value(bound.value()) if bound.value() is not None else ""
            if value is not False:
                data[bound.html_name] = "on" if value is True else value
    return data


def edit(client: Client, row: Any, **changes: Any) -> Any:
    url = reverse(f"admin:providers_{row._meta.model_name}_change", args=[row.pk])
    return client.post(url, form_of(client, url) | changes, follow=True)


def errors_of(response: Any) -> dict[str, Any]:
    found: dict[str, Any] = dict(response.context["adminform"].form.errors)
    return found


def credential(provider: Provider, label: str = "first", **fields: Any) -> Credential:
    row = Credential(provider=provider, label=label, **fields)
    row.set_key(SECRET)
    row.save()
    return row


A_DAY: list[dict[str, Any]] = [{"limit": 100, "per_s": 86400, "scope": "key"}]

# -- The list --------------------------------------------------------------------------------


def test_the_list_shows_how_each_provider_is_now(
    admin_client: Client, upstreams: Upstreams
) -> None:
    upstreams.provider("well", priority=3)
    upstreams.provider("tired", priority=2)
    upstreams.provider("quiet", priority=1)
    upstreams.provider("off", priority=0, enabled=False)
    upstreams.play["tired"] = status(429, retry_after=90)
    _try(*Provider.objects.filter(slug__in=["well", "tired"]))
    roster.forget()
    page = text_of(admin_client.get(PROVIDERS))
    assert re.search(r"well well healthy answers closed – 100\.0 % \d+ ms", page)
    assert re.search(r"tired tired rate limited .*? open, rests 1 min \d+ s more", page)
    assert "quiet quiet unknown not asked in the last 24 hours closed" in page
    assert "off off disabled switched off" in page


def _try(*rows: Provider) -> None:
    from providers.admin.testing import attempt

    for row in rows:
        attempt(row)
    calls.flush()


def test_a_provider_of_a_missing_adapter_is_shown_for_what_it_is(admin_client: Client) -> None:
    row = Provider.objects.create(slug="lost", title="Lost", adapter_name="gone")
    assert "lost Lost misconfigured names an adapter that does not exist" in text_of(
        admin_client.get(PROVIDERS)
    )
    assert "gone (does not exist)" in text_of(admin_client.get(f"{PROVIDERS}{row.pk}/change/"))


@pytest.mark.parametrize(
    ("url", "make", "most"),
    [
        (PROVIDERS, lambda n: _provider(n), 16),
        (CREDENTIALS, lambda n: credential(_provider(n, limits=A_DAY)), 10),
        ("/admin/providers/call/", lambda n: _call(n), 8),
        ("/admin/providers/asset/", lambda n: _asset(n), 6),
        ("/admin/providers/policy/", lambda n: None, 6),
        ("/admin/providers/cell/", lambda n: _cell(n), 6),
    ],
)
def test_a_list_costs_the_same_few_queries_however_long_it_is(
    admin_client: Client,
    django_assert_max_num_queries: Any,
    url: str,
    make: Callable[[int], Any],
    most: int,
) -> None:
    for count in (1, 12):
        for n in range(count):
            make(100 * count + n)
        roster.forget()
        with django_assert_max_num_queries(most):
            assert admin_client.get(url).status_code == 200


def _provider(n: int, **fields: Any) -> Provider:
    return Provider.objects.create(slug=f"p{n}", title=f"P {n}", adapter_name="kraken", **fields)


def _call(n: int, **fields: Any) -> Call:
    values = {"dataset": "market", "outcome": "ok", "seconds": 0.1} | fields
    return Call.objects.create(provider=_provider(n), **values)


def _asset(n: int) -> None:
    row = Asset.objects.create(slug=f"a{n}", symbol=f"A{n}", name=f"A {n}")
    Listing.objects.create(asset=row, adapter_name="kraken", external_id=f"A{n}/USD")


def _cell(n: int) -> None:
    Cell.objects.create(key=f"c{n}", value="{}", version=1, expires_at=time.time() + 60)


def test_a_priority_edited_in_the_list_is_obeyed_at_once(
    admin_client: Client, upstreams: Upstreams
) -> None:
    first = upstreams.provider("first", priority=90)
    second = upstreams.provider("second", priority=10)
    assert [row.slug for row in roster.current().providers] == ["first", "second"]
    sent = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2, "_save": "Save"}
    for n, (row, priority) in enumerate(((first, 5), (second, 10))):
        sent |= {f"form-{n}-id": row.pk, f"form-{n}-priority": priority, f"form-{n}-enabled": "on"}
    admin_client.post(PROVIDERS, sent)
    assert [row.slug for row in roster.current().providers] == ["second", "first"]


# -- Actions ---------------------------------------------------------------------------------


def test_a_test_tells_how_each_provider_answered(
    admin_client: Client, upstreams: Upstreams
) -> None:
    rows = [upstreams.provider(slug) for slug in ("well", "broken", "slow", "gone")]
    upstreams.play["broken"] = status(503)
    upstreams.play["slow"] = upstreams.hang
    Provider.objects.filter(slug="slow").update(timeout_s=0.2)
    Provider.objects.filter(slug="gone").update(base_url="http://127.0.0.1:9/")
    said = {
        line.split(":")[0]: line
        for line in messages_of(act(admin_client, PROVIDERS, "test_now", *rows))
    }
    assert re.fullmatch(r"well: answered in \d+ ms\.", said["well"])
    assert said["broken"].startswith("broken: answered with an error of its own (HTTP 503).")
    assert said["slow"].startswith("slow: did not answer in time")
    assert said["gone"].startswith("gone: could not be reached")
    assert set(Call.objects.values_list("purpose", flat=True)) == {"test"}


def test_a_test_of_a_resting_provider_does_not_disturb_it(
    admin_client: Client, upstreams: Upstreams
) -> None:
    row = upstreams.provider("tired")
    upstreams.play["tired"] = status(429, retry_after=90)
    _try(row)
    asked = len(upstreams.asked)
    (said,) = messages_of(act(admin_client, PROVIDERS, "test_now", row))
    assert said.startswith("tired: rests after failures, and was not asked (throttled).")
    assert "asked again in 1 min" in said
    assert len(upstreams.asked) == asked


@pytest.mark.parametrize(("per_s", "pauses"), [(2, 1), (600, 0)])
def test_a_test_waits_for_a_budget_that_is_spent_for_the_moment(
    upstreams: Upstreams, per_s: int, pauses: int
) -> None:
    row = upstreams.provider("busy", limits=[{"limit": 1, "per_s": per_s}])
    _try(row)
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        row.guard.reset()

    _, said = testing.attempt(row, sleep=pause)
    assert len(waited) == pauses
    assert ("answered in" in said) == bool(pauses), said


def test_a_reset_closes_the_circuit_of_the_provider_and_of_its_keys(
    admin_client: Client, upstreams: Upstreams
) -> None:
    row = upstreams.provider("tired", Better, limits=[{"limit": 9, "per_s": 60, "scope": "key"}])
    key = credential(row)
    for guard in (row.guard, key.guard):
        with pytest.raises(Unreachable), guard.admit():
            raise Unreachable
        assert guard.phase(guard.standing()) is Phase.OPEN
    act(admin_client, PROVIDERS, "reset_circuit", row)
    for guard in (row.guard, key.guard):
        assert guard.phase(guard.standing()) is Phase.CLOSED
    assert LogEntry.objects.get().change_message == "Reset the circuit."


def test_providers_are_switched_on_and_off(admin_client: Client, upstreams: Upstreams) -> None:
    rows = [upstreams.provider("a"), upstreams.provider("b")]
    roster.current()
    response = act(admin_client, PROVIDERS, "disable", *rows)
    assert messages_of(response) == ["2 providers disabled."]
    assert [item.status for item in providers_now()] == ["disabled", "disabled"]
    act(admin_client, PROVIDERS, "enable", rows[0])
    assert roster.current().offering(MarketQuery.dataset) == [rows[0]]
    assert LogEntry.objects.count() == 3


def test_who_may_only_look_is_offered_no_action(client: Client, upstreams: Upstreams) -> None:
    row = upstreams.provider("a")
    user = User.objects.create_user("looker", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_provider"))
    client.force_login(user)
    assert client.get(PROVIDERS).status_code == 200
    act(client, PROVIDERS, "disable", row)
    row.refresh_from_db()
    assert row.enabled


# -- The page of one provider ----------------------------------------------------------------


def test_the_page_shows_its_standing_and_its_last_twenty_calls(
    admin_client: Client, upstreams: Upstreams
) -> None:
    row = upstreams.provider("alpha")
    for n in range(25):
        Call.objects.create(
            provider=row,
            dataset="market",
            outcome="ok",
            seconds=0.1,
            rows=1000 + n,
            at=now() - timedelta(minutes=n),
        )
    page = text_of(admin_client.get(f"{PROVIDERS}{row.pk}/change/"))
    assert "Now Status healthy answers Circuit closed" in page
    assert "Key takes none" in page
    assert "1000 visitor" in page
    assert "1019 visitor" in page
    assert "1020 visitor" not in page


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        (
            "limits",
            '[{"limit": 30, "per_s": 60]',
            "This is not JSON: Expecting ',' delimiter in line 1",
        ),
        ("limits", "[{'limit': 30, 'per_s': 60}]", "double quotes"),
        ("limits", '{"limit": 30}', "list of windows"),
        ("limits", '[{"limit": 30}]', "'per_s'"),
        ("limits", '[{"limit": NaN, "per_s": 60}]', "NaN is no number of JSON"),
        ("limits", '[{"limit": 1, "per_s": 1, "scope": "moon"}]', "scope is one of"),
        ("limits", "[" * 5000, "This is not JSON"),
        ("rests_s", "[5, -1]", "list of seconds"),
        ("throttle_rests_s", '"soon"', "list of seconds"),
        ("timeout_s", "0", "greater than or equal to 0.1"),
        ("priority", "101", "less than or equal to 100"),
        ("block_rest_s", "-1", "not below 0"),
        ("adapter_name", "gone", "Select a valid choice"),
    ],
)
def test_an_edit_that_makes_no_sense_is_refused_in_words(
    admin_client: Client, upstreams: Upstreams, field: str, value: str, said: str
) -> None:
    row = upstreams.provider("alpha")
    response = edit(admin_client, row, **{field: value})
    assert said in " ".join(errors_of(response)[field])
    assert html.escape(value)[:80] in response.content.decode()


def test_an_edit_is_kept_and_obeyed(admin_client: Client, upstreams: Upstreams) -> None:
    row = upstreams.provider("alpha")
    roster.current()
    edit(admin_client, row, limits='[{"limit": 30, "per_s": 60, "burst": 5}]', timeout_s="1.5")
    (obeyed,) = roster.current().providers
    assert obeyed.limits == [{"limit": 30, "per_s": 60, "burst": 5}]
    assert obeyed.timeout_s == 1.5


def test_an_untouched_form_changes_nothing(admin_client: Client, upstreams: Upstreams) -> None:
    row = upstreams.provider(
        "alpha", limits=[{"limit": 1, "per_s": 10, "source": "https://x.example"}]
    )
    before = Provider.objects.filter(pk=row.pk).values().get()
    edit(admin_client, row)
    assert Provider.objects.filter(pk=row.pk).values().get() == before
    assert LogEntry.objects.get().get_change_message() == "No fields changed."


def test_the_name_of_a_provider_stays(admin_client: Client, upstreams: Upstreams) -> None:
    row = upstreams.provider("alpha")
    edit(admin_client, row, slug="omega")
    row.refresh_from_db()
    assert row.slug == "alpha"


def test_save_and_test_tests_what_was_saved(admin_client: Client, upstreams: Upstreams) -> None:
    row = upstreams.provider("alpha")
    Provider.objects.update(base_url="http://127.0.0.1:9/")
    response = edit(admin_client, row, base_url=f"{upstreams.url}/alpha", _test="1")
    assert re.fullmatch(r"alpha: answered in \d+ ms\.", messages_of(response)[0])
    assert response.redirect_chain[-1][0] == f"{PROVIDERS}{row.pk}/change/"


def test_save_and_reset_closes_the_circuit(admin_client: Client, upstreams: Upstreams) -> None:
    row = upstreams.provider("tired")
    upstreams.play["tired"] = status(503)
    _try(row)
    edit(admin_client, row, _reset="1")
    assert row.guard.phase(row.guard.standing()) is Phase.CLOSED


def test_deleting_counts_the_calls_instead_of_listing_them(
    admin_client: Client, upstreams: Upstreams
) -> None:
    row = upstreams.provider("alpha")
    for _ in range(3):
        Call.objects.create(provider=row, dataset="market", outcome="ok", seconds=0.1)
    roster.current()
    page = text_of(admin_client.get(f"{PROVIDERS}{row.pk}/delete/"))
    assert "calls: 3" in page.lower()
    admin_client.post(f"{PROVIDERS}{row.pk}/delete/", {"post": "yes"})
    assert roster.current().providers == []
    assert not Call.objects.exists()


# -- Keys ------------------------------------------------------------------------------------


@pytest.fixture
def keyed(upstreams: Upstreams) -> Provider:
    """A provider whose upstream knows one key."""
    row = upstreams.provider("keyed", Keyed)
    upstreams.play["keyed"] = lambda asked: Said(200 if asked.key == SECRET else 401)
    return row


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


# -- The other rows --------------------------------------------------------------------------


def test_a_policy_says_what_it_does(admin_client: Client) -> None:
    row = Policy.objects.create(dataset="market", fresh_s=90)
    for url in ("/admin/providers/policy/", f"/admin/providers/policy/{row.pk}/change/"):
        assert "An answer is served for 1 min 30 s without asking again" in text_of(
            admin_client.get(url)
        )
    roster.current()
    edit(admin_client, row, fresh_s="5")
    assert roster.current().policies["market"].fresh_s == 5


def test_an_asset_is_edited_with_what_providers_call_it(admin_client: Client) -> None:
    row = Asset.objects.create(slug="bitcoin", symbol="BTC", name="Bitcoin")
    Listing.objects.create(asset=row, adapter_name="kraken", quote="USD", external_id="XXBTZUSD")
    assert roster.listings("kraken").find("BTC", ("USD",)) == ("XXBTZUSD", "USD")
    edit(admin_client, row, **{"listings-0-external_id": "BTC/USD"})
    assert roster.listings("kraken").find("BTC", ("USD",)) == ("BTC/USD", "USD")
    assert "BTC Bitcoin crypto bitcoin - 1" in text_of(
        admin_client.get("/admin/providers/asset/?q=btc")
    )


def test_calls_are_found_by_how_they_went(admin_client: Client) -> None:
    _call(1, outcome="timed_out", detail="one of them")
    _call(2, outcome="ok", detail="another")
    page = text_of(admin_client.get("/admin/providers/call/?outcome=timed_out"))
    assert "one of them" in page
    assert "another" not in page


@pytest.mark.parametrize("url", ["/admin/providers/call/", "/admin/providers/cell/"])
def test_the_books_are_only_read(admin_client: Client, url: str) -> None:
    assert admin_client.get(f"{url}add/").status_code == 403
    row = _call(1)
    response = admin_client.post(f"/admin/providers/call/{row.pk}/change/", {"outcome": "ok"})
    assert response.status_code == 403


def test_a_huge_table_is_not_counted_to_its_end(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedPaginator, "MOST", 3)
    for n in range(6):
        _call(n)
    response = admin_client.get("/admin/providers/call/")
    assert response.context["cl"].result_count == 3


def test_cells_are_for_superusers(client: Client) -> None:
    user = User.objects.create_user("operator", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    client.force_login(user)
    assert client.get("/admin/providers/cell/").status_code == 403
    assert "/admin/providers/cell/" not in client.get("/admin/").content.decode()
    assert client.get("/admin/providers/provider/").status_code == 200


# -- The sandbox's page ----------------------------------------------------------------------


class Sandbox:
    """Its control endpoints, in memory."""

    def __init__(self) -> None:
        self.faults: list[dict[str, Any]] = []

    def ask(self, method: str, path: str = "", document: Any = None) -> Any:
        if method == "POST":
            if document["fault"] == "earthquake":
                raise faults.Refused("no fault is called 'earthquake'")
            self.faults.append({"path": "", "times": None} | document)
        elif method == "DELETE":
            self.faults.clear()
        counts = {"api.kraken.com": {"/0/public/Ticker": 7}}
        return {"hosts": ["api.kraken.com"], "faults": self.faults, "requests": counts, "total": 7}


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Sandbox:
    found = Sandbox()
    settings.SANDBOX, settings.SANDBOX_URL = True, "http://127.0.0.1:9"
    monkeypatch.setattr(faults, "_ask", found.ask)
    return found


def test_faults_are_added_and_cleared_by_a_form(admin_client: Client, sandbox: Sandbox) -> None:
    page = text_of(admin_client.get("/admin/sandbox/"))
    assert "None: every host answers as its provider would." in page
    assert "api.kraken.com /0/public/Ticker 7" in page
    sent = {"add": "1", "host": "api.kraken.com", "fault": "status=503", "times": "2", "path": ""}
    page = text_of(admin_client.post("/admin/sandbox/", sent, follow=True))
    assert sandbox.faults == [
        {"host": "api.kraken.com", "fault": "status=503", "times": 2, "path": ""}
    ]
    assert "api.kraken.com all status=503 2" in page
    admin_client.post("/admin/sandbox/", {"clear": "1"})
    assert sandbox.faults == []


def test_a_fault_the_sandbox_does_not_know_is_refused_beside_its_field(
    admin_client: Client, sandbox: Sandbox
) -> None:
    sent = {"add": "1", "host": "api.kraken.com", "fault": "earthquake"}
    page = text_of(admin_client.post("/admin/sandbox/", sent))
    assert "no fault is called 'earthquake'" in page


def test_a_sandbox_that_does_not_answer_says_how_to_start_it(
    admin_client: Client, settings: Any
) -> None:
    settings.SANDBOX, settings.SANDBOX_URL = True, "http://127.0.0.1:9"
    assert "python manage.py sandbox" in text_of(admin_client.get("/admin/sandbox/"))


def test_there_is_no_such_page_outside_the_sandbox(admin_client: Client) -> None:
    assert admin_client.get("/admin/sandbox/").status_code == 404


def test_the_sandbox_page_is_for_staff(client: Client, sandbox: Sandbox) -> None:
    assert client.get("/admin/sandbox/")["Location"].startswith("/admin/login/")


def test_every_list_and_page_of_the_admin_opens(
    admin_client: Client, keyed: Provider, upstreams: Upstreams
) -> None:
    credential(keyed)
    _call(1)
    _asset(1)
    _cell(1)
    Policy.objects.create(dataset=GasQuery.dataset.name)
    for model in (Provider, Credential, Asset, Policy, Call, Cell):
        name = model._meta.model_name
        assert admin_client.get(reverse(f"admin:providers_{name}_changelist")).status_code == 200
        row = model._default_manager.first()
        assert row is not None
        change = reverse(f"admin:providers_{name}_change", args=[row.pk])
        assert admin_client.get(change).status_code == 200


def test_the_list_is_narrowed_to_what_is_wrong_and_to_who_offers_something(
    admin_client: Client,
) -> None:
    _provider(1, enabled=False)
    _provider(2)
    Provider.objects.create(slug="lost", title="Lost", adapter_name="gone")
    Provider.objects.create(slug="news", title="News", adapter_name="rss")

    def shown(**given: str) -> set[str]:
        page = admin_client.get("/admin/providers/provider/", given)
        return {row.slug for row in page.context["cl"].result_list}

    assert shown(status="disabled") == {"p1"}
    assert shown(status="misconfigured") == {"lost"}
    assert shown(status="unknown") == {"p2", "news"}
    assert shown(dataset="ohlc") == {"p1", "p2"}
    assert shown(dataset="news", status="unknown") == {"news"}
    assert shown(dataset="nothing") == set()
