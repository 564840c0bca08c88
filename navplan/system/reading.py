"""What is in a file, as text, JSON or TOML: within bounds, whatever wrote it, and with one kind of error."""

from __future__ import annotations

import codecs
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from navplan.errors import FileFormatError
from navplan.system.bounds import MAX_DEPTH

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")
# Dotted keys are parsed in a time that grows with the square of their length.
_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_DOTTED = re.compile(rf"(?<![\w-])(?:{_PART}[ \t]*+\.[ \t]*+){{{MAX_DEPTH}}}")
_DEEPER = np.zeros(256, np.int8)
_DEEPER[list(b"[{")] = 1
_DEEPER[list(b"]}")] = -1
_BLOCK = 1 << 20


def without_mark(data: bytes) -> bytes:
    """`data` without the byte-order mark that some editors put before UTF-8 text."""
    return data.removeprefix(codecs.BOM_UTF8)


def decode_utf8(path: str | Path, data: bytes, expected: str, error: type[FileFormatError] = FileFormatError) -> str:
    """The text of a file, without a byte-order mark.

    Raises:
        FileFormatError: not UTF-8; names the line and what was expected.
    """
    try:
        return without_mark(data).decode("utf-8")
    except UnicodeDecodeError as wrong:
        line = wrong.object.count(b"\n", 0, wrong.start) + 1
        raise error(path, f"not UTF-8 text, expected {expected}", line) from wrong


def parse_json(path: str | Path, data: bytes, expected: str, error: type[FileFormatError] = FileFormatError) -> Any:
    """The value of a JSON document.

    Args:
        path: named in errors.
        data: UTF-8.
        expected: what the file should hold, for errors.
        error: the type to raise.

    Raises:
        FileFormatError: not UTF-8, not JSON (with its line), nested too deeply, or with a number of thousands of digits.
    """
    data = without_mark(data)
    if _depth(data) > MAX_DEPTH and _depth(_STRING.sub(b"", data)) > MAX_DEPTH:
        raise error(path, f"is nested more than {MAX_DEPTH} deep, expected {expected}")
    text = decode_utf8(path, data, expected, error)
    try:
        return json.loads(text)
    except json.JSONDecodeError as wrong:
        raise error(path, f"is not JSON ({wrong.msg}), expected {expected}", wrong.lineno) from wrong
    except (RecursionError, ValueError) as wrong:
        raise error(path, f"holds a number of too many digits, expected {expected}") from wrong


def parse_toml(path: str | Path, text: str) -> dict[str, Any]:
    """The top-level table of a TOML document.

    Raises:
        FileFormatError: not TOML (with its line), nested too deeply, or with impossible dates or numbers.
    """
    dotted = _DOTTED.search(text)
    if dotted:
        line = text.count("\n", 0, dotted.start()) + 1
        raise FileFormatError(path, f"a key of more than {MAX_DEPTH} parts, expected plain TOML", line)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        found = _PLACE.search(str(wrong))
        message = _PLACE.sub("", str(wrong)).replace("\n", " ")
        where = int(found[1]) if found and found[1] else None
        raise FileFormatError(path, f"{message}, expected TOML", where) from wrong
    except (RecursionError, ValueError) as wrong:  # impossible dates and overlong integers
        raise FileFormatError(path, "nested too deeply or holding an impossible value, expected plain TOML") from wrong
    if _levels(values) > MAX_DEPTH:
        raise FileFormatError(path, f"tables are nested more than {MAX_DEPTH} deep, expected plain TOML")
    return values


def shown(value: object, most: int = 60) -> str:
    """`value` as Python writes it, cut to `most` characters: for messages of one line."""
    text = repr(value)
    return text if len(text) <= most else text[: most - 3] + "..."


def _depth(data: bytes) -> int:
    """How deep brackets are nested, those in strings counted."""
    level = deepest = 0
    for start in range(0, len(data), _BLOCK):
        steps = np.cumsum(_DEEPER[np.frombuffer(data, np.uint8, min(_BLOCK, len(data) - start), start)], dtype=np.int64)
        deepest = max(deepest, level + int(steps.max()))
        level += int(steps[-1])
    return deepest


def _levels(values: Any) -> int:
    """How deep lists and dicts are nested (dotted keys need no brackets), at most one beyond the bound."""
    level, here = 0, [values]
    while here and level <= MAX_DEPTH:
        level += 1
        below = (part for group in here for part in (group.values() if isinstance(group, dict) else group))
        here = [part for part in below if isinstance(part, dict | list)]
    return level
