"""The registered low-level control modules, and the simplest of them.

A low level turns (state, goal) into an action and is shared by all agents; see protocols.LowLevel. Names map to
``"module:attribute"``, imported when asked for, so that listing them needs neither torch nor a checkpoint.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from navplan.control.interface import LowLevel
from navplan.errors import InvalidInput, UnknownName
from navplan.system.arrays import Float32


@dataclass(frozen=True)
class Entry:
    """One registered module: where its factory is, what it does, whether it is learned and so needs a checkpoint."""

    target: str
    summary: str
    needs_checkpoint: bool


LOW_LEVELS: dict[str, Entry] = {
    "policy": Entry(
        "navplan.control.registry:learned_policy", "the checkpoint's goal-conditioned, safety-constrained policy", True
    ),
    "behaviour-cloning": Entry(
        "navplan.control.registry:behaviour_cloning", "an imitation of the replay buffer's own actions", True
    ),
    "straight-line": Entry("navplan.control.registry:straight_line", "full speed along the straight line; knows no walls", False),
}


def names() -> list[str]:
    """Names of the registered low levels, sorted."""
    return sorted(LOW_LEVELS)


def get(name: str, critics: Any | None = None) -> LowLevel:
    """The low level called `name`.

    Args:
        critics: the loaded checkpoint that learned modules come from.

    Raises:
        UnknownName: it is not registered.
        InvalidInput: it is learned and there is no checkpoint, or the checkpoint has no such module.
    """
    if name not in LOW_LEVELS:
        raise UnknownName("low level", name, LOW_LEVELS)
    entry = LOW_LEVELS[name]
    if entry.needs_checkpoint and critics is None:
        raise InvalidInput(f"low level {name!r} is learned and needs a checkpoint; give one, or use 'straight-line'")
    module, attribute = entry.target.split(":")
    factory = cast(Callable[[Any], LowLevel], getattr(importlib.import_module(module), attribute))
    return factory(critics)


@dataclass(frozen=True)
class StraightLine:
    """Full speed towards the goal along the straight line, slowing down so as to stop on it."""

    def act(self, observations: Float32, goals: Float32, condition: Float32 | None = None) -> Float32:
        """See protocols.LowLevel; takes no condition."""
        if condition is not None:
            raise InvalidInput("straight-line control takes no condition")
        gap = np.asarray(goals, np.float32) - np.asarray(observations, np.float32)
        longest = np.abs(gap).max(axis=-1, keepdims=True)
        return np.asarray(gap / np.maximum(longest, np.float32(1.0)), dtype=np.float32)


def straight_line(critics: Any | None = None) -> LowLevel:
    """Factory of `straight-line`; needs no checkpoint."""
    return StraightLine()


def learned_policy(critics: Any) -> LowLevel:
    """Factory of `policy`."""
    return cast(LowLevel, critics.policy)


def behaviour_cloning(critics: Any) -> LowLevel:
    """Factory of `behaviour-cloning`."""
    found = getattr(critics, "behaviour_cloning", None)
    if found is None:
        raise InvalidInput("this checkpoint has no behaviour-cloning module; train it again with the present version")
    return cast(LowLevel, found)
