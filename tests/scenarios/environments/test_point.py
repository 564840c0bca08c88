from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon, box

from navplan.errors import InvalidInput
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.registry import load_scenario
from navplan.scenarios.worlds.world import Hazard, World
from tests.support.naive.environment import NaiveEnv

DOT = load_scenario("center-dot").world


def make(world=DOT, seed=0, **options):
    return PointEnv(world, rng=np.random.default_rng(seed), **{"body": "point", **options})


def test_a_wall_stops_one_axis_only():
    env = make()
    env.reset([[7.5, 5.45]], [[1.0, 1.0]])
    result = env.step([[[0.3, 1.0]]])
    np.testing.assert_allclose(result.states[0, 0], [7.8, 5.95], atol=1e-5)
    assert result.bumps[0, 0] == 5
    assert result.cost[0, 0] == pytest.approx(2 - 2 * 0.05 / 3, abs=1e-5)


def test_the_box_stops_but_costs_nothing():
    env = make()
    env.reset([[0.25, 14.85]], [[1.0, 1.0]])
    result = env.step([[[-1.0, 1.0]]])
    np.testing.assert_allclose(result.states[0, 0], [0.05, 14.95], atol=1e-5)
    assert result.cost[0, 0] == 0
    assert env.is_free([[15.0, 15.0], [0.0, 0.0]]).all()
    assert not env.is_free([[15.0001, 1.0], [-1e-6, 1.0], [np.nan, 1.0], [7.5, 7.5], [6.0, 6.0]]).any()


def test_actions_are_clipped_and_left_alone():
    env = make(action_noise=0.5)
    env.reset([[2.0, 2.0]])
    actions = np.array([[[5.0, -7.0]]], dtype=np.float32)
    env.step(actions)
    assert actions.tolist() == [[[5.0, -7.0]]]
    np.testing.assert_allclose(env.states[0, 0], [3.0, 1.0], atol=1e-5)


def test_noise_moves_both_axes_alike():
    env = make(action_noise=0.2, num_envs=50)
    env.reset(np.full((50, 1, 2), 3.0))
    moved = env.step(np.zeros((50, 1, 2))).states[:, 0] - 3.0
    np.testing.assert_allclose(moved[:, 0], moved[:, 1], atol=1e-5)
    assert 0.1 < moved[:, 0].std() < 0.3


def test_same_seed_same_run():
    runs = []
    for seed in (1, 1, 2):
        env = make(seed=seed, num_envs=3, num_agents=2, action_noise=0.1)
        runs.append([env.step(np.full((3, 2, 2), 0.5)).states for _ in range(5)])
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_reaching_is_strictly_within_the_tolerance():
    env = make(num_envs=2, goal_tolerance=0.5)
    env.reset([[[1.0, 1.0]], [[1.0, 1.0]]], [[[1.5, 1.0]], [[1.25, 1.25]]])
    assert env.step(np.zeros((2, 1, 2))).reached.tolist() == [[False], [True]]


@pytest.mark.parametrize(("gap", "touch"), [(0.5, False), (0.4999, True)])
def test_contact_is_strictly_closer_than_two_radii(gap, touch):
    env = make(num_agents=3)
    env.reset([[1.0, 1.0], [1.0, 1.0 + gap], [5.0, 1.0]])
    contacts = env.step(np.zeros((1, 3, 2))).agent_contacts[0]
    assert contacts[0, 1] == contacts[1, 0] == touch
    assert contacts.sum() == 2 * touch


def test_agents_passing_within_one_step_touch():
    env = make(num_agents=2)
    env.reset([[1.0, 1.0], [1.0, 1.9]])
    result = env.step([[[0.0, 1.0], [0.0, -1.0]]])
    np.testing.assert_allclose(result.states[0], [[1.0, 2.0], [1.0, 0.9]], atol=1e-5)
    assert result.agent_contacts[0, 0, 1]
    env.reset([[1.0, 1.0], [1.6, 1.9]])
    assert not env.step([[[0.0, 1.0], [0.0, -1.0]]]).agent_contacts.any()


