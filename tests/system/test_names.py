"""Names: a table of one's own, entry points of other distributions, imports put off."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

from navplan.errors import UnknownName
from navplan.system.names import Registry

TABLE = {"square": "math:sqrt", "late": "navplan_names_late:thing"}


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A distribution that registers two names in a group of its own; the group's name."""
    group = f"navplan.tests.{tmp_path.name}"
    info = tmp_path / "roots-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: roots\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\nsquare = math:floor\ncube = math:cbrt\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return group


def test_its_own_names_win_over_entry_points(others: str) -> None:
    roots: Registry[object] = Registry("root", TABLE, others)
    assert roots.names() == ["cube", "late", "square"]
    assert roots.get("square") is math.sqrt
    assert roots.get("cube") is math.cbrt


def test_without_a_group_there_are_its_own_names_only(others: str) -> None:
    roots: Registry[object] = Registry("root", TABLE)
    assert roots.names() == ["late", "square"]
    with pytest.raises(UnknownName):
        roots.get("cube")


def test_a_name_is_imported_when_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "navplan_names_late.py").write_text("thing = 7\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    roots: Registry[object] = Registry("root", TABLE)
    assert roots.names() == ["late", "square"]
    assert "navplan_names_late" not in sys.modules
    assert roots.get("late") == 7
    del sys.modules["navplan_names_late"]


def test_summaries(others: str) -> None:
    roots: Registry[object] = Registry("root", TABLE, others, {"square": "of two dimensions"})
    assert [roots.summary(name) for name in roots.names()] == ["from roots", "", "of two dimensions"]


def test_an_unknown_name_suggests_the_nearest(others: str) -> None:
    roots: Registry[object] = Registry("root", TABLE, others)
    for ask in (roots.get, roots.summary):
        with pytest.raises(UnknownName, match="unknown root 'sqare': did you mean 'square'"):
            ask("sqare")
    with pytest.raises(UnknownName, match="known: cube, late, square"):
        roots.get("x")
