"""Ctrl-C and SIGTERM, which are one: heard where something can be done about them, neither lost nor fatal anywhere else."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn

ENDING = (signal.SIGINT, signal.SIGTERM)
"""The signals that ask a process to end."""
# Python functions that C code calls and whose exceptions Python prints and drops; the interrupt waits until they are left.
_DEAF = frozenset({"_raw_object_cache_notify", "_raw_object_cache_getbuffer", "__del__"})
_AGAIN_S = 0.02

Handler = Callable[[int, FrameType | None], Any]


class _Search:
    """Whether a search goes on in the main thread, and whether one has ended whose result must not be lost."""

    watched = False
    depth = 0
    over = False


def listen() -> None:
    """Raise KeyboardInterrupt on SIGINT and SIGTERM, but never where the exception would be dropped.

    Works in the main thread only; a signal that is ignored (SIGINT: a job in the background of a shell) or that somebody else
    listens to is left alone.
    """
    for number in ENDING:
        if signal.getsignal(number) in (signal.default_int_handler, signal.SIG_DFL):
            signal.signal(number, interrupt)


def ignore() -> None:
    """From now on a signal changes nothing: the result is out, and the process ends by itself."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def leave(status: int) -> NoReturn:
    """End the process without the interpreter's shutdown, which may crash when LLVM was stopped half-way."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # closed, or nobody reads it
            stream.flush()
    os._exit(status)


def interrupt(number: int, frame: FrameType | None) -> None:
    """Signal handler: raise KeyboardInterrupt, now or as soon as it can be heard."""
    if _is_deaf(frame) and hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)
        return
    raise KeyboardInterrupt


@contextlib.contextmanager
def handled(handler: Handler) -> Iterator[None]:
    """In its body `handler` is called for both signals, but for those that are ignored; nothing changes in other threads."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in ENDING}
    # None: set by C code, and not to be put back from here
    mine = {number: kept for number, kept in before.items() if kept is not None and kept is not signal.SIG_IGN}
    try:
        for number in mine:
            signal.signal(number, handler)
        yield
    finally:
        for number, kept in mine.items():
            signal.signal(number, kept)


@contextlib.contextmanager
def whole() -> Iterator[None]:
    """A signal that comes in its body is heard after it: for what would be left unusable half-way, such as an import."""
    noted: list[tuple[int, FrameType | None]] = []
    with handled(lambda number, frame: noted.append((number, frame))):
        yield
    if noted:
        number, frame = noted[0]
        now = signal.getsignal(number)
        if callable(now):
            now(number, frame)
        elif now is signal.SIG_DFL:
            os.kill(os.getpid(), number)


@contextlib.contextmanager
def noting_interrupts() -> Iterator[list[int]]:
    """Ctrl-C still raises KeyboardInterrupt, and is noted in the list: a planner may catch it and return its best plan.

    When the search that `searching` surrounds is over, signals are noted only: whoever waits for its result is to see it.
    """
    noted: list[int] = []
    _Search.watched = _Search.over = False

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        if not _Search.over:
            interrupt(number, frame)

    try:
        with handled(note):
            yield noted
    finally:
        _Search.watched = _Search.over = False


def watch_search() -> None:
    """What is searched for from now on is what is waited for: compiling is over."""
    if threading.current_thread() is threading.main_thread():
        _Search.watched, _Search.over = True, False


@contextlib.contextmanager
def searching() -> Iterator[None]:
    """A search; where it ends, so does the time in which a signal can stop it. Searches may lie in one another."""
    mine = _Search.watched and threading.current_thread() is threading.main_thread()
    _Search.depth += mine
    try:
        yield
    finally:
        _Search.depth -= mine
        if mine and _Search.depth == 0:
            _Search.over = True


def _is_deaf(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name in _DEAF:
            return True
        frame = frame.f_back
    return False
