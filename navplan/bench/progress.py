"""How far work has come: one line on a terminal, nothing in a pipe."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType

_WIDTH = 24


class ProgressLine:
    """A line on stderr that is drawn again whenever there is something to say, and cleared in the end."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._shown = sys.stderr is not None and sys.stderr.isatty()

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._clear()

    def show(self, done: int, total: int, note: str = "") -> None:
        """`done` of `total` are done; `note` says what is at work."""
        if self._shown:
            full = _WIDTH * done // max(1, total)
            spent = time.monotonic() - self._began
            left = f", {spent / done * (total - done):.0f} s left" if done else ""
            _put(f"[{'#' * full}{'.' * (_WIDTH - full)}] {done}/{total}{left}: {note}")

    def warn(self, text: str) -> None:
        """A line that is written wherever stderr goes."""
        self._clear()
        if sys.stderr is not None:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def _clear(self) -> None:
        if self._shown:
            _put("")
            sys.stderr.write("\r")


def _put(text: str) -> None:
    columns = shutil.get_terminal_size().columns - 1
    sys.stderr.write("\r" + text[:columns].ljust(columns))
    sys.stderr.flush()
