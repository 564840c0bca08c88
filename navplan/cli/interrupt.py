"""Ctrl-C that is neither lost nor fatal while LLVM compiles."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

# Python functions that C code calls and whose exceptions Python prints and drops; the interrupt waits until they are left.
_DEAF = frozenset({"_raw_object_cache_notify", "_raw_object_cache_getbuffer", "__del__"})
_AGAIN_S = 0.02


def listen() -> None:
    """Raise KeyboardInterrupt on SIGINT, as Python does, but never where the exception would be dropped.

    Works in the main thread only; where SIGINT is ignored (a job in the background of a shell) it stays ignored.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)


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
def noting_interrupts() -> Iterator[list[int]]:
    """Ctrl-C still raises KeyboardInterrupt, and is noted in the list: a planner may catch it and return its best plan."""
    import threading  # not at the top: no other part of `navplan --help` needs it

    noted: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        interrupt(number, frame)

    # other threads get no signals, and a job in the background of a shell ignores this one
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield noted
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)


def _is_deaf(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name in _DEAF:
            return True
        frame = frame.f_back
    return False
