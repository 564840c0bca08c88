"""Tables of results as CSV, plain or compressed: equal rows give equal bytes, and typed rows come back.

A table is named with its ending (`results.csv`, `results.csv.gz`) or without (`results`), and read alike. Large ones are written
compressed, without a time stamp.
"""

from __future__ import annotations

import csv
import io
import math
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from navplan.errors import FileAccessError, FileFormatError, InvalidInput
from navplan.system.bounds import MAX_EXPANDED, MAX_RATIO
from navplan.system.files import read_bytes, write_atomically
from navplan.system.paths import is_file
from navplan.system.reading import shown

Record = dict[str, Any]
"""A row by column; what is not known is None, or "" in a column of text."""
LARGE = 2**20
"""Bytes of text up to which `TableFormat.write_sized` leaves a table plain."""
_ENDINGS = (".csv", ".csv.gz")


def six_digits(value: float) -> str:
    """A float in six significant digits, without a minus before a zero."""
    return f"{value + 0.0:.6g}"


@dataclass(frozen=True)
class TableFormat:
    r"""The columns of a table and what their cells hold.

    Attributes:
        columns: names, in order.
        command: that writes such tables, for messages.
        text, truth, whole: columns of text, of true and false, of integers; all others hold floats.
        number: how a float is written.

    Example:
        >>> points = TableFormat(("name", "x"), "navplan draw", text=frozenset({"name"}))
        >>> points.text_of([{"name": "a", "x": 0.5}, {"name": "b"}])
        'name,x\na,0.5\nb,\n'
    """

    columns: tuple[str, ...]
    command: str
    text: frozenset[str] = frozenset()
    truth: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()
    number: Callable[[float], str] = field(default=six_digits, repr=False)

    def text_of(self, rows: Iterable[Mapping[str, Any]]) -> str:
        """The table as plain CSV; other keys of the rows are left out."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([self._cell(row.get(name)) for name in self.columns] for row in rows)
        return stream.getvalue()

    def write(self, path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write a table, compressed where the name ends in `.gz`.

        Raises:
            FileAccessError: the folder cannot be written.
        """
        _put(path, self.text_of(rows).encode("utf-8"))

    def write_sized(self, path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
        """Write PATH.csv, or PATH.csv.gz where that has more than `LARGE` bytes; the file written. The other one goes.

        Args:
            path: the table's name without an ending.

        Raises:
            FileAccessError: the folder cannot be written.
        """
        data = self.text_of(rows).encode("utf-8")
        plain, packed = (_with_ending(path, ending) for ending in _ENDINGS)
        file, other = (packed, plain) if len(data) > LARGE else (plain, packed)
        _put(file, data)
        try:
            other.unlink(missing_ok=True)
        except OSError as error:
            raise FileAccessError(f"{other}: cannot be removed: {error.strerror or error}") from error
        return file

    def read(self, path: Path) -> list[Record]:
        """The rows of a table; columns beyond `columns` are left out.

        Args:
            path: with its ending or without.

        Raises:
            FileAccessError: it cannot be read.
            FileFormatError: it lacks columns, or a cell is malformed; names file, line and column.
            InvalidInput: named without an ending, and both kinds are there.
        """
        file = table_file(path)
        reader = csv.reader(io.StringIO(_text(file), newline=""), strict=True)
        try:
            header = next(reader, [])
            missing = [name for name in self.columns if name not in header]
            if missing:
                raise ValueError(f"has no column {missing[0]!r}, expected a table of {self.command}")
            places = [(name, header.index(name), self._reader(name)) for name in self.columns]
            return [_row(cells, len(header), places) for cells in reader if cells]
        except (csv.Error, ValueError) as error:
            raise FileFormatError(file, str(error), line=max(1, reader.line_num)) from error

    def _cell(self, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(value).lower()
        return self.number(value) if isinstance(value, float) else str(value)

    def _reader(self, column: str) -> Callable[[str, str], Any]:
        if column in self.text:
            return _read_text
        if column in self.truth:
            return _read_truth
        return _read_whole if column in self.whole else _read_number


def table_file(path: Path) -> Path:
    """The file of a table named with its ending or without: PATH itself if it is there, else PATH as CSV of either kind.

    Raises:
        InvalidInput: both kinds are there.
    """
    if is_file(path):
        return path
    bare = path
    for ending in reversed(_ENDINGS):
        if path.name.endswith(ending):
            bare = path.with_name(path.name.removesuffix(ending))
            break
    there = [file for ending in _ENDINGS if is_file(file := _with_ending(bare, ending))]
    if len(there) > 1:
        raise InvalidInput(f"{there[0]} and {there[1]}: the same table twice, expected one of them")
    return there[0] if there else path if path.suffix else _with_ending(path, _ENDINGS[0])


def _with_ending(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _put(path: Path, data: bytes) -> None:
    write_atomically(path, lambda stream: stream.write(_compressed(data) if path.suffix == ".gz" else data))


def _compressed(data: bytes) -> bytes:
    """Gzip without a time stamp; filtered, since digits repeat little: a large table gets 6 % smaller."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_FILTERED)
    return packer.compress(data) + packer.flush()


def _text(file: Path) -> str:
    data = read_bytes(file)
    if file.suffix == ".gz":
        data = _unpacked(file, data)
    return data.decode("utf-8", "replace")


def _unpacked(file: Path, data: bytes) -> bytes:
    most, packer, length = max(MAX_EXPANDED, MAX_RATIO * len(data)), zlib.decompressobj(16 + zlib.MAX_WBITS), 0
    parts: list[bytes] = []
    try:
        while not packer.eof and length <= most and (data or not parts or parts[-1]):
            parts.append(packer.decompress(data, 1 << 20))
            data, length = packer.unconsumed_tail, length + len(parts[-1])
    except zlib.error as error:
        raise FileFormatError(file, f"is truncated or no gzip file: {error}") from error
    if not packer.eof:
        raise FileFormatError(file, f"is truncated or no gzip file, or holds more than {most} bytes")
    return b"".join(parts)


def _row(cells: list[str], width: int, places: Iterable[tuple[str, int, Callable[[str, str], Any]]]) -> Record:
    if len(cells) != width:
        raise ValueError(f"has {len(cells)} cells, expected {width}")
    return {name: value(name, cells[k]) for name, k, value in places}


def _read_text(column: str, cell: str) -> str:
    return cell


def _read_truth(column: str, cell: str) -> bool | None:
    if cell not in ("", "true", "false"):
        raise ValueError(f"malformed cell: {column} is {shown(cell)}, expected true or false")
    return cell == "true" if cell else None


def _read_whole(column: str, cell: str) -> int | None:
    try:
        return int(cell) if cell else None
    except ValueError:
        raise ValueError(f"malformed cell: {column} is {shown(cell)}, expected an integer") from None


def _read_number(column: str, cell: str) -> float | None:
    try:
        value = float(cell) if cell else None
    except ValueError:
        value = math.nan
    if value is not None and math.isnan(value):
        raise ValueError(f"malformed cell: {column} is {shown(cell)}, expected a number")
    return value
