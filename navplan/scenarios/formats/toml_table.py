"""Typed access to the tables of a TOML file, with errors that name the file and the line."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from navplan.errors import FileFormatError, did_you_mean
from navplan.scenarios.formats.checks import as_points
from navplan.system.arrays import Float64
from navplan.system.files import read_bytes
from navplan.system.numbers import is_number
from navplan.system.reading import decode_utf8, parse_toml, shown

_HEADER = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")


class TomlTable:
    """One table of a file. Each `take_*` removes a key and checks its value; `finish` complains of keys left over."""

    def __init__(self, path: Path, text: str, name: str, values: dict[str, Any], number: int = 0) -> None:
        self.path, self.text, self.name, self._number = path, text, name, number
        self._values = dict(values)

    @classmethod
    def read(cls, path: Path) -> TomlTable:
        """The top-level table of a TOML file.

        Raises:
            FileFormatError: not UTF-8 or not TOML.
        """
        text = decode_utf8(path, read_bytes(path), "TOML")
        values = parse_toml(path, text)
        return cls(path, text, "", values)

    def error(self, message: str, key: str | None = None) -> FileFormatError:
        """An error at `key` of this table."""
        return FileFormatError(self.path, message, line=self.line(key))

    def line(self, key: str | None = None) -> int | None:
        """1-based line of a key, or of the table's header; None for inline tables and the like."""
        current, before = "", self._number
        for number, line in enumerate(self.text.split("\n"), start=1):
            header = _HEADER.match(line)
            if header:
                before -= current == self.name
                current = header[1]
                if key is not None and current == self.label(key):
                    return number
                if key is None and current == self.name and before <= 0:
                    return number
            elif key is not None and current == self.name and before <= 0 and re.match(rf'\s*"?{re.escape(key)}"?\s*[=.]', line):
                return number
        return None

    def label(self, key: str) -> str:
        """The key with its table's name in front."""
        return f"{self.name}.{key}" if self.name else key

    def keys(self) -> tuple[str, ...]:
        """The keys not yet taken."""
        return tuple(self._values)

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def take(self, key: str) -> Any:
        """The raw value."""
        return self._values.pop(key)

    def take_str(self, key: str, default: str | None = None) -> str:
        """A string; required when there is no default."""
        value = self._required(key, default)
        if not isinstance(value, str):
            raise self.error(f"{self.label(key)} is {shown(value)}, expected a string", key)
        return value

    def take_bool(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self._required(key, default)
        if not isinstance(value, bool):
            raise self.error(f"{self.label(key)} is {shown(value)}, expected true or false", key)
        return value

    def take_int(self, key: str, default: int | None = None, *, least: int = 1) -> int:
        """An integer of at least `least`."""
        value = self._required(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 1 << 63:
            raise self.error(f"{self.label(key)} is {shown(value)}, expected an integer of at least {least}", key)
        return value

    def take_float(self, key: str, default: float | None = None, *, least: float = 0.0, infinite: bool = False) -> float:
        """A number of at least `least`, finite unless `infinite`."""
        value = self._required(key, default)
        if not is_number(value) or value < least or (math.isinf(value) and not infinite):
            raise self.error(f"{self.label(key)} is {shown(value)}, expected a number of at least {least:g}", key)
        return float(value)

    def take_points(self, key: str) -> Float64:
        """(N, 2) float64 coordinates from a list of [row, col] pairs."""
        value = self.take(key)
        points = as_points(value)
        if points is None:
            raise self.error(f"{self.label(key)} must be a list of [row, col] pairs of numbers", key)
        return points

    def take_table(self, key: str) -> TomlTable:
        """A sub-table; empty when absent."""
        value = self._values.pop(key, {})
        if not isinstance(value, dict):
            raise self.error(f"{self.label(key)} is {shown(value)}, expected a table [{self.label(key)}]", key)
        return TomlTable(self.path, self.text, self.label(key), value)

    def take_tables(self, key: str) -> list[TomlTable]:
        """An array of tables."""
        value = self.take(key)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(f"{self.label(key)} must be an array of tables [[{self.label(key)}]]", key)
        return [TomlTable(self.path, self.text, self.label(key), item, number) for number, item in enumerate(value)]

    def finish(self, known: Iterable[str]) -> None:
        """Complain of the first key that nobody took; `known` are the keys that this table may have."""
        for key in self._values:
            names = list(known)
            raise self.error(f"unknown key {self.label(key)!r}{did_you_mean(key, names)}, expected {', '.join(names)}", key)

    def _required(self, key: str, default: Any) -> Any:
        if key not in self._values and default is None:
            raise self.error(f"{self.label(key)} is missing")
        return self._values.pop(key, default)


def toml_value(value: str | bool | float | list[Any]) -> str:
    """A value in TOML syntax; floats keep every digit."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return repr(value)
