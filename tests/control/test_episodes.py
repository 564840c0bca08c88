"""Driving one robot through episodes of environments of Gymnasium's form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import navplan as nv
from navplan.control.straight_line import StraightLine
from navplan.errors import InvalidInput
from navplan.scenarios.environments.mazes import GoalMaze


class Box:
    """A space as Gymnasium has it."""

    shape, dtype = (2,), np.dtype(np.float32)
    low, high = np.full(2, -1, np.float32), np.full(2, 1, np.float32)

    def contains(self, value: NDArray[Any]) -> bool:
        return value.shape == (2,) and value.dtype == self.dtype and bool((np.abs(value) <= 1).all())

    def __repr__(self) -> str:
        return "Box(-1, 1, (2,))"


class Plane:
    """A point that moves as it is told; what it answers with is changed by tests."""

    action_space: Any = Box()

    def __init__(self, form: str = "info", **changes: Any) -> None:
        self.form, self.changes, self.seeds, self.options = form, changes, list[int | None](), list[Any]()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.seeds.append(seed)
        self.options.append(options)
        self.steps, self.place = 0, np.zeros(2)
        self.goal = np.asarray((options or {}).get("goal", np.random.default_rng(seed).uniform(1, 3, 2)))
        return self._seen(), {"goal": self.goal} if self.form == "info" else {}

    def step(self, action: NDArray[Any]) -> Any:
        self.place += action  # in place: what was given out changes too, as it does with buffers
        self.steps += 1
        there = bool(np.linalg.norm(self.place - self.goal) < 0.5)
        info: dict[str, Any] = {"success": there} if self.form == "info" else {}
        seen = self._seen() if self.steps != self.changes.get("at", 2) else self.changes.get("seen", self._seen())
        if "cost" in self.changes:
            info |= self.changes["cost"](self.steps)
        return seen, 0.0, there and self.form != "info", self.steps >= 9, info

    def _seen(self) -> Any:
        if self.form == "info":
            return self.place
        return {"observation": self.place, self.form: self.goal, "achieved_goal": self.place}


class Says:
    """Answers what it is told to."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def act(self, observations: NDArray[Any], goals: NDArray[Any]) -> Any:
        return self.answer


@pytest.mark.parametrize("form", ["info", "desired_goal", "goal"])
def test_goals_and_success_in_all_forms(form: str) -> None:
    env = Plane(form)
    episodes = nv.rollout(env, StraightLine(), 3, seed=7)
    assert env.seeds == [7, 8, 9]
    for k, episode in enumerate(episodes):
        np.testing.assert_array_equal(episode.goal, np.random.default_rng(7 + k).uniform(1, 3, 2))
        assert episode.reached
        assert episode.steps == len(episode.actions) == len(episode.observations) - 1
        np.testing.assert_allclose(episode.observations[0], 0)
        np.testing.assert_allclose(np.diff(episode.observations, axis=0), episode.actions, atol=1e-6)
        assert np.linalg.norm(episode.observations[-1] - episode.goal) < 0.5
        assert episode.costs is None
    again = nv.rollout(Plane(form), StraightLine(), 3, seed=7)
    assert all((a.observations == b.observations).all() for a, b in zip(episodes, again, strict=True))
    data = nv.Dataset.from_episodes(episodes)
    assert (data.num_episodes, data.num_transitions) == (3, sum(episode.steps for episode in episodes))


def test_where_episodes_end() -> None:
    still = Says(np.zeros((1, 2)))
    (timed_out,) = nv.rollout(Plane(), still)
    assert (timed_out.steps, timed_out.reached) == (9, False)
    (cut,) = nv.rollout(Plane("goal"), still, max_steps=4)
    assert (cut.steps, cut.reached) == (4, False)
    (told,) = nv.rollout(Plane("goal"), still, reached=lambda seen, goal: np.linalg.norm(seen - goal) < 9)
    assert (told.steps, told.reached) == (1, True)
    (never,) = nv.rollout(Plane("goal"), StraightLine(), reached=lambda seen, goal: False)
    assert not never.reached
    env = Plane()
    there, far = nv.rollout(env, StraightLine(), 2, options=[{"goal": (1, 0)}, {"goal": (0, 30)}])
    assert (there.reached, far.reached, env.options) == (True, False, [{"goal": (1, 0)}, {"goal": (0, 30)}])
    nv.rollout(env, StraightLine(), 2, options={"goal": (1, 0)})
    assert env.options[2:] == [{"goal": (1, 0)}] * 2


def test_costs_and_logs() -> None:
    data = nv.Dataset.from_env(Plane(cost=lambda k: {"cost": np.float32(k)}), StraightLine(), 20, seed=3, position=lambda o: o)
    assert data.num_transitions == 20
    assert data.costs is not None
    first, last = data.starts[:2]
    np.testing.assert_array_equal(data.costs[first : last - 1], np.arange(1, last - first))
    same = nv.Dataset.from_env(Plane(), StraightLine(), 20, seed=3)
    np.testing.assert_array_equal(same.observations, data.observations)


def test_controllers_are_told_that_an_episode_begins() -> None:
    class Counts(StraightLine):
        resets = 0

        def reset(self) -> None:
            Counts.resets += 1

    nv.rollout(Plane(), Counts(), 2)
    assert Counts.resets == 2


