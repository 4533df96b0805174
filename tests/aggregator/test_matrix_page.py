"""The admin's page of the matrix: who answers what, and nothing that nobody measured."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from aggregator import capabilities, consensus
from providers import roster
from providers.datasets import PriceRow
from providers.models import Call, Credential, Policy, Provider
from tests.aggregator.test_capabilities import called, provider
from tests.providers.operator import text_of

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/admin/matrix/"
COLUMNS = [query.dataset for query in capabilities.ASKED]


@pytest.fixture(autouse=True)
def rows() -> None:
    """One that is asked, one that is switched off, one that lacks its key."""
    provider("kraken", "kraken", category="exchange", priority=90)
    provider("off", "coingecko", category="market", priority=80, enabled=False)
    provider("keyed", "coingecko_pro", category="market", priority=70)
    roster.forget()


def table(response: Any) -> dict[str, list[str]]:
    """The words of each row's cells, by its provider."""
    body = response.content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
    found = {}
    for row in body.split("</tr>")[:-1]:
        head, *cells = re.findall(r"<t[hd]\b.*?</t[hd]>", row, re.DOTALL)
        found[text_of(head).split()[0]] = [text_of(cell) for cell in cells]
    return found


def heads(response: Any) -> str:
    return str(response.content.decode().partition("<thead>")[2].partition("</thead>")[0])


def cell(response: Any, slug: str, dataset: str) -> str:
    return table(response)[slug][[column.name for column in COLUMNS].index(dataset)]


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_it_has_a_row_for_each_provider_and_a_column_for_each_dataset(admin_client: Client) -> None:
    page = admin_client.get(URL)
    assert list(table(page)) == ["kraken", "off", "keyed"]
    assert {len(cells) for cells in table(page).values()} == {len(COLUMNS)}
    positions = [heads(page).index(f"<small>{column.name}</small>") for column in COLUMNS]
    assert positions == sorted(positions)
    assert "3 of 3 providers" in text_of(page)


def test_a_cell_says_in_a_word_whether_it_is_asked(admin_client: Client) -> None:
    page = admin_client.get(URL)
    assert cell(page, "kraken", "price").startswith("yes ")
    assert cell(page, "kraken", "news") == "no"
    assert cell(page, "off", "market").startswith("off ")
    assert cell(page, "keyed", "market").startswith("no key ")
    marks = dict(re.findall(r'<th scope="row"><a [^>]*>(\w+)</a>(.*?)</th>', page.content.decode()))
    assert "switched off" in marks["off"]
    assert "no key" not in marks["off"]
    assert "no key" in marks["keyed"]
    assert "switched off" not in marks["keyed"]
    assert "no key" not in marks["kraken"]
    assert "switched off" not in marks["kraken"]


def test_a_key_takes_the_mark_away(admin_client: Client) -> None:
    credential = Credential(provider=Provider.objects.get(slug="keyed"), label="mine")
    credential.set_key("sandbox-of-mine")
    credential.save()
    roster.forget()
    page = admin_client.get(URL)
    assert cell(page, "keyed", "market").startswith("yes ")
    assert "sandbox-of-mine" not in page.content.decode()


def test_what_nobody_measured_is_said_to_be_so(admin_client: Client) -> None:
    said = "yes Latency not measured Freshness not measured Accuracy not measured Calls 0"
    assert cell(admin_client.get(URL), "kraken", "price") == said


def test_measured_values_stand_in_the_cell_they_are_of(admin_client: Client) -> None:
    kraken = Provider.objects.get(slug="kraken")
    called(kraken, "price", "ok", "ok", "broken", s=1.25)
    Call.objects.filter(outcome="ok").update(age_s=95)
    agreed = {slug: PriceRow("BTC", Decimal(100), "USD") for slug in ("kraken", "a", "b")}
    consensus.count(consensus.agree(agreed), agreed)
    page = admin_client.get(URL)
    said = "yes Latency 1,250 ms Freshness 1 min 35 s Accuracy 100 % Calls 3"
    assert cell(page, "kraken", "price") == said
    assert cell(page, "kraken", "ohlc").endswith("Accuracy not measured Calls 0")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["kraken", "off", "keyed"]),
        ("?category=market", ["off", "keyed"]),
        ("?category=&dataset=&enabled=", ["kraken", "off", "keyed"]),
        ("?enabled=yes", ["kraken", "keyed"]),
        ("?enabled=no", ["off"]),
        ("?dataset=ohlc&category=exchange", ["kraken"]),
        ("?dataset=market", ["off", "keyed"]),
        ("?dataset=market&enabled=yes", ["keyed"]),
    ],
)
def test_filters_choose_rows(admin_client: Client, query: str, shown: list[str]) -> None:
    assert list(table(admin_client.get(URL + query))) == shown


