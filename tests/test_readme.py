"""What the README and `.env.example` promise is what the code has, and the other way round."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import resolve

from providers import catalogue, registry
from providers.datasets import LISTING

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
SETTINGS = ast.parse((ROOT / "aggregator" / "settings.py").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]

SECTION = re.compile(r"^## (.+)$", re.MULTILINE)


def section(title: str) -> str:
    """The text of one section of the README."""
    parts = SECTION.split(README)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[title]


def first_column(table: str) -> list[str]:
    """What stands in backticks at the start of a table's rows."""
    return re.findall(r"^\| `([^`]+)` ", table, re.MULTILINE)


def asked(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """The variables that a piece of settings.py asks `env` for, with the calls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and re.fullmatch(r"env\.\w+", ast.unparse(node.func)):
            names = ast.literal_eval(node.args[0])
            yield from ((name, node) for name in ([names] if isinstance(names, str) else names))


def read_variables() -> set[str]:
    found = {name for name, _ in asked(SETTINGS)}
    assert len(found) > 15
    return found


def defaults() -> dict[str, str]:
    """Of `env.text("NAME", default)` and of `env.text("NAME") or default`, as one would type it."""
    found = {name: call.args[1] for name, call in asked(SETTINGS) if len(call.args) > 1}
    for node in ast.walk(SETTINGS):
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
            found |= {name: node.values[1] for name, _ in asked(node.values[0])}
    return {name: spelled(value) for name, value in found.items()}


def spelled(default: ast.expr) -> str:
    """True is 1, and a path under the project is relative to it."""
    last = default.right if isinstance(default, ast.BinOp) else default
    value = ast.literal_eval(last)
    return str(int(value) if isinstance(value, bool) else value)


def test_the_example_names_exactly_the_settings_that_are_read() -> None:
    named = re.findall(r"^#?([A-Z][A-Z0-9_]+)=", EXAMPLE, re.MULTILINE)
    assert sorted(named) == sorted(read_variables())


def test_the_keys_that_are_read_are_those_that_the_catalogue_names() -> None:
    [node] = {node for _, node in asked(SETTINGS) if ast.unparse(node.func) == "env.keys"}
    listed = ast.literal_eval(node.args[0])
    assert set(listed) == {name for entry in catalogue.load().providers for name in entry.key_env}


def test_the_example_sets_nothing() -> None:
    assert not re.search(r"^[^#\n]", EXAMPLE, re.MULTILINE), "it may be copied as it is"


def test_a_default_in_the_example_is_the_default() -> None:
    shown = dict(re.findall(r"^#([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
    for name, default in defaults().items():
        assert shown[name] == default, name


def test_the_settings_of_the_readme_exist() -> None:
    named = first_column(section("Settings"))
    assert len(named) >= 10
    assert set(named) <= read_variables()


def test_the_commands_of_the_readme_are_targets() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", "\n".join(code(README))))
    assert {"run", "test", "test-all", "lint", "bench", "sandbox"} <= named
    assert named <= targets


def test_the_management_commands_of_the_readme_exist() -> None:
    named = {word for text in code(README) for word in re.findall(r"manage\.py (\w+)", text)}
    assert {"backup", "restore", "rotatekeys", "sandbox"} <= named
    assert named <= set(get_commands())


def code(text: str) -> list[str]:
    """What is set as code: fenced blocks and what stands in backticks."""
    fences = re.findall(r"```.*?```", text, re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return [*fences, *inline]


def test_the_routes_of_the_readme_resolve() -> None:
    joined = "\n".join(code(README))
    found = set(
        re.findall(
            r"(?<![\w.])(?:localhost:\d+)?(/(?:api|docs|admin|explore|healthz|readyz)\b[^\s'\"?`)]*)",
            joined,
        )
    )
    assert len(found) >= 12
    for route in sorted(found):
        match = resolve(re.sub(r"\{\w+\}", "bitcoin", route))
        assert getattr(match.func, "__name__", "") != "nothing_here", route


def test_the_providers_of_the_readme_are_those_of_the_catalogue() -> None:
    table = re.findall(r"^\| `(\w+)` \| (.+?) \| (.*?)\|$", section("Providers"), re.MULTILINE)
    shown = {
        slug: (re.sub(r" \(.+?\)", "", datasets), bool(key.strip()))
        for slug, datasets, key in table
    }
    others = [entry for entry in catalogue.load().providers if entry.category != "llm"]
    assert shown == {entry.slug: _facts(entry) for entry in others}


def test_who_is_called_paid_in_the_readme_is_not_free_in_the_catalogue() -> None:
    keys = dict(re.findall(r"^\| `(\w+)` \| .+? \| (.*?)\|$", section("Providers"), re.MULTILINE))
    paid = {slug for slug, key in keys.items() if key.startswith("paid")}
    assert len(paid) >= 3
    others = [e for e in catalogue.load().providers if e.category != "llm"]
    assert paid == {e.slug for e in others if e.cost_per_call != 0}


def test_the_language_models_of_their_page_are_those_of_the_catalogue() -> None:
    page = (ROOT / "docs/llm.md").read_text()
    table = re.findall(r"^\| `(\w+)`(.*?) \| (.*?) ?\| (.+?) \|$", page, re.MULTILINE)
    shown = {slug: (off, model, key) for slug, off, model, key in table if key in keys_of(slug)}
    assert shown == {e.slug: _told(e) for e in catalogue.load().providers if e.category == "llm"}


def keys_of(slug: str) -> tuple[str, ...]:
    """How the page may tell the key of a row; nothing for rows of its other tables."""
    entries = [e for e in catalogue.load().providers if e.slug == slug]
    return tuple(_told(entry)[2] for entry in entries)


def _told(entry: catalogue.ProviderEntry) -> tuple[str, str, str]:
    if entry.adapter == "retired":
        return "", "", "retired"
    model = entry.options.get("model")
    key = ", ".join(f"`{name}`" for name in entry.key_env) or "none"
    return "" if entry.enabled else " (off)", f"`{model}`" if model else "yours", key


def _facts(entry: catalogue.ProviderEntry) -> tuple[str, bool]:
    """The datasets visitors may ask it for, and whether it needs a key."""
    adapter = registry.get(entry.adapter)
    offered = [query.dataset.name for query in adapter.offers if query.dataset is not LISTING]
    return ", ".join(offered) or "–", bool(adapter.auth and adapter.auth.required)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)|src=\"([^\"]+)\"", text):
        link = "".join(target)
        if not link.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / link).exists(), link
    anchors = {re.sub(r"[^\w -]", "", t).strip().lower().replace(" ", "-") for t in _titles(text)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors


def _titles(text: str) -> list[str]:
    return re.findall(r"^#+ (.+)$", text, re.MULTILINE)


def test_make_lists_every_target() -> None:
    said = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE)
    assert len(targets) >= 7
    assert re.findall(r"^  make ([a-z-]+) ", said, re.MULTILINE) == targets


def test_the_chains_of_the_readme_are_those_that_are_answered() -> None:
    (row,) = re.findall(r"^\| `/api/gas` \| .*: `chain` (.+) \|$", README, re.MULTILINE)
    assert sorted(re.split(r", | or ", row)) == registry.chains()
