"""
What the queue may run: functions of our own `tasks` modules, and nothing else.

django-q calls whatever dotted path a row names (`os.system` is one), so who can write a row could
run anything. Whatever is about to be enqueued passes here first. Another function is replaced by
one that fails and says so: an exception would stop every other schedule of the same pass.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

from django.apps import apps
from django_q.signals import pre_enqueue

logger = logging.getLogger(__name__)

OURS = ("aggregator", "providers", "monitoring", "chat")
REFUSED = "aggregator.tasks.refused"


def is_allowed(func: Any) -> bool:
    """Is it the dotted path of a public function that a `tasks` module of ours defines?"""
    if not isinstance(func, str):
        return False
    module, _, name = func.rpartition(".")
    app, _, place = module.partition(".")
    if app not in OURS or place != "tasks" or name.startswith("_") or not apps.is_installed(app):
        return False
    try:
        found = getattr(import_module(module), name, None)
    except ModuleNotFoundError:
        return False
    return callable(found) and getattr(found, "__module__", "") == module


def refuse(task: dict[str, Any], **kwargs: Any) -> None:
    """Receives what is about to be enqueued; changes it when it is not ours to run."""
    told = [task["func"], *filter(None, [task.get("hook")])]
    strange = [func for func in told if not is_allowed(func)]
    if not strange:
        return
    name = str(strange[0])[:100]
    logger.error("%r is no task of ours and is not run", name)
    task.update(func=REFUSED, args=(name,), kwargs={})
    for more in ("hook", "chain"):
        task.pop(more, None)


def watch() -> None:
    pre_enqueue.connect(refuse, dispatch_uid="aggregator.allowed")
