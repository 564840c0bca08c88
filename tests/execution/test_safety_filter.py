from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navplan.errors import InvalidInput
from navplan.execution.safety_filter import keep_apart
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.worlds.world import World

RADIUS = 0.25


def box(height, width, starts) -> PointEnv:
    world = World.from_walls("box", np.zeros((height, width), bool))
    env = PointEnv(world, num_agents=len(starts), radius=RADIUS, body="point", rng=np.random.default_rng(0))
    env.reset(starts=starts, goals=starts)
    return env


def one(env, wishes, priority, waited=None):
    wishes = np.asarray(wishes, np.float32)
    return keep_apart(
        env.states[0],
        wishes,
        env.predict,
        radius=RADIUS,
        priority=np.asarray(priority, float),
        waited=np.asarray(waited or [9] * len(wishes)),
    )


@pytest.mark.parametrize("kind", ["random", "centre", "chase", "still"])
@settings(max_examples=4)
@given(seed=st.integers(0, 2**31))
def test_twenty_adversaries_in_a_small_box_never_touch(kind, seed):
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(np.arange(5), np.arange(4), indexing="ij"), axis=-1).reshape(-1, 2)
    env = box(5, 4, (grid + 0.5 + rng.uniform(-0.1, 0.1, (20, 2))).astype(np.float32))
    waited = rng.integers(0, 4, 20)
    for _ in range(60):
        here = env.states[0]
        wishes = rng.uniform(-1.5, 1.5, (20, 2))
        if kind == "centre":
            wishes = np.clip(np.array([2.5, 2.0]) - here, -1, 1)
        if kind == "chase":
            wishes = np.clip(np.roll(here, 1, axis=0) - here, -1, 1)
        if kind == "still":
            wishes[rng.random(20) < 0.7] = 0
        safe = keep_apart(here, wishes.astype(np.float32), env.predict, radius=RADIUS, priority=rng.random(20), waited=waited)
        waited = np.where(safe.yielded, waited + 1, 0)
        assert not env.step(safe.actions[None]).agent_contacts.any()


def test_wishes_of_agents_far_apart_are_kept():
    env = box(9, 9, [[1, 1], [8, 8], [1, 8]])
    wishes = np.array([[1, 0.3], [-1, -1], [0, 0]], np.float32)
    safe = one(env, wishes, [0, 1, 2])
    np.testing.assert_array_equal(safe.actions, wishes)
    assert not safe.yielded.any()


@pytest.mark.kernels
def test_the_lower_priority_yields():
    env = box(3, 9, [[1.5, 3.0], [1.5, 4.4]])
    for order in ([0, 1], [1, 0]):
        safe = one(env, [[0, 0.8], [0, -0.8]], order, [0, 0])
        first = order.index(0)
        np.testing.assert_allclose(safe.actions[first], [0, 0.8 - 1.6 * first], atol=1e-6)
        assert safe.yielded.tolist() == [first == 1, first == 0]


@pytest.mark.kernels
def test_an_agent_at_rest_steps_aside_and_its_neighbour_with_it():
    env = box(3, 9, [[1.5, 3.0], [1.5, 3.6], [1.0, 4.0]])
    safe = one(env, [[0, 1], [0, 0], [0, 0]], [0, np.inf, np.inf])
    assert safe.actions[0, 1] > 0.8
    assert safe.actions[1].any()


def test_where_there_is_no_room_everyone_stays():
    starts = np.stack([np.full(6, 0.5), np.linspace(0.05, 2.95, 6)], axis=1)
    env = box(1, 3, starts)
    for _ in range(20):
        safe = one(env, [[0, 1], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0]], [0, 1, 2, 3, 4, 5])
        assert not env.step(safe.actions[None]).agent_contacts.any()
    assert (np.diff(env.states[0, :, 1]) > 0).all()


def test_a_pair_that_is_too_close_already_may_part_but_not_close_in():
    env = box(5, 5, [[2, 2], [2, 2.45]])
    closer = one(env, [[0, 1], [0, 0]], [0, np.inf], [0, 0])
    env.step(closer.actions[None])
    assert np.linalg.norm(np.diff(env.states[0], axis=0)) >= 0.449
    env.reset(starts=[[2, 2], [2, 2.45]], goals=[[2, 2], [2, 2.45]])
    np.testing.assert_allclose(one(env, [[0, -1], [0, 1]], [0, 1]).actions, [[0, -1], [0, 1]], atol=1e-6)


def test_walls_bound_the_way_aside():
    walls = np.array([[True] * 7, [False] * 7, [True] * 7])
    world = World.from_walls("corridor", walls)
    env = PointEnv(world, num_agents=2, radius=RADIUS, rng=np.random.default_rng(0))
    env.reset(starts=[[1.5, 1.5], [1.5, 2.2]], goals=[[1.5, 6.5], [1.5, 2.2]])
    for _ in range(20):
        gap = 6.5 - env.states[0, 0, 1]
        wishes = np.array([[0, np.clip(gap, -1, 1)], [0, 0]], np.float32)
        safe = keep_apart(
            env.states[0], wishes, env.predict, radius=RADIUS, priority=np.array([0.0, np.inf]), waited=np.array([5, 0])
        )
        assert not env.step(safe.actions[None]).agent_contacts.any()
    assert env.states[0, 0, 1] > 5.5  # the resting agent was pushed down the corridor, for there is no room to pass


@pytest.mark.kernels
def test_bad_wishes_name_the_agent():
    env = box(3, 3, [[1, 1], [2, 2]])
    with pytest.raises(InvalidInput, match="agent 1: the low level's action is"):
        one(env, [[0, 0], [np.nan, 0]], [0, 1])


def test_who_may_be_elsewhere_beside_a_corner_is_kept_clear_of() -> None:
    """One disc rounds the corner of a block, another follows; each is told to be somewhere within a box.

    From one place of its box the first goes round, from another the corner stops it, and the other runs into it.
    """
    walls = np.zeros((8, 8), bool)
    walls[3:6, 3:6] = True
    env = PointEnv(World.from_walls("block", walls), num_agents=2, radius=RADIUS, rng=np.random.default_rng(0))
    half, contacts = np.full((2, 2), 0.1), {"box": 0, "slack alone": 0}
    for seed in range(1500):
        rng = np.random.default_rng(seed)
        true = np.float32([[2.74, 6.02], [3.4, 6.6]]) + rng.uniform((-0.02, -0.05), (0.01, 0.1), (2, 2)).astype(np.float32)
        true[1] += rng.uniform(-0.3, 0.3, 2).astype(np.float32)
        told = true + rng.uniform(-0.1, 0.1, (2, 2)).astype(np.float32)
        if not env.is_free([true, told]).all() or np.hypot(*(told[0] - told[1])) < 0.81:
            continue  # nearer than that nobody is promised more than not to be approached
        wishes = np.float32([[0.5, -0.5], [-1.0, -0.6]]) + rng.uniform(-0.2, 0.2, (2, 2)).astype(np.float32)
        for name, box_of in (("box", half), ("slack alone", None)):
            env.reset(true, true)
            slack = np.linalg.norm(half, axis=1)
            safe = keep_apart(told, wishes, env.predict, radius=RADIUS, priority=np.arange(2.0), slack=slack, half=box_of)
            contacts[name] += int(env.step(safe.actions[None]).agent_contacts[0, 0, 1])
    assert contacts["slack alone"] > 20
    assert contacts["slack alone"] > 20 * contacts["box"]  # places between the corners of a box are not looked at
