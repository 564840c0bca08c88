"""Polygons from the rings that files give, refused where they are no simple polygon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from navplan.errors import InvalidInput
from navplan.system.arrays import Float64
from navplan.system.lazy import lazily

if TYPE_CHECKING:
    import shapely
else:
    shapely = lazily("shapely")

_MAX_COORDINATE = 1e6


def make_polygon(outline: Float64, holes: list[Float64]) -> shapely.Polygon:
    """A valid polygon from (N, 2) rings.

    Raises:
        InvalidInput: fewer than three vertices, coordinates beyond 1e6, or a ring that crosses itself.
    """
    for ring in (outline, *holes):
        if len(ring) < 3:
            raise InvalidInput(f"a ring has {len(ring)} vertices, expected at least 3")
        if np.abs(ring).max() > _MAX_COORDINATE:
            raise InvalidInput(f"a coordinate is beyond {_MAX_COORDINATE:g}")
    polygon = shapely.Polygon(outline, holes)
    if not polygon.is_valid or polygon.area == 0:
        raise InvalidInput("the outline crosses itself or has no area, expected a simple polygon")
    return polygon
