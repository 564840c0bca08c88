from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from navplan.errors import InvalidInput
from navplan.learned.training.load import load_checkpoint
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.problems.draw import ProblemDrawer
from navplan.scenarios.problems.oracle import Oracle, oracle, pareto
from navplan.scenarios.problems.suites import load_problem_sets
from navplan.scenarios.registry import load_scenario
from navplan.scenarios.worlds.geodesic import geodesic_steps
from navplan.scenarios.worlds.world import Hazard, World
from tests.support.naive.single_agent import brute_force, make_moves

MAPS = [
    ["....", ".#..", "...."],
    [".....", "..##.", "....."],
    ["...", "##.", "..."],
    [".#.#.", ".....", "#.#.#"],
]


def tiny(rows: list[str], radius: float) -> World:
    walls = np.array([[cell == "#" for cell in row] for row in rows])
    return World.from_walls("tiny", walls, Hazard("linear", radius))


def draw(world: World, count: int, seed: int = 0, distance: tuple[float, float] = (1, math.inf)):
    drawer, rng = ProblemDrawer(world, distance=distance), np.random.default_rng(seed)
    pairs = [drawer.draw(1, rng) for _ in range(count)]
    return np.concatenate([pair[0] for pair in pairs]), np.concatenate([pair[1] for pair in pairs])


@cache
def coarse_oracle(name: str) -> Oracle:
    """Of a bundled map with four points a cell; several tests ask it."""
    return Oracle(load_scenario(name).world, resolution=0.25)


def replay(
    world: World, start: np.ndarray, goal: np.ndarray, actions: np.ndarray, tolerance: float, *, straight: bool = False
) -> float:
    """Cumulative cost of some actions that arrive with the last of them, and if `straight` are never hindered."""
    env = PointEnv(world, goal_tolerance=tolerance, body="point", rng=np.random.default_rng(0))
    env.reset(start[None], goal[None])
    total = 0.0
    for k, action in enumerate(actions):
        result = env.step(action[None, None])
        total += float(result.cost[0, 0])
        assert not straight or result.bumps[0, 0] == 0
        assert k < len(actions) - 1 or result.reached[0, 0]
    return total


@given(st.sampled_from(MAPS), st.sampled_from([0.7, 1.0, 3.0]), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.3, math.inf]))
@settings(max_examples=25)
def test_the_lattice_search_is_brute_force(rows, radius, seed, step_weight):
    world = tiny(rows, radius)
    starts, goals = draw(world, 2, seed)
    found = Oracle(world, resolution=0.25).solve(starts, goals, step_weight, polish=False)
    for n in range(len(starts)):
        begin, end = starts[n].astype(float), goals[n].astype(float)
        cost, steps = brute_force(world.walls, radius, begin, end, 4, step_weight, 0.5)
        weight = max(step_weight, 1e-4)
        if math.isinf(step_weight):
            assert found.steps[n] == steps
            assert found.cost[n] == pytest.approx(cost, abs=2e-3)
        else:  # equal prices may be had in more than one way
            assert found.cost[n] + weight * found.steps[n] == pytest.approx(cost + weight * steps, abs=2e-3)


@pytest.mark.parametrize("step_weight", [0.0, 0.1, math.inf])
@pytest.mark.parametrize(("name", "hops"), [("center-dot", 8), ("maze-wide", 20), ("four-rooms", 20), ("polygons", 12)])
def test_the_environment_makes_the_paths(name, hops, step_weight):
    world, solver = load_scenario(name).world, coarse_oracle(name)
    starts, goals = draw(world, 8, 3, (hops, hops + 2))
    plain = solver.solve(starts, goals, step_weight, polish=False)
    found = solver.solve(starts, goals, step_weight)
    for n in range(len(starts)):
        for result in (plain, found):
            assert len(result.actions[n]) == result.steps[n]
            cost = replay(world, starts[n], goals[n], result.actions[n], 0.5, straight=result is plain)
            assert cost == pytest.approx(result.cost[n], abs=1e-9)
    if math.isinf(step_weight):
        assert (found.steps <= plain.steps).all()
    else:
        prices, plain_prices = (result.cost + step_weight * result.steps for result in (found, plain))
        assert (prices <= plain_prices + 1e-4).all()


