"""Bodies of different radii against walls and one another: validator, planners and rooms beside an oracle of another make."""

from __future__ import annotations

import contextlib
import dataclasses
import os

import numpy as np
import pytest
import shapely
from shapely.geometry import Polygon

from navplan.errors import InvalidProblem
from navplan.graph.state_graph import StateGraph
from navplan.plan.plan import Plan, make_plan
from navplan.plan.problem import Problem
from navplan.plan.validation import violations, walls_checked
from navplan.planners.solving import solve
from navplan.scenarios.maps import grid_graph
from navplan.scenarios.worlds.world import World
from tests.support.critics import FieldCritics
from tests.support.naive.bodies import close_pairs, wall_steps

# More of them by NAVPLAN_BODIES=2000.
INSTANCES = int(os.environ.get("NAVPLAN_BODIES", "100"))


def random_world(rng: np.random.Generator) -> World:
    """A small grid, or a box with triangles and a ring."""
    if rng.random() < 0.5:
        walls = rng.random((rng.integers(2, 9), rng.integers(2, 9))) < 0.2
        walls[tuple(rng.integers(walls.shape))] = False
        return World.from_walls("grid", walls)
    triangles = [Polygon(rng.uniform(0, 9, 2) + rng.uniform(-1.5, 1.5, (3, 2))) for _ in range(int(rng.integers(1, 5)))]
    ring = Polygon([(1, 1), (1, 4.5), (4.2, 4.5), (4.2, 1)], [[(1.3, 1.3), (1.3, 4.2), (3.9, 4.2), (3.9, 1.3)]])
    chosen = [*triangles, ring] if rng.random() < 0.5 else triangles
    return World("polygons", None, 9.0, 9.0, tuple(p for p in chosen if p.area > 0.01))


def random_graph(world: World, rng: np.random.Generator) -> StateGraph:
    """The world's cells, or states anywhere, in walls too, with edges between near ones."""
    if world.is_grid or rng.random() < 0.3:
        graph = grid_graph(world)
        if graph.num_nodes > 1:
            return graph
    states = rng.uniform(0, (world.height, world.width), (25, 2))
    return StateGraph.from_states(states, FieldCritics(), 2.5, world=world)


def random_plan(graph: StateGraph, rng: np.random.Generator) -> tuple[Plan, Problem]:
    """Walks that ask nobody: bodies may hit walls and one another. What the problem would refuse is not asked of it."""
    agents = int(rng.integers(1, min(5, graph.num_nodes) + 1))
    paths = []
    for start in rng.choice(graph.num_nodes, agents, replace=False).tolist():
        path = [int(start)]
        for _ in range(int(rng.integers(0, 8))):
            low, high = graph.indptr[path[-1]], graph.indptr[path[-1] + 1]
            path.append(int(rng.choice([path[-1], *graph.indices[low:high].tolist()])))
        paths.append(path)
    ends = list(dict.fromkeys(path[-1] for path in paths))
    paths = [next(path for path in paths if path[-1] == end) for end in ends]
    problem = Problem(graph, [p[0] for p in paths], ends, radius=0.0, clearance=0.0)  # type: ignore[arg-type]
    plan = make_plan(problem, "walk", "feasible", paths)
    radii = rng.choice([0.0, 0.1, 0.25, 0.5, 0.8, 1.4], len(paths)) + rng.choice([0.0, 0.03], len(paths))
    # Past the check of starts and goals: the validator has to find these bodies in walls by itself.
    object.__setattr__(problem, "radius", radii)
    object.__setattr__(problem, "clearance", float(rng.choice([0.0, 0.3, 0.9, 1.6])))
    return plan, problem


