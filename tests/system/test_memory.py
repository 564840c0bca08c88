"""Memory that is taken when it is written."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from navplan.system.memory import memory_limit, sparse_zeros


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not say")
def test_sparse_zeros_take_what_is_written() -> None:
    before = resident()
    table = sparse_zeros((4000, 1 << 18), np.int32)
    assert (table.shape, table.dtype, table.flags.c_contiguous, table.flags.writeable) == ((4000, 1 << 18), np.int32, True, True)
    table[::8, 5] = 7
    assert table[:, 4:7].sum() == 500 * 7
    assert resident() - before < 64e6


def test_small_ones_are_numpys_and_too_large_ones_no_crash() -> None:
    assert sparse_zeros((3, 4), np.uint32).tolist() == [[0] * 4] * 3
    with memory_limit(3.0), pytest.raises(MemoryError):
        sparse_zeros((1 << 34,), np.int32)
