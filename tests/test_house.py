"""What lies where in the house, and that no name means two things; nothing is imported."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from tests.support.folders import CHECKOUT

PACKAGE = CHECKOUT / "navplan"
TESTS = CHECKOUT / "tests"
LONGEST = 400


def folders(above: Path) -> set[str]:
    """Folders with Python files under `above`, at any depth."""
    return {str(file.parent.relative_to(above)) for file in above.rglob("*.py")} - {"."}


def test_nothing_lies_loose_at_the_root() -> None:
    assert {path.name for path in PACKAGE.iterdir() if path.is_file()} == {"__init__.py", "__main__.py", "errors.py", "py.typed"}


def test_every_folder_of_tests_mirrors_a_room() -> None:
    beside = {name for name in folders(TESTS) if name.split("/")[0] == "support"}
    assert beside
    assert folders(TESTS) - beside - folders(PACKAGE) == set()


def test_files_stay_short() -> None:
    lengths = {str(path.relative_to(CHECKOUT)): len(path.read_bytes().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_one_name_for_one_class() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ClassDef):
                places[node.name.lstrip("_")].append(f"{path.relative_to(CHECKOUT)}:{node.lineno}")
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
