"""How far a run of shards is: one line on a terminal, nothing in a pipe."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from types import TracebackType

from navplan.bench.shards import Result, Shard

_WIDTH = 24


class ProgressLine:
    """A line that is drawn again before and after each shard.

    Args:
        total: how many shards there are.
        noun: what `counts` counts, as in "3 solved".
    """

    def __init__(self, total: int, noun: str, counts: Callable[[Result], bool]) -> None:
        self._total, self._noun, self._counts = total, noun, counts
        self._done = self._counted = 0
        self._began = time.monotonic()
        self._shown = sys.stderr is not None and sys.stderr.isatty()

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.clear()

    def show(self, shard: Shard, result: Result | None) -> None:
        """A `navplan.bench.shards.Report`: a shard begins (result None) or has ended."""
        if result is not None:
            self._done += 1
            self._counted += self._counts(result)
        if self._shown:
            _put(self._text(shard.label))

    def clear(self) -> None:
        """Leave the line empty, so that something else can be said."""
        if self._shown:
            _put("")
            sys.stderr.write("\r")

    def _text(self, label: str) -> str:
        full = _WIDTH * self._done // max(1, self._total)
        spent = time.monotonic() - self._began
        left = f", {spent / self._done * (self._total - self._done):.0f} s at most" if self._done else ""
        bar = f"[{'#' * full}{'.' * (_WIDTH - full)}]"
        return f"{bar} {self._done}/{self._total}, {self._counted} {self._noun}{left}: {label}"


def _put(text: str) -> None:
    columns = shutil.get_terminal_size().columns - 1
    sys.stderr.write("\r" + text[:columns].ljust(columns))
    sys.stderr.flush()
