"""Polygons of any GeoJSON file (RFC 7946) as the obstacles of a world.

Such a file says nothing of cells: one unit of its coordinates becomes one cell, so they must be planar (say metres), not degrees.
x grows to the right and y upwards there; here row 0 is the top. The box is the file's "bbox", or what just holds all polygons.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from navplan.errors import FileFormatError, InvalidInput
from navplan.scenarios.formats.checks import as_points
from navplan.scenarios.worlds.polygons import make_polygon
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Float64
from navplan.system.numbers import is_finite
from navplan.system.reading import shown

Part = tuple[str, list[Float64]]
"""What it is in the file, and its rings, (N, 2) x, y each."""


def plain_world(path: str | Path, document: dict[str, Any]) -> World:
    """The world of a FeatureCollection, Feature or geometry; features without a geometry are left out.

    Raises:
        FileFormatError: another geometry than polygons, no polygon and no bbox, a box of less than a cell or one that a polygon
            leaves, a polygon that crosses itself.
    """
    parts = list(_parts(path, "the document", document))
    box = document.get("bbox")
    if box is None:
        if not parts:
            raise FileFormatError(path, 'holds no polygon and no "bbox", expected one of them')
        corners = np.concatenate([ring for _, rings in parts for ring in rings])
        (west, south), (east, north) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    elif isinstance(box, list) and len(box) in (4, 6) and all(map(is_finite, box)):
        half = len(box) // 2
        west, south, east, north = (float(value) for value in (*box[:2], *box[half : half + 2]))
    else:
        raise FileFormatError(path, f"bbox is {shown(box)}, expected [west, south, east, north]")
    width, height = east - west, north - south
    if not (1 <= width < np.inf and 1 <= height < np.inf):
        size = f"{width:.3g} x {height:.3g} units"
        raise FileFormatError(
            path, f"the map has {size}, expected at least 1 x 1: planar coordinates, one unit a cell, no degrees"
        )
    polygons = []
    for what, rings in parts:
        outline, *holes = (np.stack([north - ring[:, 1], ring[:, 0] - west], axis=1) for ring in rings)
        try:
            polygons.append(make_polygon(outline, holes))
        except InvalidInput as error:
            raise FileFormatError(path, f"{what}: {error}") from error
    return World(Path(path).stem, None, height, width, tuple(polygons))


def _parts(path: str | Path, what: str, item: object) -> Iterator[Part]:
    """The polygons in a GeoJSON object of any kind."""
    if not isinstance(item, dict):
        raise FileFormatError(path, f"{what} is {shown(item)}, expected a GeoJSON object")
    kind = item.get("type")
    if kind == "Feature":
        if item.get("geometry") is not None:
            yield from _parts(path, what, item["geometry"])
        return
    members = {"FeatureCollection": "features", "GeometryCollection": "geometries"}.get(str(kind))
    coordinates = item.get(members or "coordinates")
    if members is None and kind not in ("Polygon", "MultiPolygon"):
        raise FileFormatError(path, f"{what} is {shown(kind)}, expected Polygon or MultiPolygon")
    if not isinstance(coordinates, list):
        raise FileFormatError(path, f"{what}: {members or 'coordinates'} must be a list")
    if members is not None:
        name = "feature" if members == "features" else f"{what}: geometry"
        for index, part in enumerate(coordinates):
            yield from _parts(path, f"{name} {index}", part)
        return
    for polygon in [coordinates] if kind == "Polygon" else coordinates:
        rings = [_ring(ring) for ring in polygon] if isinstance(polygon, list) else []
        if not rings or any(ring is None for ring in rings):
            raise FileFormatError(path, f"{what}: expected rings of [x, y] pairs of numbers")
        yield what, [ring for ring in rings if ring is not None]


def _ring(value: object) -> Float64 | None:
    """(N, 2) x, y of a ring; heights are left out."""
    if isinstance(value, list):
        value = [point[:2] if isinstance(point, list) and len(point) == 3 else point for point in value]
    return as_points(value)
