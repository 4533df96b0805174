"""
The house has one direction of imports. It is read off the source, so no module can forget it.

    providers <- aggregator <- chat    and    providers <- monitoring <- chat

Inside `providers`: errors <- resilience <- http <- client, datasets <- adapters, and
registry <- models <- client.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("providers", "aggregator", "monitoring", "chat")

# What an app may import of the others: a whole app, or one module of it.
MAY_IMPORT = {
    "providers": (),
    "aggregator": ("providers",),
    "monitoring": ("providers", "aggregator.readouts"),
    "chat": ("providers", "aggregator", "monitoring"),
}
# What a part of `providers` may import of `providers`, where the list is short,
MAY_IMPORT_INSIDE = {
    "providers.errors": (),
    "providers.datasets": ("providers.datasets",),
    "providers.ratelimits": (),
    "providers.redaction": (),
    "providers.resilience": ("providers.errors", "providers.resilience"),
    "providers.adapters": (
        "providers.adapters",
        "providers.datasets",
        "providers.errors",
        "providers.ratelimits",
        "providers.registry",
    ),
    "providers.registry": ("providers.adapters",),
    # The sandbox is a second opinion on what providers send: it must not read our translators.
    "providers.sandbox": ("providers.sandbox",),
}
# and what it must not, where that is shorter.
MUST_NOT_IMPORT_INSIDE = {
    "providers.http": ("client", "models", "querysets", "roster", "calls"),
    "providers.transport": ("http", "client", "models", "querysets", "roster", "calls"),
    "providers.models": ("http", "transport", "client", "roster", "calls"),
}
# A reply decodes itself, with numbers kept exactly; it is the one step up.
EXCEPTIONS = {("providers.adapters.base", "providers.http")}

# Libraries that one door alone may touch.
DOORS = {
    # The admin replaces the pages that it registers for its rows.
    "django_q": (
        "aggregator.tasks",
        "aggregator.schedules",
        "aggregator.admin",
        "aggregator.work",
        "aggregator.allowed",
        "aggregator.heartbeat",
    ),
    "apprise": ("monitoring.notices.sender",),
    "certifi": ("providers.transport", "monitoring.notices.sender"),
    "urllib3": ("providers.transport",),
    "feedparser": ("providers.adapters.rss",),
    # They are large: the web process must do without them.
    "sklearn": ("chat.training.fitting",),
    "scipy": ("chat.training.fitting",),
    "numpy": ("chat.training.fitting", "chat.training.shares", "chat.training.thresholds"),
    "jmespath": (
        "providers.adapters.mapped_values",
        "providers.adapters.mapping",
        "providers.adapters.mapping_checks",
        "providers.adapters.mapping_reader",
    ),
}
READ_THE_ENVIRONMENT = ("aggregator.env", "aggregator.firstrun")
ADAPTERS_MAY_USE = {*sys.stdlib_module_names, "providers", "feedparser", "jmespath"}


@dataclass(frozen=True)
class Module:
    name: str
    tree: ast.Module

    @classmethod
    def read(cls, path: Path) -> Module:
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        return cls(name, ast.parse(path.read_text(), str(path)))

    @property
    def app(self) -> str:
        return self.name.partition(".")[0]

    def imports(self) -> frozenset[str]:
        """
        Dotted names of what runs need; imports for the type checker alone are left out.

        `from a import b` counts as `a.b` when that is a module, and as `a` otherwise.
        """
        return _imports(self.tree)


@cache
def _imports(tree: ast.Module) -> frozenset[str]:
    return frozenset(name for node in _running(tree) for name in _imported(node))


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those below `if TYPE_CHECKING:`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _running(node)


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.module, f"a relative import in line {node.lineno}"
        assert not node.level, f"a relative import in line {node.lineno}"
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            yield whole if _is_module(whole) else node.module


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or path.is_dir()


@cache
def modules() -> list[Module]:
    files = (path for app in APPS for path in sorted((ROOT / app).rglob("*.py")))
    return [Module.read(path) for path in files if "migrations" not in path.parts]


def within(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}.")


def within_any(name: str, parts: tuple[str, ...]) -> bool:
    return any(within(name, part) for part in parts)


def test_the_apps_are_found() -> None:
    names = {module.name for module in modules()}
    assert {"providers.adapters.coingecko", "aggregator.gateway", "aggregator.api.views"} <= names


def test_an_app_imports_only_those_below_it() -> None:
    wrong = [
        f"{module.name} imports {name}"
        for module in modules()
        for name in module.imports()
        if within_any(name, APPS) and not within(name, module.app)
        if not within_any(name, MAY_IMPORT[module.app])
    ]
    assert wrong == []


@pytest.mark.parametrize("part", MAY_IMPORT_INSIDE)
def test_a_part_of_providers_imports_only_those_below_it(part: str) -> None:
    members = [module for module in modules() if within(module.name, part)]
    assert members, f"{part} has moved"
    wrong = [
        f"{module.name} imports {name}"
        for module in members
        for name in module.imports()
        if within(name, "providers") and not within_any(name, MAY_IMPORT_INSIDE[part])
        if not any(module.name == a and within(name, b) for a, b in EXCEPTIONS)
    ]
    assert wrong == []


@pytest.mark.parametrize("part", MUST_NOT_IMPORT_INSIDE)
def test_a_part_of_providers_imports_none_above_it(part: str) -> None:
    (module,) = [module for module in modules() if module.name == part]
    above = tuple(f"providers.{name}" for name in MUST_NOT_IMPORT_INSIDE[part])
    assert [name for name in module.imports() if within_any(name, above)] == []


def test_an_adapter_knows_no_framework_and_no_other_upstream() -> None:
    adapters = {
        module.name: module for module in modules() if within(module.name, "providers.adapters")
    }
    registered = {name for name, module in adapters.items() if _registers(module)}
    assert len(registered) >= 10
    for module in adapters.values():
        used = {name.partition(".")[0] for name in module.imports()}
        assert used <= ADAPTERS_MAY_USE, module.name
        assert not module.imports() & registered, f"{module.name} imports another adapter"


def _registers(module: Module) -> bool:
    return "providers.registry" in module.imports()


@pytest.mark.parametrize("library", DOORS)
def test_a_library_behind_a_door_is_used_there_alone(library: str) -> None:
    users = {m.name for m in modules() for name in m.imports() if within(name, library)}
    assert users, f"{library} has moved; so should its door here"
    assert users <= set(DOORS[library])


def test_the_environment_is_read_in_one_place() -> None:
    """`os.environ.setdefault` of an entry point writes; everything else reads."""
    wrong = [
        f"{module.name}:{node.lineno}"
        for module in modules()
        if module.name not in READ_THE_ENVIRONMENT
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute | ast.ImportFrom) and _touches_environment(node)
        if "os.environ.setdefault('DJANGO_SETTINGS_MODULE'" not in _line(module, node)
    ]
    assert wrong == []


def _touches_environment(node: ast.Attribute | ast.ImportFrom) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(a.name in ("environ", "getenv") for a in node.names)
    return ast.unparse(node) in ("os.environ", "os.getenv", "os.environb")


def _line(module: Module, node: ast.AST) -> str:
    """The statement around a node."""
    return next(
        (
            ast.unparse(statement)
            for statement in ast.walk(module.tree)
            if isinstance(statement, ast.Expr) and node in ast.walk(statement)
        ),
        "",
    )


def test_nothing_prints() -> None:
    wrong = [
        f"{module.name}:{node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
    ]
    assert wrong == []


def test_no_modules_import_each_other_while_they_load() -> None:
    """Imports inside functions and for types may point back; those at the top may not."""
    needs = {m.name: {name for node in _top(m.tree) for name in _imported(node)} for m in modules()}
    for name in needs:
        assert name not in _reached(needs, name), f"{name} needs itself to load"


def _top(tree: ast.Module) -> Iterator[ast.AST]:
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node


def _reached(needs: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    ahead = list(needs[start])
    while ahead:
        if (name := ahead.pop()) not in seen:
            seen.add(name)
            ahead += needs.get(name, ())
    return seen