def test_masks_reset_some_environments_and_results_stay():
    env = make(num_envs=3)
    result = env.step(np.ones((3, 1, 2)))
    kept = result.states.copy()
    env.reset(np.full((3, 1, 2), 2.0), mask=[False, True, False])
    np.testing.assert_array_equal(result.states, kept)
    np.testing.assert_array_equal(env.states[[0, 2]], kept[[0, 2]])
    assert env.states[1].tolist() == [[2.0, 2.0]]
    assert env.steps.tolist() == [1, 0, 1]
    env.step(np.ones((3, 1, 2)))
    np.testing.assert_array_equal(result.states, kept)


def test_predict_moves_nothing():
    env = make(num_envs=2, num_agents=2)
    before = env.states.copy()
    actions = np.random.default_rng(1).uniform(-1, 1, (2, 2, 2)).astype(np.float32)
    predicted = env.predict(actions)
    assert predicted.shape == (2, 2, 20, 2)
    np.testing.assert_array_equal(env.states, before)
    np.testing.assert_array_equal(env.step(actions).states, predicted[:, :, -1])
    np.testing.assert_array_equal(env.predict(actions, before), predicted)
    np.testing.assert_array_equal(env.predict(actions[:, :1], before[:, :1]), predicted[:, :1])
    with pytest.raises(InvalidInput, match=r"point 1 is .*nan.*, expected two finite numbers"):
        env.predict(actions, np.array([[1.5, 1.5], [np.nan, 7.5]]))
    with pytest.raises(InvalidInput, match="agent 1: action"):
        env.predict(np.array([[[0, 0], [np.nan, 0]]]), before[:1])


