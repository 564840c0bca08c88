from __future__ import annotations

import numpy as np
import pytest

from navplan.control.interface import LowLevel
from navplan.errors import InvalidInput, UnknownName
from navplan.scenarios.environments.mazes import MAZES, GoalMaze, ScriptedDriver, make_logs
from navplan.scenarios.environments.mazes.layouts import layout
from navplan.scenarios.environments.mazes.names import maze_named
from navplan.scenarios.environments.mazes.scrambled import scrambling

WORLDS = sorted({f"{each.kind}-{each.layout}" for each in MAZES.values()})
CLOSED = [name for name in WORLDS if "teleport" not in name]


@pytest.mark.parametrize("name", CLOSED)
def test_the_scripted_driver_reaches_every_task(name: str) -> None:
    env = GoalMaze(name)
    env.reset(np.repeat(np.arange(env.num_tasks), 4), seed=1)
    for _ in range(env.max_steps):
        before = env.places
        _, reached = env.step(env.driver_actions())
        assert np.linalg.norm(env.places - before, axis=1).max() <= env.step_length + 1e-9
        if reached.all():
            break
    assert reached.all()
    assert (np.linalg.norm(env.places - env.goal_places, axis=1) <= 1.0).all()


@pytest.mark.parametrize("name", ["pointmaze-giant", "carmaze-medium", "scrambled-large"])
def test_the_driver_is_a_low_level_that_sees_what_others_see(name: str) -> None:
    env = GoalMaze(name)
    observations, _ = env.reset([0, 1, 2, 3], seed=2)
    assert isinstance(env.driver, LowLevel)
    for _ in range(60):
        seen = env.places if name.startswith("scrambled") else observations
        actions = env.driver.act(seen.astype(np.float32), env.next_places().astype(np.float32))
        np.testing.assert_allclose(actions, env.driver_actions(), atol=1e-4)
        observations, _ = env.step(actions)
    wrong: list[tuple[object, ...]] = [(np.zeros((1, 3)), np.zeros((1, 2))), (np.zeros((1, 2)), np.zeros((2, 2)))]
    for arguments in (*wrong, (np.zeros((1, 2)), np.zeros((1, 2)), np.zeros((1, 1)))):
        with pytest.raises(InvalidInput):
            ScriptedDriver("pointmaze").act(*arguments)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="did you mean carmaze"):
        ScriptedDriver("car-maze")


def test_tasks_can_be_done_without_teleporters_and_one_leads_into_a_trap() -> None:
    for name in ("medium", "large", "giant", "teleport"):
        maze = layout(name)
        tasks = maze.number(maze.tasks)
        assert np.isfinite(maze.hops[tasks[:, 0], tasks[:, 1]]).all()
    maze = layout("teleport")
    trapped = np.isinf(maze.hops[maze.number(maze.out)][:, maze.number(maze.tasks[:, 1])]).all(axis=1)
    assert trapped.tolist() == [True, False, False]


def test_a_way_to_every_cell_is_a_shortest_one() -> None:
    maze = layout("giant")
    for goal in maze.number(maze.cells)[::5]:
        for cell in maze.number(maze.cells)[::7]:
            at, steps = int(cell), 0
            while at != goal:
                at, steps = int(maze.toward[at, goal]), steps + 1
                assert not maze.walls.reshape(-1)[at]
            assert steps == maze.hops[cell, goal]


@pytest.mark.parametrize("name", WORLDS)
def test_shapes_and_determinism(name: str) -> None:
    runs = []
    for _ in range(2):
        env = GoalMaze(name)
        observations, goals = env.reset([4, 0, 2], seed=3)
        assert observations.shape == (3, env.observation_width)
        assert goals.shape == (3, env.goal_width)
        assert observations.dtype == goals.dtype == np.float32
        rng = np.random.default_rng(0)
        seen = [observations]
        for _ in range(40):
            observations, reached = env.step(rng.uniform(-1, 1, (3, env.action_width)))
            assert (observations.dtype, reached.dtype, reached.shape) == (np.float32, np.bool_, (3,))
            seen.append(observations)
        runs.append(np.stack(seen))
    np.testing.assert_array_equal(runs[0], runs[1])
    other = GoalMaze(name)
    assert not np.array_equal(other.reset([4, 0, 2], seed=4)[0], runs[0][0])


def test_who_has_arrived_is_seen_as_before() -> None:
    env = GoalMaze("scrambled-medium")
    env.reset([2, 0], seed=0)
    kept = None
    for _ in range(200):
        observations, reached = env.step(env.driver_actions())
        if reached[0]:
            kept = observations[0] if kept is None else kept
            np.testing.assert_array_equal(observations[0], kept)
            if reached[1]:
                break
    assert reached.all()
    assert kept is not None


def test_positions_are_observed_or_nobody_knows_them() -> None:
    env = GoalMaze("carmaze-large-stitch")
    observations, _ = env.reset([0, 1], seed=0)
    np.testing.assert_allclose(env.position(observations), env.places, rtol=1e-6)
    assert env.name == "carmaze-large"
    scrambled = GoalMaze("scrambled-large")
    observations, _ = scrambled.reset([0], seed=0)
    with pytest.raises(InvalidInput, match="hold no places"):
        scrambled.position(observations)


def test_scrambled_observations_hide_places_behind_a_rotation() -> None:
    rotation = scrambling("large").rotation
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(32), atol=1e-12)
    env = GoalMaze("scrambled-large")
    observations, _ = env.reset(np.zeros(3000, int), seed=0)
    noise = (observations.astype(np.float64) @ rotation.T)[:, 24:]
    assert noise.std() == pytest.approx(1.0, abs=0.02)
    for _ in range(10):
        observations, _ = env.step(np.zeros((3000, 2)))
    after = (observations.astype(np.float64) @ rotation.T)[:, 24:]
    assert after.std() == pytest.approx(1.0, abs=0.02)
    assert np.mean(after * noise) == pytest.approx(0.95**10, abs=0.03)
    code = (observations.astype(np.float64) @ rotation.T)[:, :24]
    assert np.abs(code).max() <= 1.0 + 1e-5
    correlations = np.corrcoef(np.concatenate([observations, env.places], axis=1).T)[:32, 32:]
    assert np.abs(correlations).max() < 0.9


def test_what_is_refused() -> None:
    with pytest.raises(UnknownName, match="did you mean 'carmaze-large-stitch'"):
        GoalMaze("carmaze-large-stich")
    with pytest.raises(InvalidInput, match="expected a name"):
        GoalMaze(3)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="expected logs in it: pointmaze-giant-navigate or"):
        make_logs("pointmaze-giant")
    assert maze_named("pointmaze_giant") == ("pointmaze", "giant", None)
    env = GoalMaze("pointmaze-medium")
    with pytest.raises(InvalidInput, match="reset"):
        env.step(np.zeros((1, 2)))
    for tasks in ([], [5], [-1], [0.5], [[0]], 0):
        with pytest.raises(InvalidInput, match="tasks are"):
            env.reset(tasks)
    env.reset([0, 1])
    with pytest.raises(InvalidInput, match=r"expected \(2, 2\)"):
        env.step(np.zeros((1, 2)))
    before = env.places
    with pytest.raises(InvalidInput, match="action 1 is"):
        env.step([[1, 1], [0, np.inf]])
    np.testing.assert_array_equal(env.places, before)
