"""The memory that one kind of search works in, and the loop around its kernel that looks at the clock and enlarges it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.common.status import BUDGET, FULL
from navplan.planners.base import Clock

W = TypeVar("W")
Arrays = tuple[NDArray[Any], ...]


class SearchMemory(Generic[W]):
    """Runs searches in memory that becomes fourfold when one runs out of it.

    Attributes:
        work: the kernel's arrays, replaced when they must grow.
        progress: (P,) int64 registers that carry a search over from one call of the kernel to the next; all 0 begins one.
        spent: (P,) int64 sums of the registers at the ends of all searches: of the counters among them the totals.
    """

    def __init__(self, make: Callable[[int], W], capacity: int, registers: int, clock: Clock) -> None:
        self.work = make(capacity)
        self.progress = np.zeros(registers, np.int64)
        self.spent = np.zeros(registers, np.int64)
        self._make = make
        self._capacity = capacity
        self._clock = clock
        self._stamp = 0

    def run(self, step: Callable[[W, int], int]) -> int:
        """Search to the end; returns the last status of `step`, which is neither BUDGET nor FULL.

        Args:
            step: one call of the kernel, given the memory and the number of the search, which marks its entries of hash tables.

        Raises:
            OutOfTime: the deadline passed.
        """
        while True:
            self._stamp += 1
            self.progress[:] = 0
            status = BUDGET
            while status == BUDGET:
                self._clock.check()
                status = step(self.work, self._stamp)
            self.spent += self.progress
            if status != FULL:
                return status
            self._capacity *= 4
            self.work = self._make(self._capacity)


def columns(capacity: int, *kinds: type) -> Arrays:
    """Arrays of these types, one entry per record."""
    return tuple(np.empty(capacity, kind) for kind in kinds)


def heap(capacity: int) -> Arrays:
    """Keys, ties and items of a heap."""
    return columns(capacity, np.float64, np.float64, np.int32)


def hash_table(capacity: int, kind: type) -> Arrays:
    """Keys, stamps and values of a hash table that `capacity` entries leave at least half empty; the size is a power of two."""
    slots = 1 << (2 * capacity - 1).bit_length()
    return np.empty(slots, np.int64), np.zeros(slots, np.int64), np.empty(slots, kind)
