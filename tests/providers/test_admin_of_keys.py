"""What an administrator sees of keys: where they come from, what is used of them, when they end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from providers import plans, roster
from providers.datasets import Allowance
from providers.errors import Throttled
from providers.models import Credential, Provider
from providers.tallies import Tally, hour_of
from tests.providers.operator import CREDENTIALS, act, edit, messages_of, text_of
from tests.upstreams import Keyed, Said, Upstreams

pytestmark = pytest.mark.django_db

DAY_S, MONTH_S = 86400, 30 * 86400
SECRET = "sk-of-the-environment"
LIMITS = [
    {"limit": 30, "per_s": 60, "scope": "key"},
    {"limit": 1000, "per_s": MONTH_S, "scope": "key"},
]


@pytest.fixture
def provider(upstreams: Upstreams) -> Provider:
    return upstreams.provider("keyed", Keyed, limits=LIMITS, key_env=["THIS_API_KEY"])


@pytest.fixture
def entered(provider: Provider) -> Credential:
    row = Credential(provider=provider, label="mine")
    row.set_key("sk-entered-by-hand")
    row.save()
    return row


def listed(client: Client) -> str:
    return text_of(client.get(CREDENTIALS))


def page(client: Client, row: Credential) -> str:
    return text_of(client.get(f"{CREDENTIALS}{row.pk}/change/"))


def spend(row: Credential, cost: float, hours: int = 0) -> None:
    hour = hour_of(now() - timedelta(hours=hours))
    Tally.objects.create(provider=row.provider, key=row.pk, hour=hour, cost=cost)


# -- Usage and forecast ------------------------------------------------------------------------


def test_a_key_that_is_not_used_lasts(admin_client: Client, entered: Credential) -> None:
    assert "in use – 0 of 1,000 in 30 days 0 % lasts: not used today" in listed(admin_client)


def test_the_list_says_what_is_used_and_when_it_ends(
    admin_client: Client, entered: Credential
) -> None:
    spend(entered, 600, hours=100)
    spend(entered, 240)
    seen = listed(admin_client)
    assert "840 of 1,000 in 30 days 84 % (!) ends in 16 h" in seen
    Tally.objects.all().delete()
    spend(entered, 1000)
    assert "1,000 of 1,000 in 30 days 100 % (!) nothing is left" in listed(admin_client)


def test_its_page_tells_every_window(admin_client: Client, entered: Credential) -> None:
    spend(entered, 500, hours=100)
    with entered.guard.admit():
        pass
    seen = page(admin_client, entered)
    assert "30 in 1 min: 6 may go out now." in seen
    assert "Used 50 % of 1,000 in 30 days." in seen


def test_the_page_of_a_provider_tells_its_own_quotas(
    admin_client: Client, upstreams: Upstreams
) -> None:
    row = upstreams.provider("open", limits=[{"limit": 200, "per_s": DAY_S}])
    Tally.objects.create(provider=row, hour=hour_of(now()), cost=50)
    seen = text_of(admin_client.get(f"/admin/providers/provider/{row.pk}/change/"))
    assert "It has used 25 % of 200 in 1 day" in seen


def test_a_plan_is_shown_as_its_provider_told_it(admin_client: Client, entered: Credential) -> None:
    told = [Allowance(500, 60, None, None, "Hobby"), Allowance(9000, MONTH_S, 90, None, "Hobby")]
    plans.keep(entered, told)
    for seen in (listed(admin_client), page(admin_client, entered)):
        assert "Hobby: 500 in 1 min and 9,000 in 30 days" in seen
    assert "90 of 9,000 in 30 days 1 %" in listed(admin_client)


# -- State in words ----------------------------------------------------------------------------


def test_a_key_that_rests_says_for_how_long(admin_client: Client, entered: Credential) -> None:
    with pytest.raises(Throttled), entered.guard.admit():
        raise Throttled(wait=90)
    assert "rests 1 min 30 s more after a 429" in listed(admin_client)


def test_a_spent_key_says_so(admin_client: Client, entered: Credential) -> None:
    entered.guard.cell.update(lambda _: ({"tokens": {"60": {"level": -5, "at": 4e9}}}, None))
    assert "spent for now" in listed(admin_client)


def test_a_key_that_is_switched_off_says_so(admin_client: Client, entered: Credential) -> None:
    Credential.objects.update(enabled=False)
    assert "switched off" in listed(admin_client)


# -- Keys of the environment -------------------------------------------------------------------


@pytest.fixture
def of_environment(provider: Provider, settings: Any) -> Credential:
    settings.PROVIDER_KEYS = {"THIS_API_KEY": SECRET}
    roster.forget()
    roster.current()
    return Credential.objects.get(env_name="THIS_API_KEY")


def test_a_variable_is_named_and_never_its_key(
    admin_client: Client, of_environment: Credential
) -> None:
    for url in (CREDENTIALS, f"{CREDENTIALS}{of_environment.pk}/change/"):
        response = admin_client.get(url)
        assert "the environment: THIS_API_KEY" in text_of(response)
        assert SECRET not in response.content.decode()


def test_a_variable_that_is_not_set_says_so(
    admin_client: Client, of_environment: Credential, settings: Any
) -> None:
    settings.PROVIDER_KEYS = {}
    assert "not in use: THIS_API_KEY is not set" in listed(admin_client)


def test_its_key_cannot_be_changed_here_but_its_order_can(
    admin_client: Client, of_environment: Credential
) -> None:
    edit(admin_client, of_environment, key="sk-something-else", order=3)
    of_environment.refresh_from_db()
    assert (of_environment.order, of_environment.secret) == (3, "")
    assert [key.key() for key in roster.current().keys_of(of_environment.provider)] == [SECRET]


@pytest.mark.django_db(transaction=True)
def test_a_refused_one_is_used_again_when_told(
    admin_client: Client, of_environment: Credential, upstreams: Upstreams
) -> None:
    upstreams.play["keyed"] = lambda asked: Said(401)
    (said,) = messages_of(act(admin_client, CREDENTIALS, "test_keys", of_environment))
    assert "was refused" in said
    assert SECRET not in said
    assert "HTTP 401" in listed(admin_client)
    act(admin_client, CREDENTIALS, "use_again", of_environment)
    assert roster.current().keys_of(of_environment.provider) == [of_environment]


@pytest.mark.django_db(transaction=True)
def test_a_test_of_a_key_tells_its_plan(
    admin_client: Client,
    of_environment: Credential,
    upstreams: Upstreams,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One call proves the key and tells the plan: some may be asked once in ten seconds."""

    def plan(self: Any, query: Any) -> list[Allowance]:
        self.http.fetch("/plan")
        return [Allowance(500, 60, None, None, "Hobby")]

    monkeypatch.setattr(Keyed, "plan", plan)
    monkeypatch.setattr(Keyed, "fetch", lambda self, query: plan(self, query))
    (said,) = messages_of(act(admin_client, CREDENTIALS, "test_keys", of_environment))
    assert "answered in" in said
    assert said.endswith("Its plan: Hobby, 500 in 1 min.")
    assert [asked.dataset for asked in upstreams.asked] == ["plan"]
    assert "Hobby: 500 in 1 min" in listed(admin_client)
