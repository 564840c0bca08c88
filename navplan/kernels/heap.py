"""The one heap of the project: a binary heap over parallel arrays, ordered by (key, tie), smallest first.

Deletion is lazy: callers skip entries whose item has been settled or superseded. Arrays must have room for one more entry.
"""

from __future__ import annotations

from navplan.kernels.jit import kernel


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
        parent = (i - 1) >> 1
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
        right = child + 1
        if right < size and (keys[right] < keys[child] or (keys[right] == keys[child] and ties[right] < ties[child])):
            child = right
        if key < keys[child] or (key == keys[child] and tie <= ties[child]):
            break
        keys[i] = keys[child]
        ties[i] = ties[child]
        items[i] = items[child]
        i = child
        child = 2 * i + 1
    keys[i] = key
    ties[i] = tie
    items[i] = item
    return size