@pytest.mark.parametrize(("name", "hops"), [("center-dot", 8), ("maze-wide", 30), ("warehouse-wide", 24), ("four-rooms", 34)])
def test_fastest_steps_lie_between_the_bounds(name, hops):
    world, solver = load_scenario(name).world, coarse_oracle(name)
    starts, goals = draw(world, 20, 1, (hops, hops))
    fastest, cheapest = solver.solve(starts, goals, math.inf), solver.solve(starts, goals)
    straight = np.abs(starts.astype(float) - goals).max(axis=1) - 0.5
    assert (fastest.steps >= np.ceil(straight)).all()
    assert (fastest.steps >= geodesic_steps(world, starts, goals) - 1).all()
    # Hops cut the corners of walls, which the environment does not.
    assert (fastest.steps <= hops + 2).all()
    assert fastest.steps.mean() <= hops + 1
    assert (cheapest.steps >= fastest.steps).all()
    assert (cheapest.cost <= fastest.cost + 0.01).all()


def test_the_last_step_ends_anywhere():
    """Steps that the lattice cannot spare: its points are up to a spacing short of what the first and the last step reach."""
    floor = World.from_walls("floor", np.zeros((9, 15), bool), Hazard("linear", 1))
    rng = np.random.default_rng(5)
    starts = rng.uniform(0, (9, 15), (300, 2)).astype(np.float32)
    goals = rng.uniform(0, (9, 15), (300, 2)).astype(np.float32)
    found = oracle(floor, starts, goals, resolution=0.25, step_weight=math.inf)
    # After K steps an open floor is reached up to K cells per axis.
    gaps = np.abs(starts.astype(float) - goals)
    steps = np.array([next(k for k in range(20) if np.hypot(*np.maximum(gap - k, 0)) < 0.5) for gap in gaps])
    close = np.array([np.hypot(*np.maximum(gap - k, 0)) > 0.4999 for gap, k in zip(gaps, steps, strict=True)])
    assert ((found.steps == steps) | close).all()
    assert close.sum() < 5


def test_sliding_round_a_corner_saves_a_step():
    """A policy that runs into a wall slides along it and past its end within one step; the fastest path may do the same."""
    world = tiny([".....", ".###.", "....."], 1.0)
    start, goal = np.float32([[0.95, 3.5]]), np.float32([[2.45, 4.05]])
    found = oracle(world, start, goal, resolution=0.25, step_weight=math.inf)
    assert found.steps[0] == 2
    # First along the wall with the row held, then past its end; straight moves from the start stay in its row until then.
    env = PointEnv(world, body="point", rng=np.random.default_rng(0))
    env.reset(start, goal)
    assert env.step(np.float32([[[1.0, 1.0]]])).bumps[0, 0] > 0
    assert env.step(np.float32([[[1.0, 0.0]]])).reached[0, 0]


@pytest.mark.parametrize("name", ["center-dot", "center-dot-seed3"])
def test_no_policy_beats_it(name):
    """The policies straight to the goals of all tuning problems: none arrives sooner or pays less than the files say."""
    policy = load_checkpoint(name).policy
    cells = load_problem_sets("paper-2d", "tuning")
    starts, goals = (np.concatenate([getattr(cell, what).reshape(-1, 2) for cell in cells]) for what in ("starts", "goals"))
    steps, cost = (np.concatenate([getattr(cell.oracle, what).ravel() for cell in cells]) for what in ("steps", "cost"))
    env = PointEnv(load_scenario("center-dot").world, num_envs=len(starts), body="point", rng=np.random.default_rng(0))
    env.reset(starts[:, None], goals[:, None])
    paid, home = np.zeros(len(starts)), np.zeros(len(starts), bool)
    for k in range(1, 31):
        result = env.step(policy.act(env.states[:, 0], goals)[:, None])
        paid += np.where(home, 0.0, result.cost[:, 0])
        first, home = result.reached[:, 0] & ~home, home | result.reached[:, 0]
        assert (k >= steps[first]).all()
        assert (paid[first] >= cost[first] - 1e-6).all()
    assert home.mean() > 0.9


