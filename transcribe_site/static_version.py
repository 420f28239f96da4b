"""The name of this set of static files: a browser keeps each set for good, and never mixes two."""

from __future__ import annotations

from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

WHEELS = ("django", "django-htmx")  # that bring static files of their own
LENGTH = 12


def static_version(folder: Path) -> str:
    """A short hash over the names and contents of all files, and the versions of WHEELS."""
    known = sha256(" ".join(map(version, WHEELS)).encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            known.update(f"\0{path.relative_to(folder)}\0".encode())
            known.update(path.read_bytes())
    return known.hexdigest()[:LENGTH]
