"""The sandbox states the wire facts anew: neither it nor its tests know an adapter."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SOURCES = sorted(
    [
        *(ROOT / "providers" / "sandbox").rglob("*.py"),
        ROOT / "providers" / "management" / "commands" / "sandbox.py",
        *Path(__file__).parent.rglob("*.py"),
    ]
)
FORBIDDEN = ("providers.adapters", "providers.registry", "providers.http", "providers.client")


def imported(source: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_no_file_imports_an_adapter(source: Path) -> None:
    assert not [name for name in imported(source) if name.startswith(FORBIDDEN)]


def test_an_import_of_an_adapter_would_be_noticed(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text("from providers.adapters import kraken\nimport providers.adapters.okx\n")
    assert all(name.startswith(FORBIDDEN) for name in imported(file))
    assert len(imported(file)) == 2


def test_running_it_loads_no_adapter_and_no_framework() -> None:
    script = (
        "import sys; from providers.sandbox import server, sandbox; sandbox.Sandbox();"
        f"print([n for n in sys.modules if n.startswith({FORBIDDEN!r}) or n == 'django'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
