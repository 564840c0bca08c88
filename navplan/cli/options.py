"""Argument types that several commands share."""

from __future__ import annotations

import argparse
import math
import sys


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
