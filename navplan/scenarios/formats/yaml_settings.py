"""The few settings of a YAML file, read as yaml-cpp reads them, which ROS's map_server uses; with the line of each.

A scalar has no type of its own there: whoever asks for a number gets one from ``5e-2`` or ``"0.05"``, and whoever asks for
text gets it from ``2024.pgm`` or ``yes``. Nothing is built that is not asked for, so anchors, tags and long lists do no harm.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from navplan.errors import FileFormatError, MissingExtra
from navplan.system.bounds import MAX_DEPTH, MAX_YAML
from navplan.system.files import read_bytes
from navplan.system.reading import decode_utf8

if TYPE_CHECKING:
    import yaml

_SHOWN = 60
_DECIMAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_WHOLE = re.compile(r"([-+]?)(0[xX][0-9a-fA-F]{1,8}|0[0-7]{1,10}|\d{1,10})")
_TRUTH = {word: value for value, words in ((True, "y yes true on"), (False, "n no false off")) for word in words.split()}


@dataclass(frozen=True)
class YamlSetting:
    """The value of one key.

    Attributes:
        path: the file. key: the key. line: where the key stands, from 1.
        node: PyYAML's node.
    """

    path: Path
    key: str
    line: int
    node: Any

    def wrong(self, expected: str) -> FileFormatError:
        """The error that says what was found and what was expected."""
        return FileFormatError(self.path, f"{self.key} is {_said(self.node)}, expected {expected}", line=self.line)

    def text(self, expected: str) -> str:
        """A scalar that is not empty, as it is written."""
        if not isinstance(self.node.value, str) or not self.node.value:
            raise self.wrong(expected)
        return self.node.value

    def number(self, expected: str = "a number") -> float:
        """A finite number."""
        value = _number(self.node)
        if value is None:
            raise self.wrong(expected)
        return value

    def numbers(self, count: int, expected: str) -> list[float]:
        """So many finite numbers."""
        parts = self.node.value if isinstance(self.node.value, list) and self.node.id == "sequence" else []
        values = [_number(part) for part in parts] if len(parts) == count else [None]
        if any(value is None for value in values):
            raise self.wrong(expected)
        return [value for value in values if value is not None]

    def truth(self, expected: str) -> bool:
        """True or false, or the whole numbers 1 or 0."""
        text = self.node.value if isinstance(self.node.value, str) else ""
        whole = _WHOLE.fullmatch(text)
        if whole:
            digits = whole[2]
            base = 16 if digits[:2].lower() == "0x" else 8 if digits[0] == "0" else 10
            value = int(digits, base) * (-1 if whole[1] == "-" else 1)
            if value in (0, 1):
                return bool(value)
        elif text in (text.lower(), text.upper(), text.capitalize()) and text.lower() in _TRUTH:
            return _TRUTH[text.lower()]
        raise self.wrong(expected)


def read_settings(path: Path, known: Iterable[str]) -> dict[str, YamlSetting]:
    """The known keys of the mapping that a YAML file is; others are left alone.

    Raises:
        FileAccessError: the file cannot be read.
        FileFormatError: not YAML, nested too deeply, no mapping, or a key that is given twice; names the line.
        MissingExtra: PyYAML is not installed.
    """
    root: Any = compose(path)
    found: dict[str, YamlSetting] = {}
    names = tuple(known)
    if root is None or root.id != "mapping":
        raise FileFormatError(path, f"expected a mapping with the keys {', '.join(names)}", line=1)
    for key_node, value_node in root.value:
        key, line = key_node.value, key_node.start_mark.line + 1
        if isinstance(key, str) and key in names:
            if key in found:
                raise FileFormatError(path, f"{key} is given twice", line=line)
            found[key] = YamlSetting(path, key, line, value_node)
    return found


def compose(path: Path) -> yaml.Node | None:
    """The tree of nodes of a YAML file; what it stands for is not built.

    Raises:
        As `read_settings`.
    """
    try:
        import yaml
    except ImportError as error:
        raise MissingExtra("reading ROS maps", "PyYAML", "ros") from error
    data = read_bytes(path)
    if len(data) > MAX_YAML:
        raise FileFormatError(path, f"{len(data)} bytes, expected YAML of at most {MAX_YAML}")
    text = decode_utf8(path, data, "YAML")
    try:
        return _shallow(yaml.SafeLoader(text), path)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = mark.line + 1 if mark else None
        raise FileFormatError(path, f"{error.problem or error.context}, expected YAML", line=where) from error
    except (yaml.YAMLError, ValueError) as error:  # odd characters
        message = " ".join(str(error).split())[:80]
        raise FileFormatError(path, f"{message}, expected plain YAML") from error


def _shallow(loader: Any, path: Path) -> yaml.Node | None:
    """The tree of nodes that a loader composes, refused where it is too deep."""
    level, compose_node = 0, loader.compose_node

    def counted(parent: Any, index: Any) -> Any:
        nonlocal level
        level += 1
        if level > MAX_DEPTH:
            raise FileFormatError(path, f"nested more than {MAX_DEPTH} deep, expected plain YAML", loader.line + 1)
        node = compose_node(parent, index)
        level -= 1
        return node

    loader.compose_node = counted
    root: yaml.Node | None = loader.get_single_node()
    return root


def _number(node: Any) -> float | None:
    """A scalar as a finite number, None where it is none."""
    text = node.value if isinstance(node.value, str) else ""
    value = float(text) if len(text) <= 400 and _DECIMAL.fullmatch(text) else math.inf
    return value if math.isfinite(value) else None


def _said(node: Any) -> str:
    """The value of a node as the file has it, for a message; what lies deeper than a list as an ellipsis."""
    if node.id == "scalar":
        text = str(node.value)
        short = text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
        return short if short.isprintable() and short and re.match(r"[\d.+-]", short) else repr(short)
    if node.id == "sequence":
        parts = [_said(part) if part.id == "scalar" else "…" for part in node.value[:5]]
        return f"[{', '.join(parts)}{', …' if len(node.value) > 5 else ''}]"
    return "a mapping"
