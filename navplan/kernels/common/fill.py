"""Setting a part of an array: assigning to a slice makes the compiler compile its own error messages, which takes seconds.

Tested through tests/kernels/search/test_dijkstra.py.
"""

from __future__ import annotations

from navplan.kernels.common.jit import inner


@inner
def fill(values, first, last, value):
    """Write `value` into the flat array `values` from `first` up to `last`."""
    for k in range(first, last):
        values[k] = value
