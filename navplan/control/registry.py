"""Low levels by name: those that need no checkpoint, those that a checkpoint brings, those of other distributions.

Targets are ``"module:Class"``, imported when asked for, so that listing them needs neither torch nor a checkpoint. Other
distributions add theirs in the entry-point group ``navplan.low_levels`` (name = "module:Class"), a class that is made without
arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from navplan.control.interface import LowLevel
from navplan.errors import InvalidInput, UnknownName
from navplan.system.names import Registry

LOW_LEVELS: dict[str, str] = {"straight-line": "navplan.control.straight_line:StraightLine"}
"""Name -> "module:Class" of the low levels that need no checkpoint."""

SUMMARIES: dict[str, str] = {
    "behaviour-cloning": "an imitation of the replay buffer's own actions",
    "policy": "the checkpoint's goal-conditioned, safety-constrained policy",
    "straight-line": "full speed along the straight line; knows no walls",
}
"""Name -> one line, of every low level that navplan knows; the learned ones are those that its checkpoints export."""

_REGISTRY: Registry[Callable[[], LowLevel]] = Registry("low level", LOW_LEVELS, "navplan.low_levels", SUMMARIES)


def broken() -> dict[str, str]:
    """Names of low levels of other distributions that cannot be used, and why."""
    return _REGISTRY.broken(get)


@dataclass(frozen=True)
class LowLevelEntry:
    """A low level that can be asked for: its name, whether it comes with a checkpoint, and one line on what it does."""

    name: str
    learned: bool
    summary: str


def listed() -> list[LowLevelEntry]:
    """Every low level that is known without a checkpoint at hand, sorted by name."""
    ours = [LowLevelEntry(name, name not in LOW_LEVELS, summary) for name, summary in SUMMARIES.items()]
    others = [LowLevelEntry(name, False, _REGISTRY.summary(name)) for name in _REGISTRY.names() if name not in SUMMARIES]
    return sorted([*ours, *others], key=lambda entry: entry.name)


def get(name: str, policies: Mapping[str, LowLevel] | None = None) -> LowLevel:
    """The low level called `name`.

    Args:
        name: as `listed`, or of one of the policies.
        policies: what the loaded checkpoint exports (`Checkpoint.policies`); None where there is no checkpoint.

    Raises:
        UnknownName: nobody knows it.
        BrokenPlugin: another distribution's cannot be imported, made without arguments, or does not act.
        InvalidInput: it is learned and there is no checkpoint, or the checkpoint has no such module.

    Example:
        >>> get("straight-line")
        StraightLine()
    """
    brought = policies or {}
    if name in brought and name not in LOW_LEVELS:
        return brought[name]
    if name in LOW_LEVELS or (name not in SUMMARIES and name in _REGISTRY.names()):
        return _made(name)
    if name not in SUMMARIES:
        raise UnknownName("low level", name, {*brought, *(entry.name for entry in listed())})
    if policies is None:
        raise InvalidInput(f"low level {name!r} is learned and needs a checkpoint; give one, or use 'straight-line'")
    raise InvalidInput(f"this checkpoint has no {name} module; it has {', '.join(sorted(brought)) or 'none'}")


def _made(name: str) -> LowLevel:
    made = _REGISTRY.made(name)
    if not isinstance(made, LowLevel):
        raise InvalidInput(
            f"low level {name!r} is a {type(made).__name__} without `act`, expected act(observations, goals, condition)"
        )
    return made
