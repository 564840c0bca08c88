"""With what something was measured: the version of navplan, its sources, the packages and the machine."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import version as installed
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


@cache
def version() -> str:
    """Version of navplan."""
    return installed("navplan")


@cache
def code_hash(*rooms: str) -> str:
    """8 hex digits over the sources of rooms of the package: rows of one table should agree in it."""
    digest = hashlib.sha256()
    for room in rooms:
        for source in sorted((_PACKAGE / room).rglob("*.py")):
            digest.update(source.name.encode() + source.read_bytes())
    return digest.hexdigest()[:8]


def surroundings(*packages: str) -> dict[str, dict[str, str]]:
    """The machine and the versions of packages, as run.json holds them."""
    machine = {"system": platform.system(), "processor": platform.machine(), "python": platform.python_version()}
    return {"machine": machine, "packages": {name: installed(name) for name in packages}}
