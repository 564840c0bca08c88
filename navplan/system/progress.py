"""How far long work has come, told to whoever waits for it: on stderr, and nowhere in the results."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import NamedTuple, Protocol, TextIO, runtime_checkable

from navplan.errors import InvalidInput

PAUSE = 10.0
"""Seconds between two lines in a pipe."""
BLINK = 0.2
"""Seconds between two looks of the line on a terminal."""
SHORT = 1.0
"""Seconds of a stage of which a library's call says nothing."""
_WIDTH = 24


@runtime_checkable
class Listener(Protocol):
    """Who is told how far long work has come. Telling costs next to nothing, and may be done often."""

    def stage(self, text: str) -> None:
        """What is being done from now on."""
        ...

    def show(self, done: int, total: int, note: str = "") -> None:
        """`done` of `total` (0: nobody knows of how many) are done; `note` says what is at work, or what was found."""
        ...

    def warn(self, text: str) -> None:
        """What must not be missed."""
        ...


Progress = Listener | Callable[[str], object] | bool | None
"""How a call with ``progress=`` tells how far it is.

None: whoever is told of the work that it is part of, else stderr where that is a terminal. True: stderr whatever it is, in a pipe
a line every ten seconds. False: nobody. A function: it is called with lines of text, for what goes on one every ten seconds. A
`Listener`: it is told everything.
"""


class Silence:
    """A `Listener` that does not listen."""

    def stage(self, text: str) -> None:
        """As `Listener.stage`."""

    def show(self, done: int, total: int, note: str = "") -> None:
        """As `Listener.show`."""

    def warn(self, text: str) -> None:
        """As `Listener.warn`."""


class Lines:
    """A `Listener` that calls a function with lines of text: each stage at once, and every ten seconds how far it is."""

    def __init__(self, write: Callable[[str], object], pause: float = PAUSE) -> None:
        self._write, self._pause = write, pause
        self._stage, self._next = "", time.monotonic() + pause
        self._count: _Count | None = None

    def stage(self, text: str) -> None:
        """As `Listener.stage`."""
        self._stage, self._count, self._next = _one_line(text), None, time.monotonic() + self._pause
        self._write(self._stage)

    def show(self, done: int, total: int, note: str = "") -> None:
        """As `Listener.show`."""
        now = time.monotonic()
        self._count = _Count.after(self._count, done, total, note, now)
        if now >= self._next:
            self._next = now + self._pause
            self._write(self._count.line(self._stage, now))

    def warn(self, text: str) -> None:
        """As `Listener.warn`."""
        self._write(_one_line(text))


SILENCE = Silence()
_heard: ContextVar[Listener | None] = ContextVar("heard", default=None)


@contextlib.contextmanager
def told(progress: Progress = None) -> Iterator[Listener]:
    """Who is told of the work in its body, by what a caller gave as ``progress=``; see `Progress`.

    Raises:
        InvalidInput: it is none of those.

    Example:
        >>> with told(print) as progress:
        ...     progress.stage("counting")
        ...     with told() as same:
        ...         same is progress
        counting
        True
    """
    listener = _heard.get() if progress is None else None
    with contextlib.ExitStack() as stack:
        if listener is None:
            listener = _listener(progress)
            if isinstance(listener, ProgressDisplay) and progress in (None, True):
                stack.enter_context(listener)
        token = _heard.set(listener)
        try:
            yield listener
        finally:
            _heard.reset(token)


def _listener(progress: Progress) -> Listener:
    """Who listens; a display still has to be entered."""
    if progress is True:
        return ProgressDisplay(fleeting=True)
    if progress is None:
        seen = sys.stderr is not None and sys.stderr.isatty() and not ProgressDisplay.shown
        return ProgressDisplay(fleeting=True) if seen else SILENCE
    if progress is False:
        return SILENCE
    if isinstance(progress, Listener):
        return progress
    if callable(progress):
        return Lines(progress)
    raise InvalidInput(f"progress is {progress!r}, expected True, False, None, or a function that takes a line of text")


def heard() -> Listener:
    """Who is told of the work that goes on; somebody that does not listen where nobody is."""
    return _heard.get() or SILENCE


class _Count(NamedTuple):
    """How many of how many, and when counting began."""

    done: int
    total: int
    note: str
    first: int
    began: float

    @classmethod
    def after(cls, before: _Count | None, done: int, total: int, note: str, now: float) -> _Count:
        """The next count: of the same things as the one before, if there was one."""
        return cls(done, total, note, *((done, now) if before is None else (before.first, before.began)))

    def fraction(self) -> str:
        """``12/40``."""
        return f"{self.done}/{self.total}"

    def line(self, stage: str, now: float) -> str:
        """``stage: 12 of 40, 3 s left: note``."""
        count = f"{self.done} of {self.total}{self.left(now)}" if self.total else ""
        return ": ".join(part for part in (stage, count, _one_line(self.note)) if part)

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
        fleeting: on a terminal, say nothing of what takes less than a second, and leave nothing of the rest.

    Attributes:
        shown: how many displays are at work in this process.

    Example:
        >>> with ProgressDisplay() as progress:
        ...     progress.stage("counting")
        ...     for number in range(100):
        ...         progress.show(number, 100)
    """

    shown = 0

    def __init__(
        self, *, quiet: bool = False, stream: TextIO | None = None, pause: float | None = None, fleeting: bool = False
    ) -> None:
        self._stream = sys.stderr if stream is None else stream  # None where the caller has closed it
        self._quiet = quiet or self._stream is None
        self._terminal = not quiet and self._stream is not None and self._stream.isatty()
        self._fleeting = fleeting and self._terminal
        self._pause = pause if pause is not None else BLINK if self._terminal else PAUSE
        self._lock = threading.RLock()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._stage, self._began = "", time.monotonic()
        self._count: _Count | None = None
        self._drawn = 0

    def __enter__(self) -> ProgressDisplay:
        ProgressDisplay.shown += 1
        self._token = _heard.set(self)
        if not self._quiet:
            self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        ProgressDisplay.shown -= 1
        _heard.reset(self._token)
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
            if self._terminal and not self._fleeting:
                self._draw()

    def warn(self, text: str) -> None:
        """A line that is written wherever stderr goes, and when quiet too."""
        if self._stream is not None:
            self._print(text)

    def show(self, done: int, total: int, note: str = "") -> None:
        """`done` of `total` are done; `note` says what is at work."""
        self._count = _Count.after(self._count, done, total, note, time.monotonic())

    def _watch(self) -> None:
        while not self._end.wait(self._pause):
            with self._lock:
                self._draw()

    def _draw(self) -> None:
        """The line as it is now: in place of the last one on a terminal, below it in a pipe."""
        now, count = time.monotonic(), self._count
        if not self._terminal or self._fleeting:
            stage = self._stage if count is not None and count.total else self._settled(now)
            line = stage if count is None else count.line(stage, now)
            if not self._terminal:
                self._write(line + "\n" if line else "")
                return
            line = line if now - self._began >= SHORT else ""
        elif count is None or not count.total:
            line = self._settled(now) if count is None else count.line(self._settled(now), now)
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
        if self._fleeting:
            self._clear()
            self._stage = ""
        elif self._stage:
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
