"""
`Call` rows, written behind the answer and in batches: no visitor waits for our bookkeeping.

Nothing is lost on a clean stop (`flush` runs at exit and at the server's shutdown). While the
database is out of reach up to `MOST` rows are kept; beyond that the oldest go, and we say so.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections import deque
from multiprocessing import util as processes

from django.db import Error, IntegrityError, connections, transaction

from providers import outcomes, tallies
from providers.models import Call, Credential, Provider

logger = logging.getLogger(__name__)

EVERY_S = 0.5
AGAIN_S = 5.0  # after the database did not take them
MOST = 10_000
BATCH = 500

_waiting: deque[Call] = deque()
_writing = threading.Lock()
_awake = threading.Event()
_thread: threading.Thread | None = None
_dropped = 0


def record(call: Call) -> None:
    """Write `call` soon."""
    global _dropped
    _waiting.append(call)
    if len(_waiting) > MOST:
        _waiting.popleft()
        _dropped += 1
    _start()


def flush() -> bool:
    """Write all that is waiting; False when the database did not take it (it is kept)."""
    global _dropped
    with _writing:
        while _waiting:
            batch = [_waiting.popleft() for _ in range(min(BATCH, len(_waiting)))]
            try:
                _write(batch)
            except Error as error:
                _waiting.extendleft(reversed(batch))
                logger.error("calls could not be written, keeping %d: %s", len(_waiting), error)
                return False
        if _dropped:
            logger.error("%d calls were lost: too many were waiting for the database", _dropped)
            _dropped = 0
    return True


def _write(batch: list[Call]) -> None:
    try:
        _insert(batch)
    except IntegrityError:  # somebody deleted a provider or a key that had just been asked with
        providers = set(Provider.objects.values_list("pk", flat=True))
        credentials = set(Credential.objects.values_list("pk", flat=True))
        for call in batch:
            call.pk = None
            if call.credential_id not in credentials:
                call.credential = None
        _insert([call for call in batch if call.provider_id in providers])


def _insert(batch: list[Call]) -> None:
    with transaction.atomic():
        Call.objects.bulk_create(batch)
        tallies.add(batch)
        outcomes.add(batch)


def _start() -> None:
    global _thread
    if _thread is None or not _thread.is_alive():
        _thread = threading.Thread(target=_run, name="calls", daemon=True)
        _thread.start()
    _awake.set()


def _run() -> None:
    while True:
        _awake.wait()
        _awake.clear()
        threading.Event().wait(EVERY_S)  # gather a batch
        if not flush():
            _awake.set()
            threading.Event().wait(AGAIN_S)
        connections.close_all()


def _after_fork() -> None:
    """A child has neither the parent's thread nor a right to its rows or its lock."""
    global _thread, _writing, _awake
    _thread, _writing, _awake = None, threading.Lock(), threading.Event()
    _waiting.clear()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(flush)
# A process of `multiprocessing` leaves without `atexit`, and forgets what its parent registered.
processes.register_after_fork(_waiting, lambda _: processes.Finalize(None, flush, exitpriority=10))
