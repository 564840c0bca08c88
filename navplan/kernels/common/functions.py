"""Functions that are to be compiled, before anything is: what decorators leave in place of them.

Tested through tests/kernels/common/test_door.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, cast

listeners: list[Callable[[str], object]] = []
"""Told the name of each function that is about to be compiled."""


class Inner:
    """A function that only kernels call."""

    def __init__(self, function: Callable[..., object]) -> None:
        update_wrapper(cast(Any, self), function)
        self.function = function
