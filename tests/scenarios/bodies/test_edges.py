"""Edges that a body cannot take."""

from __future__ import annotations

import numpy as np

from navplan.graph.state_graph import StateGraph
from navplan.plan.problem import Problem
from navplan.plan.validation import validate
from navplan.planners.solving import solve
from navplan.scenarios.bodies.body import Body
from navplan.scenarios.bodies.edges import forbidden_edges


def graph_of(points, pairs) -> StateGraph:
    """Symmetric edges of their own length between places."""
    places = np.array(points, np.float32)
    both = sorted({(u, v) for u, v in pairs} | {(v, u) for u, v in pairs})
    tails, heads = np.array(both, np.int32).T
    indptr = np.searchsorted(tails, np.arange(len(places) + 1)).astype(np.int32)
    length = np.linalg.norm(places[tails] - places[heads], axis=1).astype(np.float64)
    return StateGraph(places, indptr, heads.astype(np.int32), length, np.zeros(len(heads)), np.zeros(len(places)))


# From 0 to 4: a short way with a corner of a right angle (1), a longer one with gentle bends (2, 3).
ROUND = graph_of(
    [(0, 0), (4, 0), (2.5, -1.5), (5.5, 0.5), (4, 4), (-3, 0), (4, 7)],
    [(0, 1), (1, 4), (0, 2), (2, 3), (3, 4), (5, 0), (4, 6)],
)


def test_a_car_goes_the_gentle_way_and_others_the_short_one() -> None:
    car, unicycle = Body("car", min_turn_radius=4.1), Body("unicycle")
    masks = forbidden_edges(ROUND, [car, unicycle], [5, 0], [6, 4])
    assert masks[1] is None
    assert masks[0] is not None
    alone = Problem(ROUND, [5], [6], forbidden=masks[:1])
    plan = solve(alone, "cbs")
    validate(plan, alone)
    assert 1 not in plan.paths[0]
    assert 1 in solve(Problem(ROUND, [5], [6]), "cbs").paths[0]
    assert forbidden_edges(ROUND, [Body("car", min_turn_radius=0.5)], [5], [6]) == (None,)


def test_no_turn_is_needed_before_a_start_or_after_a_goal() -> None:
    """A car that starts at the corner may leave it either way."""
    (mask,) = forbidden_edges(ROUND, [Body("car", min_turn_radius=4.1)], [1], [0])
    plan = solve(Problem(ROUND, [1], [0], forbidden=(mask,)), "cbs")
    assert plan.paths[0].tolist() == [1, 0]


def test_dead_ends_are_left_the_way_that_they_were_entered() -> None:
    straight = graph_of([(0, 0), (2, 0), (4, 0), (6, 0)], [(0, 1), (1, 2), (2, 3)])
    assert forbidden_edges(straight, [Body("car", min_turn_radius=9.0)], [1], [2]) == (None,)


def test_corridors_without_room_for_the_tube_are_closed_but_at_the_ends() -> None:
    walls = np.zeros((5, 9), bool)
    walls[1, 1:8] = walls[3, 1:8] = True
    graph = StateGraph.from_grid(walls)
    node = {tuple(cell): k for k, cell in enumerate(graph.cells().tolist())}
    masks = forbidden_edges(
        graph, [Body("quad", radius=0.45, tube=0.2), Body("point", radius=0.45)], [node[2, 0]] * 2, [node[2, 8]] * 2
    )
    assert masks[1] is None
    assert masks[0] is not None
    inside = [node[2, col] for col in range(1, 8)]
    tails = np.repeat(np.arange(graph.num_nodes), np.diff(graph.indptr))
    among = np.isin(tails, inside) & np.isin(graph.indices, inside)
    assert masks[0][among].all()
    ends = np.isin(tails, [node[2, 0], node[2, 8]]) | np.isin(graph.indices, [node[2, 0], node[2, 8]])
    assert not masks[0][ends].any()
