"""Plan files: JSON read and written, and the values in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from navplan.errors import FileFormatError
from navplan.system.arrays import Float64, Int32
from navplan.system.files import read_bytes, write_text
from navplan.system.numbers import is_finite
from navplan.system.reading import parse_json, shown

FORMAT = "navplan-plan-1"


def write_document(path: str | Path, document: Mapping[str, Any]) -> None:
    """Write one line of JSON."""
    write_text(path, json.dumps(document, allow_nan=False) + "\n")


def read_document(path: str | Path) -> dict[str, Any]:
    """What a plan file holds, as it is written there.

    Raises:
        FileFormatError: not JSON, or not of this format.
        FileAccessError: it cannot be read.
    """
    document = parse_json(path, read_bytes(path), "a plan file")
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise FileFormatError(path, f'expected a plan file with "format": "{FORMAT}"')
    return document


def check_paths(document: Mapping[str, Any], paths: Sequence[Int32], coordinates: Sequence[Float64]) -> None:
    """Raise ValueError unless paths, coordinates and what the document says of them fit."""
    if document["coordinates_order"] != "row, col":
        raise ValueError(f"coordinates_order {document['coordinates_order']!r}")
    if document["times"] != [list(range(len(p))) for p in paths]:
        raise ValueError("times must count 0, 1, 2, … along each path")
    if document["makespan"] != (max(len(p) for p in paths) - 1 if paths else None):
        raise ValueError(f"makespan {document['makespan']!r} is not that of the paths")
    if len(paths) != len(coordinates) or any(len(p) != len(c) for p, c in zip(paths, coordinates, strict=False)):
        raise ValueError("paths and coordinates differ in length")
    if any(p.ndim != 1 or p.size == 0 for p in paths) or any(c.ndim != 2 for c in coordinates):
        raise ValueError("paths must be flat and not empty, coordinates (T, D)")


def checked_problem(values: Any, agents: int) -> dict[str, Any]:
    """What the document says of its problem; raises ValueError where that is not of the kind that a problem has."""
    says = dict(values)
    for name in ("beta", "clearance", "wait_cost"):
        if name in says and not (is_finite(says[name]) and says[name] >= 0):
            raise ValueError(f"problem {name} {shown(says[name])} is no number of at least 0")
    radii = says.get("radius", 0.0)
    for radius in radii if isinstance(radii, list) and len(radii) == agents else [radii]:
        if not (is_finite(radius) and radius >= 0):
            raise ValueError(f"problem radius {shown(radii)} is not one number of at least 0, or one for each of {agents} agents")
    for name in ("start_states", "goal_states"):
        rows = says.get(name)
        if rows is not None and not (
            isinstance(rows, list)
            and len(rows) == agents
            and all(isinstance(row, list) and len(row) == len(rows[0]) and all(map(is_finite, row)) for row in rows)
        ):
            raise ValueError(f"problem {name} {shown(rows)} is not one state of finite numbers for each of {agents} agents")
    return says


def shared_rows(paths: Sequence[Int32], coordinates: Sequence[Float64]) -> list[list[list[float]]]:
    """The coordinates as lists, one list object per node where a node's coordinates are always the same, as they should be."""
    if not paths:
        return []
    nodes, first, which = np.unique(np.concatenate(paths), return_index=True, return_inverse=True)
    points = np.concatenate(coordinates)
    if len(points) != len(which) or not np.array_equal(points[first][which], points):
        return [c.tolist() for c in coordinates]
    rows = dict(zip(nodes.tolist(), points[first].tolist(), strict=True))
    return [[rows[node] for node in path.tolist()] for path in paths]


def finite(value: Any) -> float | None:
    """A finite number, or None for null; raises ValueError for anything else."""
    if value is None:
        return None
    if not is_finite(value):
        raise ValueError(f"{shown(value)} is no finite number")
    return float(value)


def finite_list(values: Any) -> tuple[float, ...]:
    """A list of finite numbers; raises ValueError for anything else."""
    if not isinstance(values, list) or not all(map(is_finite, values)):
        raise ValueError(f"{shown(values)} is not a list of finite numbers")
    return tuple(float(value) for value in values)


def whole_numbers(values: Any) -> Int32:
    """(T,) int32 node ids; raises ValueError for anything else than a list of integers."""
    if not isinstance(values, list) or any(type(value) is not int for value in values):
        raise ValueError("a path holds something else than node ids")
    return np.asarray(values, dtype=np.int32)


def map_shape(value: Any) -> tuple[int, int] | None:
    """(H, W), or None for null; raises ValueError for anything else."""
    if value is None:
        return None
    height, width = value
    if type(height) is not int or type(width) is not int or height < 1 or width < 1:
        raise ValueError(f"shape {value!r}")
    return height, width
