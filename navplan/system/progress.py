"""How far long work has come, told to whoever waits for it: on stderr, and nowhere in the results."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from typing import NamedTuple, TextIO

PAUSE = 10.0
"""Seconds between two lines in a pipe."""
BLINK = 0.2
"""Seconds between two looks of the line on a terminal."""
_WIDTH = 24


class _Count(NamedTuple):
    """How many of how many, and when counting began."""

    done: int
    total: int
    note: str
    first: int
    began: float

    def fraction(self) -> str:
        """``12/40``."""
        return f"{self.done}/{self.total}"

    def left(self, now: float) -> str:
        """The time that the rest will take if it goes on like this, as far as it can be said."""
        gone = self.done - self.first
        if gone <= 0 or self.done >= self.total:
            return ""
        return f", {duration((now - self.began) / gone * (self.total - self.done))} left"

    def bar(self) -> str:
        """Filled as far as the work has come."""
        full = _WIDTH * min(self.done, self.total) // max(1, self.total)
        return f"[{'#' * full:.<{_WIDTH}}]"


class ProgressDisplay:
    """A bar on a terminal, a line every ten seconds in a pipe, nothing when quiet.

    A thread does the writing, so that telling it something costs next to nothing, and work that says nothing for a long time is
    seen to go on. Leaving the context clears the bar. No colours and no control codes but the carriage return are written.

    Args:
        quiet: write nothing but warnings.
        stream: where to; None: stderr, as it is at that moment.
        pause: seconds between two looks; None: `BLINK` on a terminal, `PAUSE` in a pipe.

    Example:
        >>> with ProgressDisplay() as progress:
        ...     progress.stage("counting")
        ...     for number in range(100):
        ...         progress.show(number, 100)
    """

    def __init__(self, *, quiet: bool = False, stream: TextIO | None = None, pause: float | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream  # None where the caller has closed it
        self._quiet = quiet or self._stream is None
        self._terminal = not quiet and self._stream is not None and self._stream.isatty()
        self._pause = pause if pause is not None else BLINK if self._terminal else PAUSE
        self._lock = threading.RLock()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._stage, self._began = "", time.monotonic()
        self._count: _Count | None = None
        self._drawn = 0

    def __enter__(self) -> ProgressDisplay:
        if not self._quiet:
            self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            self._settle()
            self._clear()

    def stage(self, text: str) -> None:
        """What is being done from now on."""
        with self._lock:
            self._settle()
            self._clear()
            self._stage, self._began, self._count = _one_line(text), time.monotonic(), None
            if self._terminal:
                self._draw()

    def say(self, text: str) -> None:
        """A line for a terminal; the stage stays what it is."""
        if self._terminal:
            self._print(text)

    def warn(self, text: str) -> None:
        """A line that is written wherever stderr goes, and when quiet too."""
        if self._stream is not None:
            self._print(text)

    def show(self, done: int, total: int, note: str = "") -> None:
        """`done` of `total` are done; `note` says what is at work."""
        before = self._count
        first, began = (done, time.monotonic()) if before is None else (before.first, before.began)
        self._count = _Count(done, total, note, first, began)

    def _watch(self) -> None:
        while not self._end.wait(self._pause):
            with self._lock:
                self._draw()

    def _draw(self) -> None:
        """The line as it is now: in place of the last one on a terminal, below it in a pipe."""
        now, count = time.monotonic(), self._count
        if not self._terminal:
            if count is None:
                parts = [self._settled(now)]
            else:
                parts = [self._stage, f"{count.done} of {count.total}{count.left(now)}", count.note]
            if any(parts):
                self._write(_one_line(": ".join(part for part in parts if part)) + "\n")
            return
        if count is None:
            line = self._settled(now)
        else:
            self._settle()  # the bar has its own line, below the stage's
            line = f"{count.bar()} {count.fraction()}{count.left(now)}" + (f": {count.note}" if count.note else "")
        line = _one_line(line)[: self._columns() - 1]
        self._write("\r" + line.ljust(self._drawn) if line or self._drawn else "")
        self._drawn = len(line)

    def _settled(self, now: float) -> str:
        """The stage, and how long it took where that was long."""
        seconds = now - self._began
        return f"{self._stage} ({duration(seconds)})" if self._stage and seconds >= 1 else self._stage

    def _settle(self) -> None:
        """On a terminal the stage stays in sight when it is over; the bar does not."""
        if not self._terminal:
            return
        if self._stage:
            self._clear()
            self._write(self._settled(time.monotonic()) + "\n")
            self._stage = ""

    def _print(self, text: str) -> None:
        with self._lock:
            self._clear()
            self._write(_one_line(text) + "\n")

    def _clear(self) -> None:
        if self._drawn:
            self._write("\r" + " " * self._drawn + "\r")
            self._drawn = 0

    def _columns(self) -> int:
        assert self._stream is not None  # nothing is drawn without one
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        except (OSError, ValueError):  # a stream that is no file
            return 80

    def _write(self, text: str) -> None:
        assert self._stream is not None
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more: the work goes on
            self._stream.write(text)
            self._stream.flush()


def duration(seconds: float) -> str:
    """Seconds in words.

    Example:
        >>> duration(7.2), duration(300), duration(10_000)
        ('7 s', '5 min', '2 h 47 min')
    """
    if seconds < 100:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _one_line(text: str) -> str:
    """The text on one line, whatever it holds (file names may hold line breaks)."""
    return "\\n".join(text.splitlines())
