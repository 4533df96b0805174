"""Read settings from the environment, and say in one line which one is malformed."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Env:
    """`environ` by name and type; the environment is an argument so that tests bring their own."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self.environ = environ

    def text(self, name: str, default: str = "") -> str:
        return self.environ.get(name, default).strip()

    def flag(self, name: str, default: bool) -> bool:
        value = self.text(name, str(int(default))).lower()
        if value not in ("0", "1", "true", "false", "yes", "no", "on", "off", ""):
            raise ImproperlyConfigured(f"{name}={value}: use 1 or 0")
        return value in ("1", "true", "yes", "on")

    def whole(self, name: str, default: int, *, least: int = 0, most: int = 10**9) -> int:
        value = self.text(name) or str(default)
        try:
            number = int(value)
        except ValueError:
            raise ImproperlyConfigured(f"{name}={value}: use a whole number") from None
        if not least <= number <= most:
            raise ImproperlyConfigured(f"{name}={value}: use {least} to {most}")
        return number

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        value = self.text(name).lower() or default
        if value not in choices:
            raise ImproperlyConfigured(f"{name}={value}: use one of {', '.join(choices)}")
        return value

    def words(self, name: str, default: str = "") -> list[str]:
        return [word.strip() for word in self.text(name, default).split(",") if word.strip()]

    def networks(self, name: str) -> list[Network]:
        try:
            return [ipaddress.ip_network(word) for word in self.words(name)]
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: {error}") from None

    def secret(self, name: str) -> str:
        """The value of NAME, or the contents of the file that NAME_FILE points at; never empty."""
        value = self._out_of_file(name)
        if not value:
            raise ImproperlyConfigured(
                f"{name} is not set. `make run` writes one into .env; no default exists."
            )
        return value

    def keys(self, names: Sequence[str], *, prefix: str = "") -> dict[str, str]:
        """Those of `names` that hold something (or name a file that does) beginning so."""
        found = {name: self._out_of_file(name) for name in names}
        return {name: key for name, key in found.items() if key and key.startswith(prefix)}

    def _out_of_file(self, name: str) -> str:
        """The value of NAME, or the contents of the file that NAME_FILE points at."""
        path = self.text(f"{name}_FILE")
        if not path:
            return self.text(name)
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE={path}: {error.strerror}") from None