def test_a_dataset_alone_is_one_column(admin_client: Client) -> None:
    page = admin_client.get(f"{URL}?dataset=market")
    assert {len(cells) for cells in table(page).values()} == {1}
    assert heads(page).count('<th scope="col">') == 2
    assert '<option value="market" selected>' in page.content.decode()


def test_where_nobody_matches_the_page_says_so(admin_client: Client) -> None:
    page = admin_client.get(f"{URL}?dataset=news")
    assert page.status_code == 200
    assert "No provider matches." in text_of(page)
    assert "<thead>" not in page.content.decode()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("category=nope", "nope is not one of the available choices"),
        ("dataset=listing", "listing is not one of the available choices"),
        ("enabled=1", "1 is not one of the available choices"),
        ("catgory=market", "No filter is called 'catgory'. There are: category, dataset, enabled."),
        ("dataset=<script>alert(1)</script>", "<script>alert(1)</script> is not one of"),
        ("category=%00", "is not one of the available choices"),
    ],
)
def test_a_bad_parameter_is_named(admin_client: Client, query: str, said: str) -> None:
    page = admin_client.get(f"{URL}?{query}")
    assert page.status_code == 400
    assert said in text_of(page)
    assert "<thead>" not in page.content.decode()
    assert "<script>alert" not in page.content.decode()


def test_rows_lead_to_providers_and_heads_to_policies(admin_client: Client) -> None:
    market = Policy.objects.create(dataset="market")
    roster.forget()
    page = admin_client.get(URL).content.decode()
    kraken = Provider.objects.get(slug="kraken")
    assert f'<a href="/admin/providers/provider/{kraken.pk}/change/">kraken</a>' in page
    assert f'<a href="/admin/providers/policy/{market.pk}/change/">Ranked coins</a>' in page
    assert '<a href="/admin/providers/policy/add/?dataset=price">Spot prices</a>' in page


def test_the_index_and_the_list_of_providers_lead_to_it(admin_client: Client) -> None:
    for url in ("/admin/", "/admin/providers/provider/"):
        assert f'href="{URL}"' in admin_client.get(url).content.decode()


def test_who_may_look_at_providers_may_look_at_it() -> None:
    Policy.objects.create(dataset="market")
    client = staff("view_provider")
    page = client.get(URL)
    assert page.status_code == 200
    assert "/admin/providers/policy/" not in page.content.decode()
    for url in ("/admin/", "/admin/providers/provider/"):
        assert f'href="{URL}"' in client.get(url).content.decode()


def test_nobody_else_may() -> None:
    client = staff("view_policy")
    assert client.get(URL).status_code == 403
    assert URL not in client.get("/admin/").content.decode()
    client.logout()
    assert client.get(URL).status_code == 302


def test_it_is_only_read(admin_client: Client) -> None:
    assert admin_client.post(URL, {}).status_code == 405
    assert admin_client.head(URL).status_code == 200


def test_markup_in_a_title_is_shown_as_text(admin_client: Client) -> None:
    Provider.objects.filter(slug="kraken").update(title="<b>K</b>", category="<i>x</i>")
    roster.forget()
    page = admin_client.get(URL)
    assert "<b>K</b>" not in page.content.decode()
    assert "<i>x</i>" not in page.content.decode()
    assert "<b>K</b>, <i>x</i>" in text_of(page)


def test_it_costs_the_same_few_queries_however_many_providers_there_are(
    admin_client: Client, django_assert_max_num_queries: Any
) -> None:
    for count in (0, 12):
        for n in range(count):
            called(provider(f"p{n}", "kraken"), "price", "ok")
        roster.forget()
        with django_assert_max_num_queries(8):
            assert len(table(admin_client.get(URL))) == 3 + count
