"""The error ladder: bad input raises one of these; search outcomes never do.

Every message is one line. Where a file is at fault it starts with ``FILE:LINE:`` (or ``FILE:``) and says what is wrong and
what is expected. Each class also derives from the builtin that a caller would expect.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from pathlib import Path

_LONGEST_NAME = 100


class NavplanError(Exception):
    """Base of every error that navplan raises on purpose."""

    def __init__(self, message: str = "") -> None:
        super().__init__(one_line(message))


def one_line(message: str) -> str:
    """The message, its line breaks (those of file names, of values) written as a backslash and an n."""
    return "\\n".join(message.splitlines())


class InvalidInput(NavplanError, ValueError):
    """An argument, option or array is not what was asked for."""


class InvalidProblem(InvalidInput):
    """A problem statement contradicts itself or its graph."""


class InvalidPlan(InvalidInput):
    """A plan breaks the rules of its problem; the message names the first violation."""


class FileFormatError(InvalidInput):
    """A file's contents are malformed.

    Args:
        path: the file at fault.
        message: what is wrong and what is expected.
        line: 1-based line number where one is known.

    Example:
        >>> str(FileFormatError("a.map", "height is 'x', expected a positive integer", line=2))
        "a.map:2: height is 'x', expected a positive integer"
    """

    def __init__(self, path: str | Path, message: str, line: int | None = None) -> None:
        name = os.fsdecode(path)
        self.path = Path(name)
        self.line = line
        where = f"{name}:{line}" if line is not None else name
        super().__init__(f"{where}: {message}")


class CheckpointError(FileFormatError):
    """A checkpoint is truncated, foreign or of another shape than its configuration."""


class FileAccessError(NavplanError, OSError):
    """A file cannot be read or written."""


class MissingExtra(NavplanError, ImportError):
    """An optional dependency is not installed.

    Example:
        >>> str(MissingExtra("training", "PyTorch", "learned"))
        "training needs PyTorch: pip install 'navplan[learned]'"
    """

    def __init__(self, purpose: str, package: str, extra: str) -> None:
        super().__init__(f"{purpose} needs {package}: pip install 'navplan[{extra}]'")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean NEAREST?)``, or nothing where nothing is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


class UnknownName(NavplanError, KeyError):
    """A name is not registered; the message suggests the nearest ones.

    Example:
        >>> str(UnknownName("planner", "cbz", ["cbs", "ecbs"]))
        "unknown planner 'cbz': did you mean 'cbs'? known: cbs, ecbs"
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=2) if len(name) <= _LONGEST_NAME else []
        hint = f" did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
        shown = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 3] + "..."
        self.message = one_line(f"unknown {kind} {shown!r}:{hint} known: {', '.join(names)}")
        super().__init__(self.message)

    def __str__(self) -> str:
        return self.message


class BrokenPlugin(NavplanError, ImportError):
    """What another distribution registered cannot be imported, or is not what it is registered as.

    Example:
        >>> str(BrokenPlugin("planner", "fast", "fast-planners", "No module named 'fast'"))
        "planner 'fast' of fast-planners is broken: No module named 'fast'"
    """

    def __init__(self, kind: str, name: str, distribution: str, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{kind} {name!r} of {distribution} is broken: {reason}")


class PlanningFailed(NavplanError, RuntimeError):
    """A search ended without a plan and the caller asked for an exception; `.plan` holds the outcome."""

    def __init__(self, plan: object, message: str) -> None:
        self.plan = plan
        super().__init__(message)