def test_bad_input_is_named_and_changes_nothing():
    env = make(num_envs=2, num_agents=2)
    before, goals = env.states.copy(), env.goals.copy()
    good = np.ones((2, 2, 2))
    for value, reason in ((7.5, "in an obstacle"), (np.nan, "not finite"), (np.inf, "not finite"), (16.0, "outside the box")):
        bad = good.copy()
        bad[1, 0] = value
        for call in (lambda points: env.reset(points), lambda points: env.reset(good, points)):
            with pytest.raises(InvalidInput, match=f"environment 1, agent 0: .*{reason}"):
                call(bad)
    for value in (np.nan, np.inf, -np.inf):
        actions = good.copy()
        actions[1, 1, 0] = value
        with pytest.raises(InvalidInput, match="environment 1, agent 1: action"):
            env.step(actions)
    for call in (env.step, env.predict):
        with pytest.raises(InvalidInput, match="shape"):
            call(np.ones((2, 2)))
    with pytest.raises(InvalidInput, match="starts have shape"):
        env.reset(np.ones((3, 2)))
    with pytest.raises(InvalidInput, match="mask has shape"):
        env.reset(mask=[True])
    with pytest.raises(InvalidInput, match="point 1 is"):
        env.cost_at([[1.0, 1.0], [np.nan, 1.0]])
    np.testing.assert_array_equal(env.states, before)
    np.testing.assert_array_equal(env.goals, goals)
    assert env.steps.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_envs": 0}, "num_envs"),
        ({"num_agents": 0}, "num_agents"),
        ({"radius": -1.0}, "radius"),
        ({"radius": math.nan}, "radius"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(InvalidInput, match=message):
        make(**options)


def test_worlds_without_room():
    with pytest.raises(InvalidInput, match="no free cell"):
        make(World.from_walls("full", np.ones((2, 2), dtype=bool)))
    with pytest.raises(InvalidInput, match="no free"):
        make(World("covered", None, 2.0, 2.0, polygons=(box(-1, -1, 3, 3),)))


@given(st.integers(0, 2**32 - 1), st.sampled_from(["linear", "cosine", "constant", "none"]))
@settings(max_examples=20)
def test_cost_at_is_the_naive_cost(seed, kind):
    rng = np.random.default_rng(seed)
    walls = rng.random((6, 7)) < 0.3
    walls[0, 0] = False
    world = World.from_walls("grid", walls, Hazard(kind, float(rng.uniform(0.3, 4))) if kind != "none" else Hazard())
    env, naive = make(world), NaiveEnv(world)
    points = (rng.random((30, 2)) * [6, 7]).astype(np.float32)
    expected = [naive.cost(*point) for point in points]
    np.testing.assert_allclose(env.cost_at(points.reshape(5, 6, 2)).ravel(), expected, atol=1e-5)


def test_free_points_are_uniform():
    triangle = Polygon([(0, 0), (0, 4), (4, 0)])
    env = make(World("half", None, 4.0, 4.0, polygons=(triangle,)))
    points = env.sample_free(4000, np.random.default_rng(0))
    assert env.is_free(points).all()
    counts = np.histogram2d(points[:, 0], points[:, 1], bins=2, range=[[0, 4], [0, 4]])[0]
    np.testing.assert_allclose(counts / 4000, [[0, 0.25], [0.25, 0.5]], atol=0.03)


def test_agents_cross_the_polygon_world_and_never_enter_an_obstacle():
    """Half of the agents steer straight at their goals, half at random; none is ever in or on a polygon."""
    scenario = load_scenario("polygons")
    union = shapely.union_all(list(scenario.world.polygons))
    shapely.prepare(union)
    env = make(scenario.world, num_envs=40, num_agents=4, max_steps=60)
    rng = np.random.default_rng(5)
    arrived = np.zeros((40, 4), dtype=bool)
    bumps = 0
    for _ in range(60):
        actions = np.clip(env.goals - env.states, -1, 1)
        actions[:20] = rng.uniform(-1, 1, size=(20, 4, 2))
        passed = env.predict(actions).astype(np.float64)
        assert not shapely.intersects_xy(union, passed[..., 0].ravel(), passed[..., 1].ravel()).any()
        result = env.step(actions)
        arrived |= result.reached
        bumps += int(result.bumps.sum())
    assert arrived[20:].mean() > 0.3
    assert bumps > 0


def test_a_thin_polygon_is_not_passed():
    wall = box(1.549, 0.0, 1.551, 5.0)
    env = make(World("thin", None, 3.0, 5.0, polygons=(wall,)), num_envs=200)
    rng = np.random.default_rng(2)
    env.reset(np.stack([rng.uniform(0, 1.5, (200, 1)), rng.uniform(0, 5, (200, 1))], axis=-1))
    for _ in range(20):
        actions = rng.uniform(-0.2, 1, (200, 1, 2))
        assert (env.step(actions).states[..., 0] < 1.549).all()


def test_a_vanishing_radius_costs_nothing_away_from_walls():
    walls = np.array([[False, False, True]])
    env = make(World.from_walls("tiny", walls, Hazard("constant", 1e-30)))
    env.reset([[0.5, 1.5]])
    assert env.step([[[0.0, -0.5]]]).cost[0, 0] == 0


@pytest.mark.parametrize("body", ["disc", "point"])
def test_where_no_body_can_be_it_is_predicted_from_the_nearest_place_where_one_can(body):
    env = make(body=body, radius=0.3)
    room = 0.3 if body == "disc" else 0.0
    told = np.float32([[6.05, 7.5], [7.5, 8.9], [-0.2, 4.0], [15.3, 15.1], [2.0, 2.0]])  # in the dot, past the edges, free
    placed = [[6.0 - room, 7.5], [7.5, 9.0 + room], [room, 4.0], [15.0 - room, 15.0 - room], [2.0, 2.0]]
    actions = np.random.default_rng(0).uniform(-1, 1, (7, 5, 2)).astype(np.float32)
    inside = env.predict(actions, told)
    np.testing.assert_allclose(inside, env.predict(actions, np.float32(placed)), atol=2e-3)
    assert env.is_free(inside).all()


def test_moves_are_those_that_were_made():
    env = make(num_agents=2, action_noise=0.1)
    with pytest.raises(InvalidInput, match="made no moves"):
        _ = env.moves
    wished = np.full((1, 2, 2), 0.25, np.float32)
    plain, begin = make(num_agents=2), env.states[0]
    env.step(wished)
    assert not np.allclose(env.moves, wished, atol=1e-3)
    plain.reset(begin)
    np.testing.assert_array_equal(plain.step(env.moves).states, env.states)
