from __future__ import annotations

import heapq

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from navplan.kernels.common.heap import pop, pop_key, push, push_key

pytestmark = pytest.mark.kernels


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)) | st.none(), max_size=60))
def test_the_heap_orders_by_key_then_tie(operations: list[tuple[int, int] | None]) -> None:
    """Pushes and pops (None) in any order give the entries that heapq gives."""
    keys, ties, items = np.empty(64), np.empty(64), np.empty(64, np.int32)
    size = 0
    reference: list[tuple[float, float]] = []
    for number, operation in enumerate(operations):
        if operation is not None:
            size = push(keys, ties, items, size, float(operation[0]), float(operation[1]), number)
            heapq.heappush(reference, (float(operation[0]), float(operation[1])))
        elif reference:
            top = (keys[0], ties[0])
            original = operations[items[0]]
            assert original is not None
            assert top == original == heapq.heappop(reference)
            size = pop(keys, ties, items, size)
        assert size == len(reference)


@given(st.lists(st.integers(0, 9) | st.none(), max_size=60))
def test_the_heap_without_ties_orders_by_key(operations: list[int | None]) -> None:
    keys, items = np.empty(64), np.empty(64, np.int32)
    size = 0
    reference: list[float] = []
    for number, operation in enumerate(operations):
        if operation is not None:
            size = push_key(keys, items, size, float(operation), number)
            heapq.heappush(reference, float(operation))
        elif reference:
            assert keys[0] == operations[items[0]] == heapq.heappop(reference)
            size = pop_key(keys, items, size)
        assert size == len(reference)
