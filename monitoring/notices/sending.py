"""
One message to one channel, by whichever way its address needs: what came of it.

What Apprise sends is sent by a process of its own (`sender`), which ends after so many seconds
whatever its plug-ins do, has nothing of ours in its memory and its environment, opens no
connection to an address that the guard forbids, and reads and starts nothing of this machine.
"""

from __future__ import annotations

import json
import logging
import re
import ssl
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from django.conf import settings
from django.core.exceptions import ValidationError

from monitoring.notices import addresses, webhooks
from monitoring.notices.message import Message
from monitoring.notices.models import Channel
from monitoring.texts import clean
from providers.redaction import MASK, SHORTEST, hide
from providers.secrets import SecretUnreadable

logger = logging.getLogger("monitoring.notices")

SECONDS = 30.0  # well within a channel's lease
SENDER = Path(__file__).with_name("sender.py")


@dataclass(frozen=True)
class Sent:
    """`permanent`: trying again helps nobody; `wait_s`: what the receiver asked for."""

    ok: bool
    error: str = ""
    permanent: bool = False
    wait_s: float | None = None


def send(channel: Channel, message: Message) -> Sent:
    """Holds no lock and no transaction; raises nothing."""
    try:
        address = channel.address()
        scheme = addresses.check(address)
    except SecretUnreadable as error:
        return Sent(False, str(error), permanent=True)
    except ValidationError as error:  # the list may have become shorter since it was entered
        return Sent(False, error.messages[0], permanent=True)
    hide(address)
    if settings.SANDBOX_URL:
        return Sent(False, "in the sandbox no request leaves this machine")
    try:
        return (
            _by_webhook(address, message)
            if scheme in addresses.WEBHOOKS
            else _aside(address, message)
        )
    except Exception as error:
        # Whatever it is, the notice stays, and its text may hold the address.
        logger.exception("%s: an error of ours", channel)
        return Sent(False, f"our own error: {type(error).__name__}")


def _by_webhook(address: str, message: Message) -> Sent:
    try:
        webhooks.post(address, message)
    except webhooks.Failed as failed:
        return Sent(False, clean(failed.error), failed.permanent, failed.wait_s)
    return Sent(True)


def _aside(address: str, message: Message) -> Sent:
    asked = {
        "address": address,
        "title": message.title,
        "body": message.body,
        "kind": message.kind,
        "allowed": [str(network) for network in settings.ALLOW_PRIVATE_UPSTREAMS],
    }
    with tempfile.TemporaryDirectory(prefix="notice-") as nowhere:
        try:
            done = subprocess.run(  # noqa: S603 (a fixed command; what is typed goes to its stdin)
                [sys.executable, "-I", str(SENDER)],
                input=json.dumps(asked).encode(),
                capture_output=True,
                timeout=SECONDS,
                env={"LANG": "C.UTF-8", "HOME": nowhere, **_authorities()},
                cwd=nowhere,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Sent(False, f"not sent within {SECONDS:.0f} s")
    return _read(done.stdout, done.returncode, address)


def _authorities() -> dict[str, str]:
    """Where this machine's certificates lie, also where an operator moved them."""
    paths = ssl.get_default_verify_paths()
    found = {paths.openssl_cafile_env: paths.cafile, paths.openssl_capath_env: paths.capath}
    return {name: path for name, path in found.items() if path}


def _read(output: bytes, code: int, address: str) -> Sent:
    try:
        said = json.loads(output)
        ok, permanent, error = bool(said["ok"]), bool(said["permanent"]), str(said["error"])
    except (ValueError, KeyError, TypeError):
        return Sent(False, f"the sending process ended with {code}")
    return Sent(ok, clean(_masked(error, address)), permanent)


def _masked(text: str, address: str) -> str:
    """Without any part of the address: tokens stand anywhere in it."""
    for part in re.split(r"[/:@?&=,+]", address.partition("://")[2]):
        if len(part) >= SHORTEST:
            text = text.replace(part, MASK).replace(unquote(part), MASK)
    return text
