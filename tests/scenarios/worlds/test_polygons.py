from __future__ import annotations

import numpy as np
import pytest

from navplan.errors import InvalidInput
from navplan.scenarios.worlds.polygons import make_polygon

SQUARE = np.array([(0.0, 0.0), (0.0, 4.0), (4.0, 4.0), (4.0, 0.0)])


def test_holes_are_taken_out() -> None:
    assert make_polygon(SQUARE, [SQUARE / 4 + 1]).area == 15.0


@pytest.mark.parametrize(
    ("outline", "message"),
    [
        (SQUARE[:2], "a ring has 2 vertices, expected at least 3"),
        (SQUARE * 1e6, "a coordinate is beyond 1e+06"),
        (SQUARE[[0, 2, 1, 3]], "the outline crosses itself"),
        (SQUARE * [1, 0], "has no area, expected a simple polygon"),
    ],
)
def test_what_is_no_polygon(outline: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        make_polygon(outline, [])
    assert message in str(caught.value)
