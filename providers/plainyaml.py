"""
YAML as data and nothing else, for files that anybody may have written, and the way to write it.

Refused: tags, aliases (a few lines of them can mean gigabytes), names given twice, several
documents, depth and size beyond reason. Only null, true, false and numbers mean something else than
text: no is a word, and 2026-11-21 is what stands there. Every value knows its line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

MOST_CHARACTERS = 1_000_000
DEEPEST = 12

Path = tuple[str | int, ...]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]{1,30}")
_NUMBER = re.compile(
    r"[-+]?(?:[0-9]{1,30}\.[0-9]{0,30}|\.[0-9]{1,30}|[0-9]{1,30})(?:e[-+]?[0-9]{1,3})?", re.I
)
_UNPRINTABLE = re.compile(r"[\x00\ud800-\udfff]")  # nor can a database keep them
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}


def trusted(text: str) -> Any:
    """What a file of this project says, dates and all; read by the parser in C, which is fast."""
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 (either of them is a safe one)


class NotPlain(ValueError):
    """This text is not plain YAML. `line` counts from 1; 0 where no line is to blame."""

    def __init__(self, line: int, said: str) -> None:
        super().__init__(f"line {line}: {said}" if line else said)
        self.line = line


@dataclass(frozen=True)
class Plain:
    """The value a text says, and the line on which each part of it begins."""

    value: Any
    lines: Mapping[Path, int]

    def line(self, *path: str | int) -> int:
        """The line of a part; of the whole that should have it when it is missing."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]


@dataclass
class _Open:
    """A list or mapping whose end was not read yet."""

    value: Any
    path: Path
    name: str | None = None  # of a mapping: the name whose value comes next


@dataclass
class _Reading:
    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    opened: list[_Open] = field(default_factory=list)

    def take(self, event: Any) -> None:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent):
            raise NotPlain(line, "an alias (*) is not taken here: write it out.")
        if isinstance(event, yaml.CollectionEndEvent):
            self.opened.pop()
        elif isinstance(event, yaml.NodeEvent):
            self._node(event, line)

    def _node(self, event: Any, line: int) -> None:
        if event.tag is not None:
            raise NotPlain(line, f"a tag ({event.tag[:40]}) is not taken here.")
        if isinstance(event, yaml.ScalarEvent) and _UNPRINTABLE.search(event.value):
            raise NotPlain(line, "this text holds a character that is none.")
        around = self.opened[-1] if self.opened else None
        if around and isinstance(around.value, dict) and around.name is None:
            self._name(around, event, line)
            return
        path = self._place(around)
        self.lines[path] = line
        if isinstance(event, yaml.ScalarEvent):
            value = _said(event.value) if event.style is None or event.style == "" else event.value
        else:
            if len(self.opened) == DEEPEST:
                raise NotPlain(line, "this is nested too deeply.")
            value = {} if isinstance(event, yaml.MappingStartEvent) else []
            self.opened.append(_Open(value, path))
        self._put(around, value)

    def _name(self, around: _Open, event: Any, line: int) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            raise NotPlain(line, "a name is a text.")
        if event.value in around.value:
            raise NotPlain(line, f"{event.value[:60]!r} stands there twice.")
        around.name = event.value
        self.lines[(*around.path, event.value)] = line

    def _place(self, around: _Open | None) -> Path:
        if around is None:
            return ()
        step = around.name if around.name is not None else len(around.value)
        return (*around.path, step)

    def _put(self, around: _Open | None, value: Any) -> None:
        if around is None:
            self.value = value
        elif isinstance(around.value, dict):
            around.value[around.name] = value
            around.name = None
        else:
            around.value.append(value)


def read(text: str, most: int = MOST_CHARACTERS) -> Plain:
    """What `text` says; NotPlain names the line where it is not plain YAML."""
    if len(text) > most:
        raise NotPlain(0, f"this is longer than {most:,} characters.")
    reading, documents = _Reading(), 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                raise NotPlain(_line(event), "a second document is not taken here.")
            reading.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotPlain(mark.line + 1 if mark else 0, f"{error.problem}.") from None
    except (yaml.YAMLError, UnicodeError) as error:  # a character that YAML does not know
        raise NotPlain(0, " ".join(str(error).split())[:200]) from None
    return Plain(reading.value, reading.lines or {(): 1})


def dump(value: Any) -> str:
    """The text that `read` reads as `value`; mappings keep their order."""
    text: str = yaml.dump(value, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100)
    return text


class _Plain(yaml.SafeDumper):
    """Without anchors: every value is written out where it stands."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Plain, text: str) -> yaml.Node:
    """
    Several lines as such; what YAML might take for the end of a line is spelled out, and in quotes
    stands what reads like a number here, though not to PyYAML (1e5).
    """
    style: str | None = None
    if not text.replace("\n", "").isprintable():
        style = '"'
    elif "\n" in text:
        style = "|"
    elif not isinstance(_said(text), str):
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Plain.add_representer(str, _text)


def _line(event: Any) -> int:
    """Counted from 1."""
    line: int = event.start_mark.line
    return line + 1


def _said(word: str) -> Any:
    """What a word without quotes is."""
    if word.lower() in _WORDS:
        return _WORDS[word.lower()]
    if _INTEGER.fullmatch(word):
        return int(word)
    if _NUMBER.fullmatch(word) and math.isfinite(number := float(word)):
        return number
    return word