def test_a_finer_lattice_changes_little():
    world = load_scenario("center-dot").world
    starts, goals = draw(world, 40, 2, (8, 8))
    coarse, fine = (solver.solve(starts, goals) for solver in (coarse_oracle("center-dot"), Oracle(world, resolution=1 / 8)))
    assert fine.cost.mean() == pytest.approx(coarse.cost.mean(), rel=0.04)
    assert fine.steps.mean() == pytest.approx(coarse.steps.mean(), rel=0.02)


def test_the_front_falls():
    world = load_scenario("center-dot").world
    starts, goals = draw(world, 15, 4, (8, 8))
    front = pareto(world, starts, goals, [0.0, 0.1, 0.5, 2.0, math.inf], resolution=0.25)
    assert front.cost.shape == front.steps.shape == (5, 15)
    assert (np.diff(front.steps.mean(axis=1)) <= 0).all()
    assert (np.diff(front.cost.mean(axis=1)) >= -1e-3).all()


def test_easy_cases_by_hand():
    # Nothing but floor: no cost; a straight line of 6.2 - 0.5 cells takes six steps.
    world = World.from_walls("floor", np.zeros((3, 9), bool), Hazard("linear", 1))
    found = oracle(world, [[1.5, 1.1]], [[1.5, 7.3]], resolution=0.25)
    assert (found.cost.tolist(), found.steps.tolist()) == ([0.0], [6])
    # Already there.
    found = oracle(world, [[1.5, 1.1]], [[1.5, 1.5]])
    assert (found.cost.tolist(), found.steps.tolist()) == ([0.0], [0])
    # Away from a wall: the first step costs its start, the second what is left.
    walls = np.zeros((9, 3), bool)
    walls[0] = True
    world = World.from_walls("wall", walls, Hazard("linear", 2.0))
    found = oracle(world, [[1.5, 1.5]], [[6.5, 1.5]])
    assert found.cost[0] == pytest.approx(1.5 + 0.5, abs=0.01)
    costs = make_moves(walls, 2.0, np.array([[1.5, 1.5], [2.5, 1.5]]), np.array([[1.0, 0.0], [1.0, 0.0]]), 0.0)
    np.testing.assert_allclose(costs, [1.5, 0.5])


@pytest.mark.kernels
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # meant: 64-bit random numbers, as Python scalars
@pytest.mark.parametrize("step_weight", [0.0, math.inf])
def test_a_bend_on_a_coarse_lattice(step_weight):
    world = tiny(["..", "#."], 1.0)
    found = oracle(world, [[0.5, 0.25]], [[1.75, 1.75]], tolerance=0.8, resolution=0.5, step_weight=step_weight)
    # At full speed the row is held until the column is past the wall: one step, close to the wall.
    assert found.steps[0] == (1 if math.isinf(step_weight) else 2)
    cost = replay(world, np.float32([0.5, 0.25]), np.float32([1.75, 1.75]), found.actions[0], 0.8)
    assert cost == pytest.approx(found.cost[0], abs=1e-9)


def test_no_way_is_said():
    world = World.from_walls("split", np.array([[False, True, False]] * 2), Hazard("linear", 1))
    found = oracle(world, [[0.5, 0.5]], [[0.5, 2.5]])
    assert (found.cost[0], found.steps[0], len(found.actions[0])) == (math.inf, -1, 0)


def test_polygons_are_passed_round():
    world = World("bar", None, 6.0, 7.0, polygons=(box(2, -1, 3, 5),), hazard=Hazard("linear", 1.0))
    found = oracle(world, [[0.5, 0.5]], [[5.5, 0.5]], resolution=0.25, step_weight=math.inf)
    assert found.steps[0] == 10
    replay(world, np.float32([0.5, 0.5]), np.float32([5.5, 0.5]), found.actions[0], 0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolution": 0.3}, "resolution is 0.3"),
        ({"resolution": 0.5}, "too coarse"),
        ({"tolerance": 0.0}, "tolerance"),
        ({"step_weight": -1.0}, "step_weight"),
        ({"goals": [[1.5, 1.5]]}, "goal 0"),
        ({"goals": [[0.5, 0.5], [0.6, 0.6]]}, "shape"),
    ],
)
def test_bad_questions_are_refused(options, message):
    arguments = {"goals": [[2.5, 2.5]], **options}
    with pytest.raises(InvalidInput, match=message):
        oracle(tiny(MAPS[0], 1.0), [[0.5, 0.5]], **arguments)