def test_rounding_and_integers_fit_spaces() -> None:
    (episode,) = nv.rollout(Plane(), Says([[1 + 1e-7, 0.5]]), max_steps=2)
    np.testing.assert_array_equal(episode.actions, [[1, 0.5]] * 2)

    class Five:
        shape, dtype = (), np.dtype(np.int64)

        def contains(self, value: Any) -> bool:
            return isinstance(value, np.int64) and 0 <= value < 5

    env = Plane()
    env.action_space = Five()
    (episode,) = nv.rollout(env, Says([[3]]), max_steps=1)
    assert episode.actions.tolist() == [[3.0]]
    for wrong in ([[5]], [[2.5]]):
        with pytest.raises(InvalidInput, match="which is not in"):
            nv.rollout(env, Says(wrong))


class Old:
    def reset(self, **_: Any) -> Any:
        return np.zeros(2)

    def step(self, action: Any) -> Any:
        return np.zeros(2), 0.0, False, {}


class Older(Old):
    def reset(self, **_: Any) -> Any:
        return np.zeros(2), {}


WRONG: list[tuple[Any, Any, Mapping[str, Any], str]] = [
    (Old(), StraightLine(), {}, r"reset of Old answers with array.*, expected \(observation, info\)"),
    (
        Older(),
        Says([[0, 0]]),
        {},
        r"step of Older answers with .*, expected \(observation, reward, terminated, truncated, info\)",
    ),
    (object(), StraightLine(), {}, r"the environment is a object without reset\(\)"),
    (Plane(), object(), {}, r"the controller is a object, expected one with act"),
    (Plane(), StraightLine(), {"episodes": 0}, "episodes is 0 and max_steps None"),
    (Plane(), StraightLine(), {"max_steps": 0}, "episodes is 1 and max_steps 0"),
    (Plane(), StraightLine(), {"seed": -1}, "seed is -1"),
    (Plane(), StraightLine(), {"episodes": 2, "options": [{}]}, "expected a dict, or 2 of them"),
    (Plane(), Says([[2, 0]]), {}, r"episode 0, step 0: the action of Says is \[2.0, 0.0\], which is not in Box"),
    (Plane(), Says([[0]]), {}, r"episode 0, step 0: the action of Says is \[0.0\], which is not in Box"),
    (Plane(), Says([0, 0]), {}, r"the actions of Says have shape \(2,\), expected \(1, A\)"),
    (Plane(), Says([[np.nan, 0]]), {}, r"the action of Says is \[nan, 0.0\], expected finite numbers"),
    (Plane(), Says("left"), {}, "the actions of Says is str"),
    (Plane(seen=np.zeros(3)), StraightLine(), {}, r"step 2: the observation has shape \(3,\), expected \(2,\) as before"),
    (Plane(seen=np.full(2, np.nan)), StraightLine(), {}, "step 2: the observation holds NaN or infinity"),
    (Plane(seen={"pose": 1}), StraightLine(), {}, "step 2: the observation is a dict of pose, expected one with 'observation'"),
    (Plane(seen=3.0), StraightLine(), {}, r"step 2: the observation has shape \(\)"),
    (
        Plane(cost=lambda k: {"cost": 1.0} if k == 1 else {}),
        StraightLine(),
        {},
        "step 2: info has no cost, unlike the steps before",
    ),
    (Plane(cost=lambda k: {"cost": np.inf}), StraightLine(), {}, "step 1: the cost is inf"),
]


@pytest.mark.parametrize(("env", "controller", "arguments", "message"), WRONG)
def test_what_does_not_fit_is_named(env: Any, controller: Any, arguments: Mapping[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        nv.rollout(env, controller, **{"options": {"goal": (9, 9)}, **arguments})
    assert "\n" not in str(caught.value)


def test_a_maze_as_ogbench_has_it() -> None:
    """Tasks by number, the goal in the info, success in the info."""

    class OneMaze:
        def __init__(self) -> None:
            self.maze = GoalMaze("pointmaze-medium")

        def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
            assert options is not None
            seen, goals = self.maze.reset([options["task_id"] - 1], seed=seed or 0)
            self.steps = 0
            return seen[0], {"goal": goals[0]}

        def step(self, action: NDArray[Any]) -> tuple[Any, float, bool, bool, dict[str, Any]]:
            seen, reached = self.maze.step(action[None])
            self.steps += 1
            return seen[0], 0.0, bool(reached[0]), self.steps >= self.maze.max_steps, {"success": float(reached[0])}

    class Driver:
        def __init__(self, maze: GoalMaze) -> None:
            self.maze = maze

        def act(self, observations: NDArray[Any], goals: NDArray[Any]) -> NDArray[Any]:
            return self.maze.driver_actions()

    env = OneMaze()
    episodes = nv.rollout(env, Driver(env.maze), 5, options=[{"task_id": k} for k in range(1, 6)])
    assert all(episode.reached for episode in episodes)
    assert all(np.linalg.norm(episode.observations[-1] - episode.goal) <= 1.0 for episode in episodes)


def test_gymnasium() -> None:
    gymnasium = pytest.importorskip("gymnasium")
    env = gymnasium.make("navplan.scenarios.environments.gymnasium:navplan/PointNav-v0", scenario="line", distance=(3.0, 6.0))

    class Cells:
        """Observations of this environment are shares of the map's size."""

        size = np.array([env.unwrapped.scenario.world.height, env.unwrapped.scenario.world.width], np.float32)

        def act(self, observations: NDArray[Any], goals: NDArray[Any]) -> NDArray[Any]:
            return StraightLine().act(observations * self.size, goals * self.size)

    episodes = nv.rollout(env, Cells(), 3, seed=1)
    assert all(episode.costs is not None and episode.observations.shape[1:] == (2,) for episode in episodes)
    assert any(episode.reached for episode in episodes)
    assert nv.Dataset.from_env(env, Cells(), 30).num_transitions == 30
