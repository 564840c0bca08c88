"""Problem statements that contradict themselves are refused in one line."""

from __future__ import annotations

import numpy as np
import pytest

import navplan as nv

GRID = nv.StateGraph.from_grid(np.zeros((3, 3), dtype=bool))


@pytest.mark.parametrize(
    ("starts", "goals", "message"),
    [
        ([], [], "at least one agent"),
        ([0], [1, 2], "1 starts but 2 goals"),
        ([0, 0], [1, 2], "agents 0 and 1 share start node 0"),
        ([0, 1], [2, 2], "agents 0 and 1 share goal node 2"),
        ([0], [9], r"agent 0: goal node 9 is not in 0\.\.8"),
        ([-1], [2], "agent 0: start node -1"),
        ([0.5], [2], "integer node ids"),
    ],
)
def test_contradictions(starts: list[int], goals: list[int], message: str) -> None:
    with pytest.raises(nv.InvalidProblem, match=message):
        nv.Problem(GRID, starts, goals)


@pytest.mark.parametrize("option", ["radius", "clearance", "beta", "wait_cost"])
@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), 1e308, "2", [1.0, 2.0]])
def test_bad_numbers(option: str, value: float) -> None:
    with pytest.raises(nv.InvalidProblem, match=f"{option} is .*, expected a number"):
        nv.Problem(GRID, [0], [1], **{option: value})


def test_default_clearance_depends_on_the_kind_of_graph() -> None:
    assert nv.Problem(GRID, [0], [1]).spacing == 0.0
    states = np.array([[0, 0], [3, 0]], dtype=np.float32)
    graph = nv.StateGraph(states, np.array([0, 1, 1]), np.array([1]), np.array([3.0]), np.array([0.0]), np.zeros(2))
    assert nv.Problem(graph, [0], [1], radius=0.3).spacing == pytest.approx(0.6)
