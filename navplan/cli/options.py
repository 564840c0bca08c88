"""Argument types that several commands share."""

from __future__ import annotations

import argparse
import math


def at_least_one(text: str) -> int:
    """A whole number from 1."""
    return _whole(text, 1)


def seed_number(text: str) -> int:
    """A whole number from 0."""
    return _whole(text, 0)


def not_negative(text: str) -> float:
    """A finite number that is not negative."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"is {text!r}, expected a number that is not negative")
    return value


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"is {text!r}, expected a whole number of at least {least}")
    return value
