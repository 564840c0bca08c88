"""Argument types that several commands share."""

from __future__ import annotations

import argparse
import contextlib
import math
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

from navplan.cli.interrupt import interrupt


def progress(line: str) -> None:
    """One line on stderr for whoever watches a terminal; quiet in a pipe."""
    if sys.stderr is not None and sys.stderr.isatty():
        print(line, file=sys.stderr, flush=True)


def at_least_one(text: str) -> int:
    """A whole number from 1."""
    return _whole(text, 1)


def seed_number(text: str) -> int:
    """A whole number from 0."""
    return _whole(text, 0)


def not_negative(text: str) -> float:
    """A finite number that is not negative."""
    return _number(text, 0, "that is not negative")


def ratio(text: str) -> float:
    """A finite number from 1."""
    return _number(text, 1, "of at least 1")


def positive(text: str) -> float:
    """A finite number above 0."""
    value = _number(text, 0, "above 0")
    if value == 0:
        raise argparse.ArgumentTypeError(f"is {text!r}, expected a number above 0")
    return value


def whole_numbers(text: str) -> list[int]:
    """Whole numbers from 1, ascending, separated by commas."""
    return sorted({_whole(part, 1) for part in text.split(",")})


def names_list(text: str) -> list[str]:
    """Names separated by commas."""
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise argparse.ArgumentTypeError(f"is {text!r}, expected names separated by commas")
    return list(dict.fromkeys(parts))


@contextlib.contextmanager
def noting_interrupts() -> Iterator[list[int]]:
    """Ctrl-C still raises KeyboardInterrupt, and is noted in the list: a planner may catch it and return its best plan."""
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


def _number(text: str, least: float, wanted: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= least):
        raise argparse.ArgumentTypeError(f"is {text!r}, expected a number {wanted}")
    return value


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"is {text!r}, expected a whole number of at least {least}")
    return value
