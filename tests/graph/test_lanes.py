from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from navplan.errors import InvalidInput
from navplan.graph.critics import EdgeCritics
from navplan.graph.lanes import LaneCritics
from navplan.graph.state_graph import StateGraph

SIZE = (10.0, 20.0)


class Field:
    """Risk of a pair: the columns of both ends, and ten times the row of the tail; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[np.ndarray, np.ndarray]] = []

    def evaluate(self, observations: ArrayLike, goals: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        tails, heads = np.asarray(observations), np.asarray(goals)
        self.asked.append((tails, heads))
        distance = np.abs(heads - tails).max(axis=1) + 1
        return distance.astype(np.float32), (tails[:, 1] ** 2 + heads[:, 1] + 10 * tails[:, 0]).astype(np.float32)


def test_both_sides_are_asked_about() -> None:
    field = Field()
    lanes = LaneCritics(field, 0.5, SIZE)
    assert isinstance(lanes, EdgeCritics)
    tails = np.array([[5.0, 5.0], [5.0, 5.0], [2.0, 3.0]], np.float32)
    heads = np.array([[7.0, 5.0], [5.0, 9.0], [5.0, 7.0]], np.float32)
    distance, risk = lanes.evaluate(tails, heads)
    np.testing.assert_array_equal(distance, [3.0, 5.0, 5.0])
    assert distance.dtype == risk.dtype == np.float32
    (_, _), (left, left_heads), (right, right_heads) = field.asked
    # the first edge leads along the rows, so that its sides differ in columns; the last is a 3-4-5 triangle
    np.testing.assert_allclose(np.sort([left[0], right[0]], axis=0), [[5.0, 4.5], [5.0, 5.5]])
    np.testing.assert_allclose(np.sort([left[1], right[1]], axis=0), [[4.5, 5.0], [5.5, 5.0]])
    np.testing.assert_allclose(np.sort([left[2], right[2]], axis=0), [[1.6, 2.7], [2.4, 3.3]], atol=1e-6)
    for side, ends in ((left, left_heads), (right, right_heads)):
        np.testing.assert_allclose(ends - side, heads - tails, atol=1e-6)
    np.testing.assert_allclose(risk, (Field().evaluate(left, left_heads)[1] + Field().evaluate(right, right_heads)[1]) / 2)


def test_waiting_costs_what_it_costs_on_the_spot() -> None:
    field = Field()
    here = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    for lanes in (LaneCritics(field, 0.5, SIZE), field):
        np.testing.assert_array_equal(lanes.evaluate(here, here)[1], [16.0, 50.0])


Point = tuple[float, float]
points = st.tuples(st.floats(0, 9.75, width=32), st.floats(0, 19.75, width=32))


@given(st.lists(st.tuples(points, points), max_size=8), st.floats(0.05, 3.0))
def test_sides_stay_on_the_map_and_at_their_distance(pairs: list[tuple[Point, Point]], half: float) -> None:
    field = Field()
    tails = np.array([pair[0] for pair in pairs], np.float32).reshape(-1, 2)
    heads = np.array([pair[1] for pair in pairs], np.float32).reshape(-1, 2)
    _, risk = LaneCritics(field, half, SIZE).evaluate(tails, heads)
    assert risk.shape == (len(pairs),)
    for side, ends in field.asked[1:]:
        for array in (side, ends):
            assert ((array >= 0) & (array < SIZE)).all()
    moving = (tails != heads).any(axis=1)
    for side, _ in field.asked[1:]:
        assert (np.linalg.norm(side - tails[moving], axis=1) <= half + 1e-4).all()


def test_a_graph_of_lanes_keeps_off_what_lines_just_miss() -> None:
    class Cliff:
        """Costs nothing at columns up to 5, much beyond."""

        def evaluate(self, observations: ArrayLike, goals: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
            tails, heads = np.asarray(observations), np.asarray(goals)
            distance = np.linalg.norm(heads - tails, axis=1).astype(np.float32)
            return np.maximum(distance, 0.01), np.where(np.maximum(tails[:, 1], heads[:, 1]) > 5, 4.0, 0.0).astype(np.float32)

    nodes = np.array([[2.0, 4.9], [4.0, 4.9], [2.0, 4.0], [4.0, 4.0]], np.float32)
    lines = StateGraph.from_states(nodes, Cliff(), max_distance=2.5)
    lanes = StateGraph.from_states(nodes, LaneCritics(Cliff(), 0.25, SIZE), max_distance=2.5)
    assert (lines.risk == 0).all()
    beside = {(0, 1): 2.0, (1, 0): 2.0, (2, 3): 0.0, (3, 2): 0.0}
    for (tail, head), risk in beside.items():
        low, high = lanes.indptr[tail], lanes.indptr[tail + 1]
        assert lanes.risk[low + np.searchsorted(lanes.indices[low:high], head)] == risk
    np.testing.assert_array_equal(lanes.wait_risk, lines.wait_risk)


@pytest.mark.parametrize(("half", "size"), [(0.0, SIZE), (-1.0, SIZE), (0.25, (0.0, 3.0)), (float("nan"), SIZE)])
def test_widths_that_make_no_sense(half: float, size: tuple[float, float]) -> None:
    with pytest.raises(InvalidInput, match="expected positive numbers"):
        LaneCritics(Field(), half, size)
