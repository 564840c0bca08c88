"""What lies where in the house; only names of files are looked at, nothing is imported."""

from __future__ import annotations

from pathlib import Path

from tests.support.folders import CHECKOUT

PACKAGE = CHECKOUT / "navplan"
TESTS = CHECKOUT / "tests"


def folders(above: Path) -> set[str]:
    """Folders with Python files under `above`, at any depth."""
    return {str(file.parent.relative_to(above)) for file in above.rglob("*.py")} - {"."}


def test_nothing_lies_loose_at_the_root() -> None:
    assert {path.name for path in PACKAGE.iterdir() if path.is_file()} == {"__init__.py", "__main__.py", "errors.py", "py.typed"}


def test_every_folder_of_tests_mirrors_a_room() -> None:
    beside = {name for name in folders(TESTS) if name.split("/")[0] == "support"}
    assert beside
    assert folders(TESTS) - beside - folders(PACKAGE) == set()
