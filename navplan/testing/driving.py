"""Does it drive, does it simulate: low levels and environments."""

from __future__ import annotations

from typing import Any

import numpy as np

from navplan.control.interface import LowLevel
from navplan.execution.simulator import SimulatedStep, Simulator, step_ends
from navplan.system.arrays import Float32
from navplan.testing.faulty import asked, require

_PARTS = ("states", "goals", "radius", "goal_tolerance", "world", "step", "predict")
_ROUNDING = 1e-4
_PLACES = 21
"""Of a track: where a step begins, and after each of its twenty half-steps."""


def check_low_level(low_level: LowLevel) -> None:
    """Ask for actions of one agent and of many.

    Raises:
        Faulty: no `act`; actions of another shape, beyond [-1, 1] or not finite; arguments changed.
    """
    what = f"low level {type(low_level).__name__}"
    require(callable(getattr(low_level, "act", None)), f"{what} has no act(observations, goals, condition=None)")
    rng = np.random.default_rng(0)
    for agents in (1, 7):
        states, goals = rng.uniform(1, 7, (2, agents, 2)).astype(np.float32)
        if agents > 1:
            goals[0] = states[0]  # at its goal
        before = states.copy(), goals.copy()
        actions = np.asarray(asked(f"{what}: act", low_level.act, states, goals))
        require(actions.shape == (agents, 2), f"{what}: actions have shape {actions.shape}, expected ({agents}, 2)")
        require(actions.dtype.kind == "f", f"{what}: actions are {actions.dtype}, expected float32")
        within = bool(np.isfinite(actions).all() and (np.abs(actions) <= 1).all())
        require(within, f"{what}: actions reach {np.abs(actions).max():g}, expected finite numbers in [-1, 1]")
        require(np.array_equal(states, before[0]) and np.array_equal(goals, before[1]), f"{what}: act changes its arguments")


def check_environment(environment: Simulator, steps: int = 5) -> None:
    """Predict and take some steps, straight towards the goals.

    Args:
        environment: with agents in place; it is moved.
        steps: how many.

    Raises:
        Faulty: a part is missing or of another shape, a step ends elsewhere than was predicted, contacts are not symmetric.
    """
    what = f"environment {type(environment).__name__}"
    for part in _PARTS:
        require(hasattr(environment, part), f"{what} has no {part}, expected {', '.join(_PARTS)}")
    shape = np.shape(environment.states)
    require(len(shape) == 3 and shape[0] == 1 and shape[2] == 2, f"{what}: states have shape {shape}, expected (1, A, 2)")
    require(np.shape(environment.goals) == shape, f"{what}: goals have shape {np.shape(environment.goals)}, expected {shape}")
    for name in ("radius", "goal_tolerance"):
        value: Any = getattr(environment, name)
        require(np.ndim(value) == 0 and value >= 0, f"{what}: {name} is {value!r}, expected cells, at least 0")
    for _ in range(steps):
        gap = np.asarray(environment.goals, np.float32) - np.asarray(environment.states, np.float32)
        actions = np.asarray(gap / np.maximum(np.abs(gap).max(axis=-1, keepdims=True), 1), np.float32)
        before, track = np.array(environment.states), _predicted(environment, actions, what)
        step: SimulatedStep = asked(f"{what}: step", environment.step, actions)
        _check_step(step, shape, track, what)
        _check_track(environment, before, what)
        same = np.array_equal(np.asarray(environment.states), np.asarray(step.states))
        require(same, f"{what}: states after a step are not what the step returned")


def _predicted(environment: Simulator, actions: Float32, what: str) -> Float32:
    """(A, 2) where the actions are predicted to lead; the states must not move."""
    agents, before = actions.shape[1], np.array(environment.states)
    track = np.asarray(asked(f"{what}: predict", environment.predict, actions))
    fits = track.ndim == 4 and track.shape[:2] == (1, agents) and track.shape[2] >= 1 and track.shape[3] == 2
    require(fits, f"{what}: predict returned shape {track.shape}, expected (1, {agents}, S, 2)")
    many = np.repeat(actions, 3, axis=0)
    sets = np.asarray(asked(f"{what}: predict", environment.predict, many, np.repeat(before, 3, axis=0).astype(np.float32)))
    alike = sets.shape == (3, *track.shape[1:]) and np.allclose(sets, track, atol=_ROUNDING)
    require(alike, f"{what}: predict of three equal sets of actions from the same states differs from predict of one")
    require(np.array_equal(before, environment.states), f"{what}: predict moves the agents")
    return np.asarray(step_ends(environment, track)[0])


def _check_track(environment: Simulator, before: Float32, what: str) -> None:
    """The track of a step begins where the agents were and ends where they are; the world can be asked about its places."""
    for part in ("track", "moves"):
        require(hasattr(environment, part), f"{what} has no {part} after a step")
    moved = np.shape(environment.moves)
    require(moved == before.shape, f"{what}: moves of a step have shape {moved}, expected {before.shape}")
    track, agents = np.asarray(environment.track), before.shape[1]
    wanted = (1, agents, _PLACES, 2)
    require(track.shape == wanted, f"{what}: track has shape {track.shape}, expected {wanted}")
    for place, states, when in ((0, before, "begins"), (-1, environment.states, "ends")):
        apart = float(np.abs(track[:, :, place] - np.asarray(states)).max())
        require(apart <= _ROUNDING, f"{what}: the track of a step {when} {apart:g} cells from the agents")
    overlaps: Any = getattr(environment.world, "overlaps", None)
    require(callable(overlaps), f"{what}: its world has no overlaps(points, radius)")
    found = np.shape(asked(f"{what}: world.overlaps", overlaps, track, float(environment.radius)))
    require(found == track.shape[:-1], f"{what}: world.overlaps returned shape {found}, expected {track.shape[:-1]}")


def _check_step(step: SimulatedStep, shape: tuple[int, ...], end: Float32, what: str) -> None:
    agents = shape[1]
    for name, wanted in (
        ("states", shape),
        ("cost", (1, agents)),
        ("reached", (1, agents)),
        ("bumps", (1, agents)),
        ("agent_contacts", (1, agents, agents)),
    ):
        require(hasattr(step, name), f"{what}: a step has no {name}")
        found = np.shape(getattr(step, name))
        require(found == wanted, f"{what}: {name} of a step has shape {found}, expected {wanted}")
    states, contacts = np.asarray(step.states)[0], np.asarray(step.agent_contacts)[0]
    require(np.isfinite(states).all() and np.isfinite(step.cost).all(), f"{what}: a step has states or costs that are not finite")
    apart = float(np.abs(states - end).max())
    require(apart <= _ROUNDING, f"{what}: a step ends {apart:g} cells from where predict said that it would")
    symmetric = np.array_equal(contacts, contacts.T) and not contacts.diagonal().any()
    require(symmetric, f"{what}: agent_contacts of a step are not symmetric, or an agent touches itself")
