"""Local upstreams for trying things out: `manage.py sandbox`, and words to a running one."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from providers import parent
from providers.sandbox import faults
from providers.sandbox.control import Remote
from providers.sandbox.sandbox import Sandbox
from providers.sandbox.server import running


class Command(BaseCommand):
    help = (
        "Serve local upstreams that speak the providers' wire formats, on 127.0.0.1. "
        "`fault HOST FAULT`, `clear` and `state` speak to the one that runs."
    )
    requires_system_checks: Any = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=settings.SANDBOX_PORT)
        parser.add_argument("--seed", type=int, default=1, help="another market, as reproducible")
        parser.add_argument("--no-limits", action="store_true", help="enforce no rate limits")
        parser.add_argument("--replay", type=Path, metavar="FOLDER", help="serve recorded answers")
        parser.add_argument(
            "--all",
            action="store_true",
            dest="unreal",
            help="of a replay: also answers from tests and documentation",
        )
        parser.add_argument("--with-parent", action="store_true", help=parent.HELP)
        words = parser.add_subparsers(dest="word", metavar="fault|clear|state")
        fault = words.add_parser("fault", help=(faults.__doc__ or "").strip().splitlines()[0])
        fault.add_argument("host")
        fault.add_argument("fault")
        fault.add_argument("--path", default="", help="only below this path")
        fault.add_argument("--times", type=int, help="so often; otherwise until cleared")
        fault.add_argument("--probability", type=float, default=1.0)
        words.add_parser("clear", help="end all faults")
        words.add_parser("state", help="faults in force and requests so far")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["word"]:
            self._say(options)
        else:
            self._serve(options)

    def _say(self, options: dict[str, Any]) -> None:
        remote = Remote(options["port"])
        try:
            if options["word"] == "fault":
                names = ("path", "times", "probability")
                chosen = {name: options[name] for name in names}
                remote.fault(options["host"], options["fault"], **chosen)
            elif options["word"] == "clear":
                remote.clear()
            state = remote.state()
        except ConnectionError:
            raise CommandError(f"No sandbox listens on port {options['port']}.") from None
        except ValueError as error:
            raise CommandError(str(error)) from None
        told = state if options["word"] == "state" else {"faults": state["faults"]}
        self.stdout.write(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())

    def _serve(self, options: dict[str, Any]) -> None:
        if options["unreal"] and not options["replay"]:
            raise CommandError("--all goes with --replay.")
        if options["with_parent"]:
            parent.end_with_it()
        ended = threading.Event()

        def end(number: int, frame: FrameType | None) -> None:
            ended.set()

        try:
            sandbox = Sandbox(
                seed=options["seed"],
                limits=not options["no_limits"],
                replay=options["replay"],
                unreal=options["unreal"],
            )
            with running(sandbox, options["port"]) as url:
                for number in (signal.SIGTERM, signal.SIGINT):
                    signal.signal(number, end)
                self.stdout.write(f"The sandbox speaks for {len(sandbox.hosts)} hosts at {url}")
                self.stdout.flush()
                ended.wait()
        except ValueError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"Port {options['port']}: {error.strerror}.") from None
