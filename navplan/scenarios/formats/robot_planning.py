"""Problems as libMultiRobotPlanning writes them: YAML with a map and its agents.

A file holds ``map: {dimensions: [width, height], obstacles: [[x, y], …]}`` and ``agents: [{start: [x, y], goal: [x, y], …}, …]``;
x is the column and y the row, here from the top. Tags such as ``!!python/tuple`` are left out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from navplan.errors import FileFormatError
from navplan.scenarios.formats.yaml_settings import compose
from navplan.system.arrays import Bool, Float32
from navplan.system.bounds import MAX_SQUARES, MAX_YAML
from navplan.system.files import read_bytes
from navplan.system.paths import as_path

_WHOLE = re.compile(r"\d{1,6}")
_KEYS = re.compile(rb"^(map|agents)[ \t]*:", re.MULTILINE)
Pair = tuple[int, int]


def is_robot_planning(path: Path) -> bool:
    """Whether a YAML file has both a map and agents at its top level."""
    return {key.group(1) for key in _KEYS.finditer(read_bytes(path)[:MAX_YAML])} == {b"map", b"agents"}


class RobotProblem(NamedTuple):
    """What a file holds: walls (H, W) bool; starts and goals (A, 2) float32, (row, col) of the middles of cells."""

    walls: Bool
    starts: Float32
    goals: Float32


def read_robot_planning(path: str | Path) -> RobotProblem:
    """The map, and the agents with starts and goals in the middle of their cells.

    Raises:
        FileAccessError: the file cannot be read.
        FileFormatError: malformed; names the line.
        MissingExtra: PyYAML is not installed.
    """
    file = as_path(path)
    top = _mapping(file, compose(file), "the file")
    grid = _mapping(file, _of(file, top, "map", "the file"), "map")
    width, height = _pair(file, _of(file, grid, "dimensions", "map"), "dimensions")
    if width < 1 or height < 1 or width * height > MAX_SQUARES:
        raise FileFormatError(file, f"dimensions are {width} x {height}, expected 1 to {MAX_SQUARES} cells")
    walls = np.zeros((height, width), np.bool_)
    for x, y in (
        _pair(file, node, "an obstacle", (width, height)) for node in _sequence(file, grid.get("obstacles"), "obstacles")
    ):
        walls[y, x] = True
    ends: dict[str, list[list[float]]] = {"start": [], "goal": []}
    for k, node in enumerate(_sequence(file, _of(file, top, "agents", "the file"), "agents")):
        agent = _mapping(file, node, f"agent {k}")
        for what, places in ends.items():
            x, y = _pair(file, _of(file, agent, what, f"agent {k}"), f"agent {k}: {what}", (width, height))
            places.append([y + 0.5, x + 0.5])
    starts, goals = (np.array(places, np.float32).reshape(-1, 2) for places in ends.values())
    return RobotProblem(walls, starts, goals)


def _mapping(path: Path, node: Any, what: str) -> dict[str, Any]:
    if node is None or node.id != "mapping":
        raise _wrong(path, node, f"{what} is no mapping, expected map (dimensions, obstacles) and agents (start, goal)")
    return {key.value: value for key, value in node.value if isinstance(key.value, str)}


def _of(path: Path, mapping: dict[str, Any], key: str, what: str) -> Any:
    if key not in mapping:
        raise FileFormatError(path, f"{what} has no {key}, expected map (dimensions, obstacles) and agents (start, goal)")
    return mapping[key]


def _sequence(path: Path, node: Any, what: str) -> list[Any]:
    if node is None or (node.id == "scalar" and not node.value):
        return []
    if node.id != "sequence":
        raise _wrong(path, node, f"{what} are no list")
    parts: list[Any] = node.value
    return parts


def _pair(path: Path, node: Any, what: str, below: Pair | None = None) -> Pair:
    """[x, y], both whole and within the map."""
    texts = [part.value if part.id == "scalar" else "" for part in node.value] if node.id == "sequence" else []
    if len(texts) != 2 or not all(_WHOLE.fullmatch(text) for text in texts):
        raise _wrong(path, node, f"{what} must be [x, y], two whole numbers")
    x, y = (int(text) for text in texts)
    if below is not None and not (x < below[0] and y < below[1]):
        raise _wrong(path, node, f"{what} [{x}, {y}] is outside the map of width {below[0]} and height {below[1]}")
    return x, y


def _wrong(path: Path, node: Any, message: str) -> FileFormatError:
    return FileFormatError(path, message, None if node is None else node.start_mark.line + 1)
