"""Files of others are as they were published, and stand with their licence."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"
KNOWN = {
    "uplot-1.6.32/LICENSE": ("8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd"),
    "uplot-1.6.32/uPlot.iife.min.js": (
        "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"
    ),
    "uplot-1.6.32/uPlot.min.css": (
        "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04"
    ),
}


def test_they_are_as_they_were_published() -> None:
    files = [path for path in sorted(VENDOR.glob("*/*")) if path.is_file()]
    found = {str(path.relative_to(VENDOR)): sha256(path.read_bytes()).hexdigest() for path in files}
    assert found == KNOWN


def test_each_has_a_licence_and_a_line_that_says_where_it_is_from() -> None:
    told = (VENDOR / "README.md").read_text()
    for folder in VENDOR.iterdir():
        if folder.is_dir():
            assert (folder / "LICENSE").read_text().strip()
            assert f"`{folder.name}`" in told
