"""MovingAI benchmark files: `.map` grids and `.scen` lists of starts and goals.

Terrain ``.``, ``G``, ``S`` and ``E`` is passable, ``@``, ``O``, ``T`` and ``W`` is blocked. A `.scen` line holds, separated by
tabs: bucket, map, map width, map height, start x, start y, goal x, goal y, optimal length, where x is the column. Here cells
are (row, col).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from navplan.errors import FileFormatError, InvalidInput
from navplan.system.arrays import Bool
from navplan.system.bounds import MAX_CELLS
from navplan.system.files import read_bytes, write_bytes
from navplan.system.reading import without_mark

PASSABLE = ".GSE"
BLOCKED = "@OTW"

_INTEGER = re.compile(r"[0-9]{1,9}\Z", re.ASCII)
_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]{1,3})?\Z", re.ASCII)
_BLANKS = " \t\r\v\f"
_COLUMNS = ("bucket", "map", "map width", "map height", "start x", "start y", "goal x", "goal y", "optimal length")

Cell = tuple[int, int]


class ScenRow(NamedTuple):
    """One line of a `.scen` file; cells are (row, col), `optimal` is 0 where the file does not know it."""

    bucket: int
    map: str
    width: int
    height: int
    start: Cell
    goal: Cell
    optimal: float


@dataclass(frozen=True)
class ScenFile:
    """The rows of a `.scen` file in its order, with the line number of each."""

    rows: tuple[ScenRow, ...]
    lines: tuple[int, ...] = ()


def read_map(path: str | Path) -> Bool:
    """Read a `.map` file.

    Returns:
        (H, W) bool, True = blocked.

    Raises:
        FileAccessError: the file cannot be read.
        FileFormatError: a wrong header, wrong counts, or unknown terrain; names the line.
    """
    lines = _lines(path)
    height, width = _read_header(path, lines)
    rows = [line.rstrip(" \t") for line in lines[4:]]
    while rows and not rows[-1]:
        rows.pop()
    if len(rows) != height:
        line = 4 + min(len(rows), height) + (len(rows) > height)
        raise FileFormatError(path, f"the map has {len(rows)} rows, expected {height} as its header says", line=line)
    for number, row in enumerate(rows, start=5):
        if len(row) != width:
            raise FileFormatError(path, f"row has {len(row)} characters, expected {width} as the header says", line=number)
    codes = np.frombuffer("".join(rows).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).reshape(height, width)
    walls = np.isin(codes, [ord(c) for c in BLOCKED])
    strange = np.argwhere(~walls & ~np.isin(codes, [ord(c) for c in PASSABLE]))
    if len(strange):
        row, col = strange[0].tolist()
        expected = f"expected one of {PASSABLE} (free) or {BLOCKED} (blocked)"
        raise FileFormatError(path, f"column {col + 1}: unknown terrain {rows[row][col]!r}, {expected}", line=5 + row)
    return walls


def map_text(walls: Bool) -> bytes:
    """The contents of a `.map` file with ``.`` and ``@``; `walls` is (H, W) bool, True = blocked."""
    array = np.asarray(walls, dtype=np.bool_)
    if array.ndim != 2 or array.size == 0:
        raise InvalidInput(f"walls have shape {array.shape}, expected (H, W), both at least 1")
    text = np.where(array, ord("@"), ord(".")).astype(np.uint8)
    body = b"".join(row.tobytes() + b"\n" for row in text)
    return f"type octile\nheight {array.shape[0]}\nwidth {array.shape[1]}\nmap\n".encode() + body


def write_map(path: str | Path, walls: Bool) -> None:
    """Write a `.map` file, see `map_text`.

    Raises:
        FileAccessError: the file cannot be written.
    """
    write_bytes(path, map_text(walls))


def read_scen(path: str | Path) -> ScenFile:
    """Read a `.scen` file. The map column is kept as it is: published files hold names as well as paths there.

    Raises:
        FileAccessError: the file cannot be read.
        FileFormatError: no version line, a wrong number of columns, a field that is not a number, a cell outside the map
            size that its line states; names the line.
    """
    lines = _lines(path)
    words = lines[0].split()
    if len(words) != 2 or words[0].lower() != "version" or words[1] not in ("1", "1.0"):
        raise FileFormatError(path, f"first line is {_shown(lines[0])}, expected 'version 1'", line=1)
    rows, numbers = [], []
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            rows.append(_read_row(path, line, number))
            numbers.append(number)
    return ScenFile(tuple(rows), tuple(numbers))


def write_scen(path: str | Path, rows: ScenFile | Sequence[ScenRow]) -> None:
    """Write a `.scen` file (version 1, tab-separated, x = column).

    Raises:
        InvalidInput: a map name with a tab or line break, or with blanks at either end, or a number that cannot be read back.
    """
    lines = ["version 1"]
    for index, row in enumerate(rows.rows if isinstance(rows, ScenFile) else rows):
        numbers = (row.bucket, row.width, row.height, *row.start, *row.goal)
        if any(not 0 <= value < 10**9 for value in numbers) or not (math.isfinite(row.optimal) and row.optimal >= 0):
            raise InvalidInput(f"scen row {index}: expected integers from 0 to 999999999 and a finite length, got {tuple(row)}")
        if not row.map.strip() or row.map != row.map.strip(_BLANKS) or re.search(r"[\t\r\n]", row.map):
            wanted = "text without tabs and line breaks, and without blanks at either end"
            raise InvalidInput(f"scen row {index}: map name {row.map!r}, expected {wanted}")
        cells = (row.start[1], row.start[0], row.goal[1], row.goal[0])
        fields = (row.bucket, row.map, row.width, row.height, *cells, f"{row.optimal:.8f}")
        lines.append("\t".join(str(field) for field in fields))
    data = ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")
    write_bytes(path, data)


def _lines(path: str | Path) -> list[str]:
    # surrogateescape: odd bytes survive, so that the checks below can name the line that they are in
    text = without_mark(read_bytes(path)).decode("utf-8", "surrogateescape")
    return [line.removesuffix("\r") for line in text.split("\n")]


def _read_header(path: str | Path, lines: list[str]) -> tuple[int, int]:
    lines = [*lines[:4], *[""] * (4 - len(lines))]
    if len(lines[0].split()) != 2 or not lines[0].startswith("type"):
        raise FileFormatError(path, f"first line is {_shown(lines[0])}, expected 'type octile'", line=1)
    sizes: dict[str, int] = {}
    for number in (2, 3):
        words = lines[number - 1].split()
        wanted = [key for key in ("height", "width") if key not in sizes]
        if len(words) != 2 or words[0] not in wanted:
            raise FileFormatError(path, f"line is {_shown(lines[number - 1])}, expected '{wanted[0]} NUMBER'", line=number)
        if not _INTEGER.match(words[1]) or int(words[1]) == 0:
            raise FileFormatError(path, f"{words[0]} is {_shown(words[1])}, expected a positive integer", line=number)
        sizes[words[0]] = int(words[1])
    if sizes["height"] * sizes["width"] > MAX_CELLS:
        raise FileFormatError(path, f"{sizes['height']} x {sizes['width']} cells, expected at most {MAX_CELLS}", line=3)
    if lines[3].strip() != "map":
        raise FileFormatError(path, f"line is {_shown(lines[3])}, expected 'map'", line=4)
    return sizes["height"], sizes["width"]


def _read_row(path: str | Path, line: str, number: int) -> ScenRow:
    fields = line.split("\t")
    if len(fields) != len(_COLUMNS):
        fields = line.split()
    if len(fields) != len(_COLUMNS):
        expected = f"expected {len(_COLUMNS)} tab-separated ones: {', '.join(_COLUMNS)}"
        raise FileFormatError(path, f"line has {len(fields)} columns, {expected}", line=number)
    fields = [field.strip(_BLANKS) for field in fields]
    values = []
    for column, field in zip(_COLUMNS, fields):
        if column not in ("map", "optimal length"):
            if not _INTEGER.match(field):
                raise FileFormatError(path, f"{column} is {_shown(field)}, expected an integer", line=number)
            values.append(int(field))
    if not _NUMBER.match(fields[8]) or not math.isfinite(float(fields[8])):
        raise FileFormatError(path, f"optimal length is {_shown(fields[8])}, expected a number that is not negative", line=number)
    bucket, width, height, start_x, start_y, goal_x, goal_y = values
    for what, x, y in (("start", start_x, start_y), ("goal", goal_x, goal_y)):
        if x >= width or y >= height:
            raise FileFormatError(path, f"{what} x={x}, y={y} is outside the map of width {width}, height {height}", line=number)
    return ScenRow(bucket, fields[1], width, height, (start_y, start_x), (goal_y, goal_x), float(fields[8]))


def _shown(text: str) -> str:
    """A field for a one-line message."""
    return repr(text if len(text) <= 40 else text[:37] + "...")
