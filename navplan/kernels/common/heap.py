"""The one heap of the project: four children a node over parallel arrays, smallest first, ordered by (key, tie).

`push_key` and `pop_key` are the same without ties, for searches that need none: about half the time. Deletion is lazy: callers
skip entries whose item has been settled or superseded. Arrays must have room for one more entry.
"""

from __future__ import annotations

from navplan.kernels.common.jit import kernel


@kernel
def push(keys, ties, items, size, key, tie, item):
    """Insert `item`; returns the new size.

    Args:
        keys, ties: (C,) float64.
        items: (C,) int32.
        size: entries in use, < C.
    """
    i = size
    while i > 0:
        parent = (i - 1) >> 2
        above = keys[parent]
        if above < key or (above == key and ties[parent] <= tie):
            break
        keys[i] = above
        ties[i] = ties[parent]
        items[i] = items[parent]
        i = parent
    keys[i] = key
    ties[i] = tie
    items[i] = item
    return size + 1


@kernel
def pop(keys, ties, items, size):
    """Remove the first entry, which the caller has read at index 0; returns the new size."""
    size -= 1
    key, tie, item = keys[size], ties[size], items[size]
    i = 0
    child = 1
    while child < size:
        best = child
        least = keys[child]
        for other in range(child + 1, min(child + 4, size)):
            if keys[other] < least or (keys[other] == least and ties[other] < ties[best]):
                best = other
                least = keys[other]
        if key < least or (key == least and tie <= ties[best]):
            break
        keys[i] = least
        ties[i] = ties[best]
        items[i] = items[best]
        i = best
        child = 4 * i + 1
    keys[i] = key
    ties[i] = tie
    items[i] = item
    return size


@kernel
def push_key(keys, items, size, key, item):
    """Insert `item` with `key` alone; returns the new size."""
    i = size
    while i > 0:
        parent = (i - 1) >> 2
        above = keys[parent]
        if above <= key:
            break
        keys[i] = above
        items[i] = items[parent]
        i = parent
    keys[i] = key
    items[i] = item
    return size + 1


@kernel
def pop_key(keys, items, size):
    """Remove the first entry, which the caller has read at index 0; returns the new size."""
    size -= 1
    key, item = keys[size], items[size]
    i = 0
    child = 1
    while child < size:
        best = child
        least = keys[child]
        for other in range(child + 1, min(child + 4, size)):
            if keys[other] < least:
                best = other
                least = keys[other]
        if key <= least:
            break
        keys[i] = least
        items[i] = items[best]
        i = best
        child = 4 * i + 1
    keys[i] = key
    items[i] = item
    return size
