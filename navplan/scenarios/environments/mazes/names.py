"""Names of mazes and of logs: what moves, where, and what was logged: `carmaze-large-stitch`."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from navplan.errors import InvalidInput, UnknownName
from navplan.system.words import said


class MazeName(NamedTuple):
    """A name's parts.

    Attributes:
        kind: "pointmaze" (a point, its place observed), "carmaze" (a car, its place, heading and speed observed) or "scrambled"
            (a point, a code of its place and noise observed).
        layout: "medium", "large", "giant" or "teleport".
        logs: "navigate" (long trajectories from goal to goal), "stitch" (short ones to a goal four cells away) or "mixed" (four
            of five short ones by actions at random); None: the maze alone.
    """

    kind: str
    layout: str
    logs: str | None = None

    def __str__(self) -> str:
        return "-".join(part for part in self if part)


_LISTED = (
    *product(("pointmaze",), ("medium", "large", "giant", "teleport"), ("navigate", "stitch")),
    *product(("carmaze",), ("medium", "large", "giant"), ("navigate", "stitch", "mixed")),
    *product(("scrambled",), ("medium", "large"), ("navigate", "stitch")),
)
MAZES: dict[str, MazeName] = {"-".join(parts): MazeName(*parts) for parts in _LISTED}
"""Every set of logs by name."""
_WORLDS: dict[str, MazeName] = {f"{each.kind}-{each.layout}": MazeName(each.kind, each.layout) for each in MAZES.values()}


def maze_named(name: str) -> MazeName:
    """The parts of a name, of logs or of a maze alone; `_` is taken for `-`.

    Raises:
        UnknownName: there is none such; the message suggests the nearest.
        InvalidInput: no name.

    Example:
        >>> maze_named("carmaze-large-stitch")
        MazeName(kind='carmaze', layout='large', logs='stitch')
    """
    if not isinstance(name, str):
        raise InvalidInput(f"maze is {said(name)}, expected a name")
    asked = name.replace("_", "-")
    found = MAZES.get(asked) or _WORLDS.get(asked)
    if found is None:
        raise UnknownName("maze", name, [*MAZES, *_WORLDS])
    return found


def logs_named(name: str) -> MazeName:
    """The parts of a name of logs.

    Raises:
        UnknownName, InvalidInput: as `maze_named`; or a maze alone.
    """
    found = maze_named(name)
    if found.logs is None:
        known = " or ".join(other for other in MAZES if other.startswith(f"{found}-"))
        raise InvalidInput(f"{name} is a maze, expected logs in it: {known}")
    return found
