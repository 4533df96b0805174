"""
What a stranger can reach, see and start: over every route there is, so that a new one is asked too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern

from monitoring import cycle, readings
from monitoring.models import CheckResult, Endpoint, Plan, StateChange
from providers import roster
from providers.health import Health
from providers.models import Provider
from tests.monitoring.test_cycle import health
from tests.monitoring.test_defects_of_a_hub import example, named
from tests.monitoring.world import endpoint, results, was
from tests.upstreams import Upstreams

pytestmark = pytest.mark.django_db(transaction=True)

SECRET, NOBODY = "a-secret-provider", "nobody-at-all"


def routes(*apps: str) -> list[URLPattern]:
    """Every route that a stranger may try, of these apps or of all; chat's are its own business."""
    found = []
    for pattern in named():
        module = getattr(pattern.callback, "__module__", "")
        path = str(pattern.pattern)
        if module.startswith(apps or ("aggregator", "monitoring")) and "admin" not in path:
            found.append(pattern)
    return found


WATCHING = routes("monitoring")
ids = [pattern.name for pattern in WATCHING]


def test_there_are_routes_to_try() -> None:
    assert len(WATCHING) >= 11
    assert len(routes()) > 30


# -- Private objects ---------------------------------------------------------------------------


@pytest.fixture
def secret(settings: Any) -> Endpoint:
    """An installation that shows nothing to strangers, with something to show."""
    found = endpoint(SECRET, "down", reason="because of 4242", error_message="because of 4242")
    results(found, "good", "fault")
    was(found, ("healthy", 1), ("down", 1))
    settings.ANONYMOUS_ACCESS = False
    return found


@pytest.mark.parametrize("pattern", WATCHING, ids=ids)
def test_where_answers_need_a_key_no_route_tells_a_stranger_what_there_is(
    secret: Endpoint, pattern: URLPattern
) -> None:
    known, unknown = (Client().get(example(pattern, name)) for name in (SECRET, NOBODY))
    assert known.status_code == unknown.status_code
    for response, name in ((known, SECRET), (unknown, NOBODY)):
        body = response.getvalue().decode().replace(example(pattern, name), "")
        assert SECRET not in body
        assert "4242" not in body
    same = [
        response.getvalue().decode().replace(example(pattern, name), "").replace(name, "")
        for response, name in ((known, SECRET), (unknown, NOBODY))
    ]
    assert same[0] == same[1], "whether it is there can be told"


@pytest.mark.parametrize("pattern", WATCHING, ids=ids)
def test_somebody_signed_in_who_is_no_staff_is_a_stranger_too(
    secret: Endpoint, pattern: URLPattern
) -> None:
    client = Client()
    client.force_login(User.objects.create_user("visitor"))
    response = client.get(example(pattern, SECRET))
    assert "4242" not in response.getvalue().decode()


# -- What is not for everybody to start --------------------------------------------------------


@pytest.mark.parametrize("who", ["nobody", "visitor"])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_no_route_of_the_watch_is_changed_or_started_by_a_stranger(
    upstreams: Upstreams, who: str, method: str
) -> None:
    found = endpoint("a")
    Plan().save()
    client = Client()
    if who == "visitor":
        client.force_login(User.objects.create_user("visitor"))
    before = _everything()
    for pattern in WATCHING:
        response = getattr(client, method)(example(pattern, "a"))
        assert response.status_code in (401, 403, 404, 405), pattern.name
    assert _everything() == before
    assert upstreams.asked == []
    assert found.lease_token == Endpoint.objects.get().lease_token


def _everything() -> list[Any]:
    kinds = (Endpoint, Plan, Health, CheckResult, StateChange, Provider)
    return [list(kind.objects.order_by("pk").values()) for kind in kinds]


def test_staff_without_the_permission_start_nothing_in_the_admin(upstreams: Upstreams) -> None:
    row = endpoint("a")
    client = Client()
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    url = "/admin/monitoring/endpoint/"
    for action in ("check_now", "pause", "resume"):
        answer = client.post(url, {"action": action, "_selected_action": [row.pk]})
        assert answer.status_code == 403
    assert not Endpoint.objects.get().paused
    assert upstreams.asked == []


