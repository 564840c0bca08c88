"""Seeded grid maps: random obstacles, rooms, mazes, warehouses, empty floors.

The same seed gives the same map on every machine and with every NumPy: only the raw 64-bit stream of PCG64, which NumPy
promises never to change, and integer arithmetic are used.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np

from navplan.errors import InvalidInput, UnknownName
from navplan.system.arrays import Bool, Int64

MAX_GENERATED = 1 << 22
"""No larger map is generated, in cells: a maze of 2048 x 2048 with the narrowest corridors takes some twenty seconds."""

Span = tuple[int, int]


class _Draws:
    """Integers from the raw PCG64 stream."""

    def __init__(self, seed: int) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 1 << 64:
            raise InvalidInput(f"seed is {seed!r}, expected an integer from 0 to 2**64 - 1")
        self._bits = np.random.PCG64(int(seed))

    def below(self, n: int) -> int:
        """Uniform in 0..n-1: the multiply-shift map of 64 bits, whose bias n / 2**64 is beyond notice."""
        return (int(self._bits.random_raw()) * n) >> 64

    def order(self, n: int) -> Int64:
        """A random permutation of 0..n-1: sort one random key each, ties by index."""
        return np.argsort(self._bits.random_raw(n), kind="stable")


def empty(seed: int = 0, *, height: int = 16, width: int = 16) -> Bool:
    """A floor without obstacles; the seed is checked and has no effect.

    Returns:
        (height, width) bool, True = wall.
    """
    _Draws(seed)
    return np.zeros(_size(height, width), np.bool_)


def random_obstacles(seed: int = 0, *, height: int = 32, width: int = 32, density: float = 0.2) -> Bool:
    """Single blocked cells at random; exactly ``round(density * cells)`` of them. Free cells need not be connected.

    Args:
        seed: 0 to 2**64 - 1.
        height, width: cells.
        density: share of blocked cells, 0 <= density < 1.
    """
    size = _size(height, width)
    if isinstance(density, bool) or not isinstance(density, int | float) or not 0 <= density < 1:
        raise InvalidInput(f"density is {density!r}, expected a number from 0 to below 1")
    count = min(round(density * height * width), height * width - 1)
    walls = np.zeros(height * width, np.bool_)
    walls[_Draws(seed).order(height * width)[:count]] = True
    return walls.reshape(size)


def rooms(seed: int = 0, *, height: int = 32, width: int = 32, room: int = 7, door: int = 2, extra_doors: int = 50) -> Bool:
    """Square rooms behind one-cell walls; doors join all of them, so the free cells are connected.

    Args:
        seed: 0 to 2**64 - 1.
        height, width: cells.
        room: inner side of a room; the last row and column of rooms take what is left over.
        door: width of a door, at most `room`.
        extra_doors: per cent of the remaining walls between neighbouring rooms that get a door too, 0 to 100.
    """
    size = _size(height, width)
    _positive(room=room, door=door)
    _percentage(extra_doors=extra_doors)
    if door > room:
        raise InvalidInput(f"door is {door}, expected at most the room's side, {room}")
    draws = _Draws(seed)
    vertical, horizontal = _spans(height, room), _spans(width, room)
    walls = _cells(size, vertical, horizontal)
    tree, rest = _spanning_tree(len(vertical), len(horizontal), draws)
    for wall in tree + [wall for wall in rest if draws.below(100) < extra_doors]:
        _open(walls, vertical, horizontal, wall, door, draws)
    return walls


def maze(seed: int = 0, *, height: int = 31, width: int = 31, corridor: int = 3, loops: int = 0, border: int = 0) -> Bool:
    """A maze of corridors behind one-cell walls, made by a random depth-first walk; the free cells are connected.

    Args:
        seed: 0 to 2**64 - 1.
        height, width: cells.
        corridor: width of a corridor; the last ones take what is left over.
        loops: per cent of the remaining walls that are opened too, 0 to 100; 0 leaves exactly one way between any two places.
        border: thickness of a wall around the maze, inside the given size; 0 for none.
    """
    size = _size(height, width)
    _positive(corridor=corridor)
    _percentage(loops=loops)
    if isinstance(border, bool) or not isinstance(border, int | np.integer) or not 0 <= 2 * border < min(size):
        raise InvalidInput(f"border is {border!r}, expected an integer from 0 to below half the map's side, {min(size) / 2:g}")
    if border:
        inside = maze(seed, height=height - 2 * border, width=width - 2 * border, corridor=corridor, loops=loops)
        return np.pad(inside, border, constant_values=True)
    draws = _Draws(seed)
    vertical, horizontal = _spans(height, corridor), _spans(width, corridor)
    walls = _cells(size, vertical, horizontal)
    tree, rest = _walk(len(vertical), len(horizontal), draws)
    for wall in tree + [wall for wall in rest if draws.below(100) < loops]:
        _open(walls, vertical, horizontal, wall, None, draws)
    return walls


def warehouse(
    seed: int = 0,
    *,
    shelf_rows: int = 6,
    shelf_columns: int = 3,
    shelf_length: int = 8,
    shelf_depth: int = 2,
    aisle: int = 2,
    margin: int = 4,
    missing: int = 10,
) -> Bool:
    """Shelves in rows and columns with aisles between them and open floor around; the free cells are connected.

    Args:
        seed: 0 to 2**64 - 1; chooses which shelves are missing.
        shelf_rows, shelf_columns: how many shelves down and across.
        shelf_length, shelf_depth: cells of a shelf across and down.
        aisle: cells between shelves.
        margin: cells of open floor at the left and right; above and below there is one aisle.
        missing: per cent of shelf places left empty, 0 to 100.
    """
    _positive(
        shelf_rows=shelf_rows,
        shelf_columns=shelf_columns,
        shelf_length=shelf_length,
        shelf_depth=shelf_depth,
        aisle=aisle,
        margin=margin,
    )
    _percentage(missing=missing)
    height = shelf_rows * (shelf_depth + aisle) + aisle
    width = 2 * margin + shelf_columns * (shelf_length + aisle) - aisle
    walls = np.zeros(_size(height, width), np.bool_)
    draws = _Draws(seed)
    for i in range(shelf_rows):
        for j in range(shelf_columns):
            top, left = aisle + i * (shelf_depth + aisle), margin + j * (shelf_length + aisle)
            if draws.below(100) >= missing:
                walls[top : top + shelf_depth, left : left + shelf_length] = True
    return walls


GENERATORS: dict[str, Callable[..., Bool]] = {
    "empty": empty,
    "maze": maze,
    "random": random_obstacles,
    "rooms": rooms,
    "warehouse": warehouse,
}


def parameters(kind: str) -> dict[str, int | float]:
    """A generator's parameters beside the seed, with their defaults.

    Example:
        >>> parameters("empty")
        {'height': 16, 'width': 16}
    """
    if kind not in GENERATORS:
        raise UnknownName("generator", kind, GENERATORS)
    signature = inspect.signature(GENERATORS[kind])
    return {name: parameter.default for name, parameter in signature.parameters.items() if name != "seed"}


def generate(kind: str, seed: int = 0, /, **options: int | float) -> Bool:
    """The map of generator `kind` for a seed.

    Raises:
        UnknownName: no such generator.
        InvalidInput: an unknown parameter, or a value out of its range.

    Example:
        >>> generate("empty", height=2, width=3).shape
        (2, 3)
    """
    known = parameters(kind)
    for name in options:
        if name not in known:
            raise InvalidInput(f"generator {kind!r} has no parameter {name!r}, expected some of {', '.join(known)}")
    return GENERATORS[kind](seed, **options)


def _size(height: int, width: int) -> tuple[int, int]:
    _positive(height=height, width=width)
    if height * width > MAX_GENERATED:
        raise InvalidInput(f"a map of {height} x {width} cells is too large, expected at most {MAX_GENERATED} cells")
    return height, width


def _positive(**values: int) -> None:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise InvalidInput(f"{name} is {value!r}, expected a positive integer")


def _percentage(**values: int) -> None:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value <= 100:
            raise InvalidInput(f"{name} is {value!r}, expected a whole percentage from 0 to 100")


# A wall between two neighbouring rooms: (row, column, 0) lies to the right of the room, (row, column, 1) below it.
Wall = tuple[int, int, int]


def _spans(length: int, inner: int) -> list[Span]:
    """Half-open spans of `inner` cells with single wall cells between; the last span takes what is left over."""
    count = max(1, (length + 1) // (inner + 1))
    spans = [(i * (inner + 1), i * (inner + 1) + inner) for i in range(count)]
    spans[-1] = (spans[-1][0], length)
    return spans


def _cells(size: tuple[int, int], vertical: list[Span], horizontal: list[Span]) -> Bool:
    walls = np.zeros(size, np.bool_)
    walls[[end for _, end in vertical[:-1]], :] = True
    walls[:, [end for _, end in horizontal[:-1]]] = True
    return walls


def _inner_walls(rows: int, columns: int) -> list[Wall]:
    right = [(i, j, 0) for i in range(rows) for j in range(columns - 1)]
    below = [(i, j, 1) for i in range(rows - 1) for j in range(columns)]
    return right + below


def _spanning_tree(rows: int, columns: int, draws: _Draws) -> tuple[list[Wall], list[Wall]]:
    """Walls to open so that all rooms are joined without a loop (random order, union-find), and the other walls."""
    walls = _inner_walls(rows, columns)
    parent = list(range(rows * columns))
    tree: list[Wall] = []
    rest: list[Wall] = []
    for index in draws.order(len(walls)).tolist() if walls else []:
        i, j, below = walls[index]
        roots = []
        for room in (i * columns + j, (i + below) * columns + j + 1 - below):
            while parent[room] != room:
                parent[room] = parent[parent[room]]
                room = parent[room]
            roots.append(room)
        (rest if roots[0] == roots[1] else tree).append(walls[index])
        parent[roots[0]] = roots[1]
    return tree, rest


def _walk(rows: int, columns: int, draws: _Draws) -> tuple[list[Wall], list[Wall]]:
    """Walls to open by a depth-first walk that backs up at dead ends, and the other walls."""
    seen = [[False] * columns for _ in range(rows)]
    stack = [(draws.below(rows), draws.below(columns))]
    seen[stack[0][0]][stack[0][1]] = True
    tree: list[Wall] = []
    while stack:
        i, j = stack[-1]
        ways = [(i - 1, j), (i, j - 1), (i, j + 1), (i + 1, j)]
        ways = [(a, b) for a, b in ways if 0 <= a < rows and 0 <= b < columns and not seen[a][b]]
        if not ways:
            stack.pop()
            continue
        a, b = ways[draws.below(len(ways))]
        seen[a][b] = True
        tree.append((min(i, a), min(j, b), int(a != i)))
        stack.append((a, b))
    opened = set(tree)
    return tree, [wall for wall in _inner_walls(rows, columns) if wall not in opened]


def _open(walls: Bool, vertical: list[Span], horizontal: list[Span], wall: Wall, door: int | None, draws: _Draws) -> None:
    """Break a door of `door` cells at a random place into a wall, or take the whole wall away (None)."""
    i, j, below = wall
    start, end = horizontal[j] if below else vertical[i]
    if door is not None:
        start += draws.below(end - start - min(door, end - start) + 1)
        end = min(end, start + door)
    if below:
        walls[vertical[i][1], start:end] = False
    else:
        walls[start:end, horizontal[j][1]] = False