@pytest.mark.parametrize("seed", range(INSTANCES))
def test_the_validator_sees_what_the_oracle_sees(seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = None
    while drawn is None:  # again where a start without a radius lies in a wall
        world = random_world(rng)
        with contextlib.suppress(InvalidProblem):
            drawn = random_plan(random_graph(world, rng), rng)
    plan, problem = drawn
    found = violations(plan, problem, world=world)
    assert walls_checked(problem, world) == "map"
    assert {(v.agents[0], v.step) for v in found if v.kind == "wall"} == wall_steps(plan, problem, world)
    close = {(*v.agents, v.step) for v in found if v.kind == "clearance"}
    assert close == close_pairs(plan, problem, problem.spacing)


@pytest.mark.parametrize("seed", range(20))
def test_planned_bodies_keep_clear_of_walls_and_of_one_another(seed: int) -> None:
    rng = np.random.default_rng(seed)
    radii = np.array([0.4, 0.05])
    nodes = np.empty(0, np.intp)
    while len(nodes) < 4:  # again where there is no room for two bodies
        world = random_world(rng)
        graph = random_graph(world, rng)
        nodes = np.flatnonzero(graph.node_room >= 0.4)
    picked = rng.choice(nodes, 4, replace=False)
    problem = Problem(graph, picked[:2], picked[2:], radius=radii)
    for name in ("cbs", "ecbs"):
        plan = solve(problem, name, time_limit=5.0)
        if plan.solved:
            assert violations(plan, problem) == []
            assert wall_steps(plan, problem, world) == set()
            assert close_pairs(plan, problem, problem.spacing) == set()


def two_gaps() -> StateGraph:
    """A wall with a gap of one cell near, and a gap of three cells far."""
    walls = np.zeros((9, 13), bool)
    walls[4] = True
    walls[4, 2] = walls[4, 8:11] = False
    return StateGraph.from_grid(walls)


def node_at(graph: StateGraph, row: int, col: int) -> int:
    return int(np.flatnonzero((graph.cells() == (row, col)).all(axis=1))[0])


def test_a_wide_body_takes_the_wide_gap_and_a_thin_one_the_near_gap() -> None:
    graph = two_gaps()
    ends = [[node_at(graph, row, col) for col in (2, 6)] for row in (2, 6)]
    problem = Problem(graph, ends[0], ends[1], radius=np.array([1.2, 0.2]))
    plan = solve(problem, "cbs")
    assert violations(plan, problem) == []
    assert [4, 9] in plan.cells(0).tolist()
    alone = Problem(graph, ends[0][:1], ends[1][:1], radius=0.2)
    assert [4, 2] in solve(alone, "cbs").cells(0).tolist()
    forced = dataclasses.replace(plan, paths=solve(alone, "cbs").paths, coordinates=solve(alone, "cbs").coordinates, num_agents=1)
    wide = Problem(graph, ends[0][:1], ends[1][:1], radius=1.2)
    assert {v.kind for v in violations(forced, wide)} >= {"wall"}


def test_planners_that_know_nodes_tell_bodies_apart_on_grids() -> None:
    graph = two_gaps()
    ends = [[node_at(graph, row, col) for col in (2, 6)] for row in (2, 6)]
    problem = Problem(graph, ends[0], ends[1], radius=np.array([1.2, 0.2]), clearance=0.0)
    best = solve(problem, "cbs").sum_of_costs
    for name in ("ecbs", "eecbs", "prioritized", "pbs", "lns", "lacam", "pibt"):
        plan = solve(problem, name, time_limit=2.0)
        assert violations(plan, problem) == [], name
        assert plan.sum_of_costs is not None
        assert best is not None
        assert plan.sum_of_costs >= best
    for name in ("anytime", "risk"):
        with pytest.raises(InvalidProblem, match="have room in the same places"):
            solve(problem, name)


def test_bodies_without_room_are_refused_by_name() -> None:
    gap = np.ones((3, 3), bool)
    gap[1] = False
    graph = StateGraph.from_grid(gap)
    with pytest.raises(InvalidProblem, match=r"agent 1: its start, node 1, has room for radius 0\.5, its body has 3"):
        Problem(graph, [0, 1], [2, 0], radius=np.array([0.2, 3.0]))
    hall = StateGraph.from_grid(np.zeros((12, 12), bool))
    side_by_side = Problem(
        hall, [node_at(hall, 5, 5), node_at(hall, 5, 6)], [node_at(hall, 6, 5), node_at(hall, 6, 6)], radius=3.0
    )
    assert side_by_side.spacing == 6.0
    assert solve(side_by_side, "cbs").status == "infeasible"


def test_headings_are_no_metres() -> None:
    """Agents that cross at (5, 5) at time 1 with headings 0 and 3."""
    states = [[4, 5, 0], [5, 5, 0], [6, 5, 0], [5, 4, 3], [5, 5, 3], [5, 6, 3]]
    arrays = ([0, 1, 2, 2, 3, 4, 4], [1, 2, 4, 5], np.ones(4), np.zeros(4), np.zeros(6))
    bare = StateGraph(states, *arrays)  # type: ignore[arg-type]
    assert bare.positions is None
    with pytest.raises(InvalidProblem, match="positions="):
        Problem(bare, [0, 3], [2, 5], radius=0.4)
    graph = dataclasses.replace(bare, positions=np.array(states, float)[:, :2])
    problem = Problem(graph, [0, 3], [2, 5], radius=0.4)
    plan = solve(problem, "cbs")
    assert plan.sum_of_costs == 6.0  # one of them waits until the other has left the crossing
    assert violations(plan, problem) == []
    together = make_plan(problem, "walk", "feasible", [[0, 1, 2], [3, 4, 5]])
    assert {v.kind for v in violations(together, problem)} == {"clearance"}


def test_decimetres_count_at_utm_coordinates() -> None:
    origin = np.array([500000.0, 5400000.0])
    states = origin + np.array([[0.0, 0.0], [0.0, 5.0], [0.6, 0.0], [0.6, 5.0]])
    arrays = ([0, 1, 2, 3, 4], [1, 0, 3, 2], np.ones(4), np.zeros(4), np.zeros(4))
    problem = Problem(StateGraph(states, *arrays), [0, 2], [1, 3], clearance=0.8)  # type: ignore[arg-type]
    assert solve(problem, "cbs").status == "infeasible"
    assert solve(dataclasses.replace(problem, clearance=0.5), "cbs").status == "optimal"
    with pytest.raises(InvalidProblem, match="float32 states too large"):
        Problem(StateGraph(states.astype(np.float32), *arrays), [0, 2], [1, 3], clearance=0.8)  # type: ignore[arg-type]
    with pytest.raises(InvalidProblem, match="too coarse for a clearance"):
        Problem(StateGraph(states * 1e6, *arrays), [0, 2], [1, 3], clearance=0.8)  # type: ignore[arg-type]


def test_costs_whose_sums_overflow_are_refused() -> None:
    graph = StateGraph([[0, 0], [0, 1], [0, 2]], [0, 1, 2, 2], [1, 2], [1e308, 1e308], [0.0, 0.0], np.zeros(3))  # type: ignore[arg-type]
    with pytest.raises(InvalidProblem, match="edges cost up to 1e"):
        Problem(graph, [0], [2])
    risky = dataclasses.replace(graph, distance=np.ones(2), risk=np.full(2, 1e300))
    with pytest.raises(InvalidProblem, match="beta"):
        Problem(risky, [0], [2], beta=1e9)


def test_a_world_inflated_is_where_bodies_may_be() -> None:
    world = random_world(np.random.default_rng(4))
    free = world.inflated(0.3)
    points = free.sample(50, np.random.default_rng(0))
    solid = shapely.union_all(list(world.polygons)) if world.walls is None else None
    assert free.is_free(points).all()
    assert len(points) == 50
    if solid is not None:
        assert all(solid.distance(shapely.Point(p)) >= 0.3 - 1e-9 for p in points)