def test_a_new_password_ends_the_other_sessions() -> None:
    user = User.objects.create_superuser("root", password="first-word-4242")
    other = Client()
    assert other.login(username="root", password="first-word-4242")
    assert other.get("/admin/").status_code == 200
    user.set_password("second-word-4242")
    user.save()
    assert other.get("/admin/").status_code == 302
    assert other.post("/api/providers/check").status_code == 403


# -- Hostile texts -----------------------------------------------------------------------------

EVIL = (
    '"><svg onload=alert(1)>',
    "</script><script>alert(1)</script>",
    "{{ 8230104|add:'1' }}{% include 'x' %}${8230104+1}",
    "' onmouseover='alert(1)",
    "\u2028\u2029\u202e\x00\x1b[31m",
)


@pytest.mark.parametrize("evil", EVIL)
def test_what_an_upstream_says_is_text_wherever_it_is_shown(evil: str) -> None:
    kept = evil.replace("\x00", "")  # which no database takes
    one = endpoint("a", "down", reason=kept, error_message=kept)
    results(one, "good", "fault")
    was(one, ("healthy", 1), ("down", 1))
    StateChange.objects.update(reason=kept)
    CheckResult.objects.update(error=kept)
    readings.forget()
    staff = Client()
    staff.force_login(User.objects.create_superuser("root"))
    pages = ["/status", "/status/a"]
    pages += [f"/admin/monitoring/{kind}/" for kind in ("endpoint", "checkresult", "statechange")]
    for page in pages:
        text = staff.get(page).getvalue().decode()
        for markup in ("<svg onload", "<script>alert", "' onmouseover='", "8230105"):
            assert markup not in text, page
    for path in ("/api/providers/status", "/api/providers/status/a", "/api/providers/history"):
        response = staff.get(path)
        assert response["Content-Type"].startswith("application/json")
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response.json()


def test_a_name_that_is_no_name_reaches_nothing() -> None:
    for name in ("..%2f..%2fetc%2fpasswd", "%00", "a%0d%0aSet-Cookie:x=1", "' OR 1=1 --", "%ff"):
        for route in ("status", "history"):
            response = Client().get(f"/api/providers/{route}/{name}")
            assert response.status_code in (400, 404), name
            assert "Set-Cookie" not in response.headers
        assert Client().get(f"/status/{name}").status_code in (400, 404)


@pytest.mark.parametrize("route", ["status", "best", "history", "export/csv"])
@pytest.mark.parametrize(
    "query",
    [
        'kind=a.b"--',
        "window=1)or(1",
        "dataset=__proto__",
        "hours=1;drop",
        "order_by=pk",
        "pk__gt=0",
    ],
)
def test_no_parameter_reaches_a_query_as_it_is(route: str, query: str) -> None:
    endpoint("a")
    response = Client().get(f"/api/providers/{route}?{query}")
    assert response.status_code == 400
    assert response.json()["code"] == "bad_query"


# -- Addresses ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        *("http://127.0.0.1", "http://2130706433", "http://0177.0.0.1", "http://0x7f.1"),
        *("http://127.1", "http://[::1]", "http://[::ffff:127.0.0.1]", "http://[64:ff9b::7f00:1]"),
        *("http://[2002:7f00:1::]", "http://[fec0::1]", "http://[::7f00:1]", "http://100.64.0.1"),
        *("http://169.254.169.254", "http://224.0.0.1", "http://localhost", "http://0.0.0.0"),
        *("http://a.com:x@169.254.169.254", "http://evil@127.0.0.1"),
        *("file:///etc/passwd", "gopher://127.0.0.1", "ftp://127.0.0.1", "view-source:http://x"),
    ],
)
def test_a_check_connects_to_no_address_of_ours(
    upstreams: Upstreams, settings: Any, address: str
) -> None:
    settings.ALLOW_PRIVATE_UPSTREAMS = []
    port = upstreams.url.rpartition(":")[2]
    where = f"{address}:{port}" if address.startswith("http") else address
    Provider.objects.create(slug="a", title="a", adapter_name="binance", base_url=where)
    Provider.objects.create(slug="off", title="off", adapter_name="binance", enabled=False)
    roster.forget()
    cycle.run()
    assert upstreams.asked == []
    assert health("a").status in ("degraded", "unknown")
    assert health("a").outcome in ("unreachable", "garbled", "error", "timed_out", "failed")


def test_every_public_route_is_told_apart() -> None:
    def names() -> Iterator[str]:
        yield from (pattern.name or "" for pattern in routes())

    assert len(set(names())) == len(list(names()))
