"""The paper's named mazes as text files, and the resizing that its environments apply to them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np

from navplan.errors import FileFormatError, InvalidInput, UnknownName
from navplan.system.arrays import Bool
from navplan.system.bounds import MAX_CELLS
from navplan.system.files import read_bytes

MAZE_FOLDER = Path(__file__).parents[1] / "data" / "mazes"

_WORD_STARTS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[a-z])(?=[0-9])(?!(?<=x)[0-9])|(?<=[A-Z])(?=[A-Z][a-z])")


@cache
def maze_names() -> tuple[str, ...]:
    """The names of all bundled mazes, in kebab-case, sorted."""
    return tuple(sorted(path.stem for path in MAZE_FOLDER.glob("*.txt")))


def maze_walls(name: str, scale: int = 1, *, thin: bool = False) -> Bool:
    """The walls of a named maze, resized as in the paper's environments.

    Args:
        name: kebab-case ("center-dot"), or as the paper writes it ("CenterDot").
        scale: resize factor, see `resize_walls`.
        thin: keep walls one cell thick.

    Returns:
        (H * scale, W * scale) bool, True = wall.

    Raises:
        UnknownName: no such maze.
        InvalidInput: the scale is not a positive integer, or too large.

    Example:
        >>> maze_walls("center-dot", 3).shape, int(maze_walls("center-dot", 3).sum())
        ((15, 15), 9)
    """
    names = maze_names()
    key = name if name in names else _WORD_STARTS.sub("-", name).lower()
    if key not in names:
        raise UnknownName("maze", name, names)
    return resize_walls(_read_maze(key), scale, thin=thin)


def resize_walls(walls: Bool, scale: int, *, thin: bool = False) -> Bool:
    """Replicate every cell `scale` x `scale` times, or, with `thin`, spread the cells but keep walls one cell thick.

    The thin variant works along columns, then along rows: a wall cell goes to the multiple of `scale`, and the cells up to
    the next wall cell are filled when its neighbour is a wall too; the last cell counts as its own neighbour, so that a wall
    which touches the far edge still does.

    Raises:
        InvalidInput: the scale is not a positive integer, or the result would have more than `MAX_CELLS` cells.

    Example:
        >>> resize_walls(np.array([[True, True, False]]), 2, thin=True).astype(int).tolist()
        [[1, 1, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0]]
    """
    if isinstance(scale, bool) or not isinstance(scale, int | np.integer) or scale < 1:
        raise InvalidInput(f"scale is {scale!r}, expected a positive integer")
    if walls.size * int(scale) ** 2 > MAX_CELLS:
        rows, cols = walls.shape
        raise InvalidInput(f"a {rows} x {cols} map at scale {scale} has too many cells, expected at most {MAX_CELLS}")
    if thin and scale > 1:
        return np.ascontiguousarray(_spread(_spread(walls, scale).T, scale).T)
    return np.kron(walls, np.ones((scale, scale), np.bool_)).astype(np.bool_)


def _spread(walls: Bool, scale: int) -> Bool:
    rows, cols = walls.shape
    neighbour = np.concatenate([walls[:, 1:], walls[:, -1:]], axis=1)
    out = np.zeros((rows, cols, scale), np.bool_)
    out[:, :, 0] = walls
    out[:, :, 1:] = (walls & neighbour)[:, :, None]
    return out.reshape(rows, cols * scale)


def parse_rows(rows: list[str], path: str | Path, first_line: int | None = 1) -> Bool:
    """Walls from text rows of `#` (wall) and `.` (free); `first_line` is the file's line of the first row, if known.

    Raises:
        FileFormatError: no rows, ragged rows or another character; names the line.
    """
    if not rows or not rows[0]:
        raise FileFormatError(path, "the map is empty, expected rows of '#' and '.'", line=first_line)
    for index, row in enumerate(rows):
        number = None if first_line is None else first_line + index
        if len(row) != len(rows[0]):
            raise FileFormatError(path, f"row has {len(row)} characters, expected {len(rows[0])}", line=number)
        strange = sorted(set(row) - {"#", "."})
        if strange:
            raise FileFormatError(path, f"unknown character {strange[0]!r}, expected '#' or '.'", line=number)
    return np.array([[character == "#" for character in row] for row in rows], dtype=np.bool_)


def _read_maze(name: str) -> Bool:
    path = MAZE_FOLDER / f"{name}.txt"
    return parse_rows(read_bytes(path).decode("ascii").splitlines(), path)


def ascii_rows(walls: Bool) -> list[str]:
    """The map as text rows, `#` wall and `.` free: the inverse of `parse_rows`."""
    return ["".join("#" if cell else "." for cell in row) for row in walls.tolist()]
