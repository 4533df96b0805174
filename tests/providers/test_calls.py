from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from django.db import OperationalError, connection, connections

from providers import calls
from providers.models import Call, Credential, Provider
from tests.crew import environment

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def provider() -> Provider:
    return Provider.objects.create(slug="a", title="A", adapter_name="fake")


def a_call(provider: Provider, **fields: Any) -> Call:
    values: dict[str, Any] = {"dataset": "gas", "outcome": "ok", "seconds": 0.1} | fields
    return Call(provider=provider, **values)


def out(*args: Any, **kwargs: Any) -> Any:
    raise OperationalError("no database")


def test_calls_are_written_behind_in_one_go(
    provider: Provider, django_assert_max_num_queries: Any
) -> None:
    for _ in range(300):
        calls.record(a_call(provider))
    assert Call.objects.count() == 0
    with django_assert_max_num_queries(10):
        assert calls.flush()
    assert Call.objects.count() == 300


def test_a_thread_writes_them_soon_without_being_told(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # of the writer's thread, which tests do without
    monkeypatch.setattr(calls, "EVERY_S", 0.02)
    calls.record(a_call(provider))
    wait_until(lambda: Call.objects.count() == 1)


def test_the_thread_tries_again_by_itself_when_the_database_is_back(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(calls, "EVERY_S", 0.02)
    monkeypatch.setattr(calls, "AGAIN_S", 0.02)
    with monkeypatch.context() as while_out:
        while_out.setattr(Call.objects, "bulk_create", out)
        calls.record(a_call(provider))
        time.sleep(0.1)
        assert len(calls._waiting) == 1
    wait_until(lambda: Call.objects.count() == 1)


def wait_until(happened: Any) -> None:
    end = time.monotonic() + 5
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_while_the_database_is_out_calls_are_kept_in_their_order(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(3):
        calls.record(a_call(provider, rows=n))
    with monkeypatch.context() as while_out:
        while_out.setattr(Call.objects, "bulk_create", out)
        assert not calls.flush()
        assert not calls.flush()
    assert "keeping 3" in caplog.text
    calls.record(a_call(provider, rows=3))
    assert calls.flush()
    assert list(Call.objects.order_by("pk").values_list("rows", flat=True)) == [0, 1, 2, 3]


def test_what_is_kept_is_bounded_and_the_loss_is_told(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(calls, "MOST", 10)
    for n in range(25):
        calls.record(a_call(provider, rows=n))
    assert calls.flush()
    assert list(Call.objects.order_by("pk").values_list("rows", flat=True)) == [*range(15, 25)]
    assert "15 calls were lost" in caplog.text


def test_a_row_deleted_meanwhile_does_not_hold_up_the_others(provider: Provider) -> None:
    gone = Provider.objects.create(slug="gone", title="G", adapter_name="fake")
    key = Credential(provider=provider, label="gone", secret="x")
    key.save()
    calls.record(a_call(gone))
    calls.record(a_call(provider, credential=key))
    calls.record(a_call(provider))
    Provider.objects.filter(slug="gone").delete()
    Credential.objects.all().delete()
    assert calls.flush()
    assert not calls._waiting
    assert [call.provider.slug for call in Call.objects.all()] == ["a", "a"]
    assert not Call.objects.exclude(credential=None)


def test_two_who_flush_write_each_call_once(provider: Provider) -> None:
    for _ in range(1500):
        calls.record(a_call(provider))

    def flush() -> None:
        calls.flush()
        connection.close()

    threads = [threading.Thread(target=flush) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert Call.objects.count() == 1500


def leave_a_call(provider: Provider) -> None:
    """In a child: its own connection, one call, and a clean end."""
    connections["default"].connection = None
    if pool := getattr(connections["default"], "_connection_pools", {}).pop("default", None):
        del pool
    calls.record(a_call(provider))


def test_a_process_of_multiprocessing_leaves_none_behind(provider: Provider) -> None:
    """The worker's processes are such; `atexit` is not for them."""
    if connection.vendor == "postgresql":
        pytest.skip("its pool does not survive a fork; the worker has none")
    child = multiprocessing.get_context("fork").Process(target=leave_a_call, args=(provider,))
    child.start()
    child.join(20)
    assert child.exitcode == 0
    assert Call.objects.count() == 1


def test_a_clean_stop_loses_none(provider: Provider) -> None:
    script = (
        "import django; django.setup()\n"
        "from providers import calls\n"
        "from providers.models import Call, Provider\n"
        "provider = Provider.objects.get()\n"
        "for _ in range(700):\n"
        "    calls.record(Call(provider=provider, dataset='gas', outcome='ok', seconds=1))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert Call.objects.count() == 700
