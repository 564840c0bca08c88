"""The copy beside OGBench itself, where that is installed: the same mazes and tasks, and nearly the same physics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from navplan.kernels.motion.goal_maze import POINT, UNIT, MazeGround, step_bodies
from navplan.scenarios.environments.mazes.layouts import centres, layout

gymnasium = pytest.importorskip("gymnasium")
pytest.importorskip("ogbench.locomaze")


def theirs(name: str) -> Any:
    np.random.seed(0)  # noqa: NPY002 - where their resets and teleporters draw from
    return gymnasium.make(f"pointmaze-{name}-v0", terminate_at_goal=False).unwrapped


@pytest.mark.parametrize("name", ["medium", "large", "giant", "teleport"])
def test_the_same_maze_and_tasks(name: str) -> None:
    env, maze = theirs(name), layout(name)
    np.testing.assert_array_equal(env.maze_map == 1, maze.walls)
    tasks = [(task["init_ij"], task["goal_ij"]) for task in env.task_infos]
    np.testing.assert_array_equal(tasks, maze.tasks)
    assert env._goal_tol == 1.0
    assert env._maze_unit == UNIT
    info = env._teleport_info
    if info is not None:
        np.testing.assert_array_equal(info["teleport_in_xys"], centres(maze.into))
        np.testing.assert_array_equal(info["teleport_out_xys"], centres(maze.out))


@pytest.mark.parametrize("name", ["medium", "large", "giant"])
def test_the_same_cell_is_next(name: str) -> None:
    env, maze = theirs(name), layout(name)
    for goal in maze.cells[::7]:
        for cell in maze.cells:
            place, _ = env.get_oracle_subgoal(centres(cell), centres(goal))
            to = maze.toward[maze.number(cell), maze.number(goal)]
            assert tuple(place) == tuple(centres(np.array(divmod(to, maze.walls.shape[1]))))


@pytest.mark.parametrize("name", ["medium", "large", "giant"])
@pytest.mark.parametrize("straight", [False, True], ids=["around", "into-walls"])
def test_nearly_the_same_physics(name: str, straight: bool) -> None:
    """600 noisy steps from goal to goal, around walls or into them; and 60 at a time without looking at the other."""
    env, maze, rng = theirs(name), layout(name), np.random.default_rng(0)
    env.reset(seed=0, options={"task_id": 1})
    goal = maze.vertices[0]
    gaps, drifts, contacts, alone = [], [], 0, env.get_xy()
    for t in range(600):
        here = env.get_xy()
        if np.linalg.norm(here - centres(goal)) < 1.0 or (straight and t % 30 == 0):
            goal = maze.vertices[rng.integers(len(maze.vertices))]
        to = centres(goal) if straight else np.array(env.get_oracle_subgoal(here, centres(goal))[0])
        way = to - here
        action = np.clip(way / (np.linalg.norm(way) + 1e-6) + rng.normal(0.0, 0.5, 2), -1.0, 1.0)
        env.step(action)
        there = env.get_xy()
        gaps.append(np.linalg.norm(stepped(maze.ground, here, action) - there))
        contacts += not np.allclose(there, here + 0.2 * action, atol=1e-3)
        alone = stepped(maze.ground, here if t % 60 == 0 else alone, action)
        drifts.append(np.linalg.norm(alone - there))
    assert contacts > 150 or not straight
    assert np.mean(gaps) < 0.03
    assert max(gaps) < 0.1
    assert max(drifts) < 0.15


def test_teleporters_take_a_body_at_the_same_step_and_show_it_before() -> None:
    env, maze = theirs("teleport"), layout("teleport")
    for into in maze.ground.into:
        env.reset(seed=0, options={"task_id": 1})
        env.set_xy(into + np.array([0.0, 1.9]))
        state = np.array([[*env.get_xy(), 0.0, 0.0]])
        far, none, seen = np.full((1, 2), 1e6), np.zeros(1, np.bool_), np.empty((1, 2), np.float32)
        for _ in range(5):
            observation = env.step(np.array([0.0, -0.9]))[0]
            step_bodies(maze.ground, POINT, state, np.array([[0.0, -0.9]], np.float32), far, 1.0, np.zeros(1), none, seen)
            np.testing.assert_allclose(seen[0], observation, atol=1e-3)
            gone = np.linalg.norm(env.get_xy() - into) > 3.0
            assert gone == (np.linalg.norm(state[0, :2] - into) > 3.0)
            if gone:
                break
        assert gone
        for place in (env.get_xy(), state[0, :2]):
            assert np.abs(maze.ground.out - place).max(axis=1).min() < 1e-6


def stepped(ground: MazeGround, place: Any, action: Any) -> Any:
    state = np.array([[*place, 0.0, 0.0]])
    far, none = np.full((1, 2), 1e6), np.zeros(1, np.bool_)
    moves = np.asarray(action, np.float32)[None]
    step_bodies(ground, POINT, state, moves, far, 1.0, np.zeros(1), none, np.empty((1, 2), np.float32))
    return state[0, :2]
