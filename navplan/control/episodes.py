"""Driving one robot through episodes of any environment of Gymnasium's form; Gymnasium itself is not needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from navplan.control.interface import Controller
from navplan.errors import InvalidInput
from navplan.system.arrays import Float32
from navplan.system.numbers import as_array, as_numbers, check_seed, check_whole, detached, is_finite
from navplan.system.words import said

Options = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
Reached = Callable[[NDArray[Any], NDArray[Any]], object] | None
# Infos by which environments say that the goal is reached, the first that there is counts.
_SUCCESS = ("success", "is_success")
# An action is moved into its space where it is this much beyond a bound: networks answer in single precision.
_ROUNDING = 1e-5


class Environment(Protocol):
    """What is asked of an environment: `gymnasium.Env`'s two functions, and `action_space` where there is one."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode: observation and info."""
        ...

    def step(self, action: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Observation, reward, terminated, truncated and info."""
        ...


class Episode(NamedTuple):
    """One trajectory of one robot, which `navplan.Dataset.from_episodes` takes.

    observations (T + 1, …) as the environment gave them; actions (T, A) float32; costs (T,) float32 of ``info["cost"]``, or None
    where there is none; goal (G,) that was driven to at the end, (0,) where the environment names none; reached: whether it was;
    steps: T.
    """

    observations: NDArray[Any]
    actions: Float32
    costs: Float32 | None
    goal: NDArray[Any]
    reached: bool
    steps: int

    def document(self) -> dict[str, Any]:
        """What logs hold of it, by name."""
        kept = {"observations": self.observations, "actions": self.actions}
        return kept if self.costs is None else {**kept, "costs": self.costs}


def rollout(
    env: Environment,
    controller: Controller,
    episodes: int = 1,
    *,
    seed: int = 0,
    max_steps: int | None = None,
    options: Options = None,
    reached: Reached = None,
) -> list[Episode]:
    """Drive `controller` through episodes of `env`.

    Observations are arrays, or dicts with ``"observation"`` in them. The goal is their ``"desired_goal"`` or ``"goal"``, else
    ``info["goal"]``; where there is neither, the controller is given goals of no width. An episode ends when the goal is reached,
    or as the environment says. Reached is what `reached` says, else ``info["success"]`` or ``info["is_success"]``, else that the
    environment terminates.

    Args:
        env: with Gymnasium's `reset(seed=, options=)` and `step(action)`.
        controller: ``act(observations (1, …), goals (1, G)) -> (1, A)``; its `reset()`, if any, is called before each episode.
        episodes: how many.
        seed: episode k is reset with ``seed + k``.
        max_steps: of an episode; None: as many as the environment allows.
        options: of `reset`: for all episodes, or one for each; None: `reset` is given none.
        reached: ``(observation, goal) -> bool``.

    Raises:
        InvalidInput: the environment has another form, or changes the shape of its observations; the controller answers with
            what is no action of the environment's; or something is not finite. It names episode and step.

    Example:
        >>> class Line:  # to the right, until 3
        ...     def reset(self, *, seed=None, options=None):
        ...         self.at = np.zeros(1)
        ...         return self.at, {"goal": np.array([3.0])}
        ...
        ...     def step(self, action):
        ...         self.at += action
        ...         return self.at, 0.0, bool(self.at[0] >= 3), False, {}
        >>> class Right:
        ...     def act(self, observations, goals):
        ...         return np.ones((1, 1))
        >>> (episode,) = rollout(Line(), Right())
        >>> episode.reached, episode.steps, episode.observations.ravel().tolist()
        (True, 3, [0.0, 1.0, 2.0, 3.0])
    """
    check_whole(episodes=episodes)
    check_seed(seed)
    if max_steps is not None:
        check_whole(max_steps=max_steps)
    if episodes < 1 or (max_steps is not None and max_steps < 1):
        raise InvalidInput(f"episodes is {episodes} and max_steps {max_steps}, expected at least 1 of both")
    if not callable(getattr(controller, "act", None)):
        raise InvalidInput(f"the controller is a {type(controller).__name__}, expected one with act(observations, goals)")
    for name in ("reset", "step"):
        if not callable(getattr(env, name, None)):
            raise InvalidInput(f"the environment is a {type(env).__name__} without {name}(), expected Gymnasium's reset and step")
    wishes = _wishes(options, episodes)
    return [_EpisodeRun(env, controller, k, reached).run(seed + k, wishes[k], max_steps) for k in range(episodes)]


def _wishes(options: Options, episodes: int) -> list[Mapping[str, Any] | None]:
    """The options of each episode."""
    if options is None or isinstance(options, Mapping):
        return [options] * episodes
    listed = list(options)
    if len(listed) != episodes or not all(isinstance(each, Mapping) for each in listed):
        raise InvalidInput(f"options are {said(options)}, expected a dict, or {episodes} of them: one for each episode")
    return list(listed)


class _EpisodeRun:
    """One episode."""

    def __init__(self, env: Environment, controller: Controller, number: int, reached: Reached) -> None:
        self.env, self.controller, self.number, self.reached = env, controller, number, reached
        self.space = getattr(env, "action_space", None)
        self.seen: list[NDArray[Any]] = []
        self.moved: list[Float32] = []
        self.paid: list[float | None] = []
        self.goal: NDArray[Any] = np.empty(0, np.float32)

    @property
    def where(self) -> str:
        return f"episode {self.number}, step {len(self.moved)}"

    def run(self, seed: int, options: Mapping[str, Any] | None, max_steps: int | None) -> Episode:
        """From reset to end."""
        if callable(forget := getattr(self.controller, "reset", None)):
            forget()
        answer: Any = self.env.reset(seed=seed) if options is None else self.env.reset(seed=seed, options=dict(options))
        if not isinstance(answer, tuple) or len(answer) != 2 or not isinstance(answer[1], Mapping):
            raise InvalidInput(f"reset of {type(self.env).__name__} answers with {said(answer)}, expected (observation, info)")
        self._look(*answer)
        there = over = False
        while not (there or over or len(self.moved) == max_steps):
            answer = self.env.step(self._action())
            if not isinstance(answer, tuple) or len(answer) != 5 or not isinstance(answer[4], Mapping):
                wanted = "(observation, reward, terminated, truncated, info)"
                raise InvalidInput(f"step of {type(self.env).__name__} answers with {said(answer)}, expected {wanted}")
            observation, _, terminated, truncated, info = answer
            self._look(observation, info)
            self._pay(info)
            there, over = self._there(bool(terminated), info), bool(terminated) or bool(truncated)
        costs = None if None in self.paid else np.array(self.paid, np.float32)
        return Episode(np.stack(self.seen), np.stack(self.moved), costs, self.goal, there, len(self.moved))

    def _look(self, observation: Any, info: Mapping[str, Any]) -> None:
        """Keep an observation, and the goal that it or the info names."""
        seen, goal = observation, info.get("goal")
        if isinstance(observation, Mapping):
            if "observation" not in observation:
                keys = ", ".join(map(str, observation))
                raise InvalidInput(f"{self.where}: the observation is a dict of {keys}, expected one with 'observation'")
            seen = observation["observation"]
            goal = observation.get("desired_goal", observation.get("goal", goal))
        self.seen.append(self._numbers(seen, "the observation", self.seen[0].shape if self.seen else None))
        if goal is not None:
            self.goal = self._numbers(goal, "the goal", self.goal.shape if self.goal.size else None)

    def _numbers(self, values: Any, name: str, shape: tuple[int, ...] | None) -> NDArray[Any]:
        """One's own copy of numbers, checked."""
        array = np.array(as_array(detached(values), name))
        if array.ndim < 1 or array.dtype.kind not in "biuf":
            raise InvalidInput(f"{self.where}: {name} has shape {array.shape} of {array.dtype}, expected an array of numbers")
        if shape is not None and array.shape != shape:
            raise InvalidInput(f"{self.where}: {name} has shape {array.shape}, expected {shape} as before")
        if not np.isfinite(array).all():
            raise InvalidInput(f"{self.where}: {name} holds NaN or infinity, expected finite numbers")
        return array

    def _action(self) -> Any:
        """What the controller says, kept as (A,) and handed on as the environment's space has it."""
        name = type(self.controller).__name__
        given = as_numbers(detached(self.controller.act(self.seen[-1][None], self.goal[None])), f"the actions of {name}")
        if given.ndim != 2 or given.shape[0] != 1 or not given.size:
            raise InvalidInput(f"{self.where}: the actions of {name} have shape {given.shape}, expected (1, A)")
        if not np.isfinite(given).all():
            raise InvalidInput(f"{self.where}: the action of {name} is {said(given[0].tolist())}, expected finite numbers")
        action = _fitting(given[0], self.space)
        contains = getattr(self.space, "contains", None)
        if callable(contains) and not contains(action):
            raise InvalidInput(f"{self.where}: the action of {name} is {said(given[0].tolist())}, which is not in {self.space}")
        self.moved.append(np.asarray(action, np.float32).reshape(-1))
        return action

    def _pay(self, info: Mapping[str, Any]) -> None:
        """Keep the cost of the step, which all steps have or none."""
        cost = info.get("cost")
        if self.paid and (self.paid[0] is None) != (cost is None):
            raise InvalidInput(f"{self.where}: info has {'no' if cost is None else 'a'} cost, unlike the steps before")
        value = None if cost is None else float(as_numbers(detached(cost), "the cost").reshape(-1)[0])
        if value is not None and not is_finite(value):
            raise InvalidInput(f"{self.where}: the cost is {value}, expected a finite number")
        self.paid.append(value)

    def _there(self, terminated: bool, info: Mapping[str, Any]) -> bool:
        if self.reached is not None:
            return bool(self.reached(self.seen[-1], self.goal))
        told = next((info[name] for name in _SUCCESS if name in info), None)
        return terminated if told is None else bool(told)


def _fitting(action: NDArray[Any], space: Any) -> Any:
    """The action in the shape and type of its space, rounding taken back; as it is where it is none of that space's."""
    shape, dtype = getattr(space, "shape", None), getattr(space, "dtype", None)
    if dtype is None or shape is None or int(np.prod(shape)) != action.size:
        return action.astype(np.float32)
    low, high = (getattr(space, name, None) for name in ("low", "high"))
    shaped = action.reshape(shape)
    if low is not None and high is not None:
        inside = np.clip(shaped, low, high)
        near = np.abs(inside - shaped) <= _ROUNDING * np.maximum(1.0, np.abs(inside))
        shaped = np.where(near, inside, shaped)
    cast = shaped.astype(dtype)[()]
    return cast if np.dtype(dtype).kind == "f" or (cast == shaped).all() else action.astype(np.float32)


def driven(env: Environment, controller: Controller, steps: int, seed: int) -> list[Episode]:
    """Episodes of `steps` steps in all, the last one cut; see `rollout`."""
    check_whole(steps=steps)
    if steps < 1:
        raise InvalidInput(f"steps is {steps}, expected at least 1")
    found: list[Episode] = []
    left = steps
    while left:
        found += rollout(env, controller, seed=seed + len(found), max_steps=left)
        left -= found[-1].steps
    return found
