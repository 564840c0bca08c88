"""How Python's arguments reach a kernel, and what comes back."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from navplan.kernels.common.jit import PLAIN, canonical, inner, kernel

pytestmark = pytest.mark.skipif(PLAIN, reason="nothing is compiled")


class Parts(NamedTuple):
    values: Any
    weights: Any
    count: int


class Others(NamedTuple):
    weights: Any
    values: Any
    count: int


@inner
def product(x, y):
    return x * y


@kernel
def weighted(parts, out, scale, flag):
    total = 0.0
    for i in range(parts.count):
        out[i] = product(parts.values[i], parts.weights[i])
        total += out[i] * scale
    return total, parts.count, not flag


@kernel
def kinds(table, number, ratio, single, flag):
    if table.ndim == 2:
        table[0, 0] = number
    return number, ratio, single, flag


@kernel
def first_of(array):
    return array[0]


@kernel
def scratch(size, out):
    own = np.zeros((size, 2), np.int32)
    more = np.empty(size)
    for i in range(size):
        own[i] = i
        more[i] = own[i].sum()
    out[:] = more[: out.size]


@kernel
def slow(array, rounds):
    total = 0.0
    for _ in range(rounds):
        for i in range(array.size):
            total += array[i] * 1.5 - total * 0.25
    return total


def test_tuples_of_arrays_are_read_where_they_lie() -> None:
    values, out = np.arange(5.0), np.zeros(5)
    assert weighted(Parts(values, np.full(5, 2.0), 4), out, 0.5, True) == (6.0, 4, False)
    assert out.tolist() == [0, 2, 4, 6, 0]
    # another class with the same fields in another order is another kernel
    assert weighted(Others(np.full(5, 2.0), values, 3), out, 1.0, False) == (6.0, 3, True)


DTYPES = ("?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_of_every_type_and_layout(dtype: str) -> None:
    table = np.array([[0, 1], [1, 0], [1, 1]]).astype(dtype)
    frozen = table.copy()
    frozen.setflags(write=False)
    for array in (table, np.asfortranarray(table), table[::2], table[:, 1], frozen, table.view(np.memmap)):
        found = first_of(array[0] if array.ndim == 2 else array)
        assert found == array.ravel()[0]
    found = kinds(table, 1, 0.5, np.float32(0.1), True)
    assert found == (1, 0.5, float(np.float32(0.1)), True)
    assert [type(value) for value in found] == [int, float, float, bool]


def test_numbers_of_every_type() -> None:
    table = np.zeros((1, 1))
    whole = (3, np.int64(3), np.int8(3), np.uint16(3))
    ratios = (0.5, np.float64(0.5), np.float16(0.5))
    flags = (True, np.True_, False, np.False_)
    for number, ratio, flag in itertools.product(whole, ratios, flags):
        assert kinds(table, number, ratio, np.float32(2), flag) == (3, 0.5, 2.0, bool(flag))
        assert table[0, 0] == 3
    before = kinds.compiled + kinds.loaded
    assert kinds(table, -1, 0.5, np.float32(2), True)[0] == -1
    assert kinds(table, 2**63 - 1, 0.5, np.float32(2), True)[0] == 2**63 - 1
    assert kinds.compiled + kinds.loaded == before


def test_what_a_kernel_does_not_take_is_refused() -> None:
    table = np.zeros((1, 1))
    with pytest.raises(OverflowError):
        kinds(table, -(2**70), 0.5, np.float32(2), True)
    swapped = np.zeros(3, ">f8" if sys.byteorder == "little" else "<f8")
    for wrong in (np.array(["a"]), swapped, np.array([None])):
        with pytest.raises((TypeError, NotImplementedError)):
            first_of(wrong)
    with pytest.raises(TypeError, match=r"given .*list.*, expected arrays, numbers and tuples of them"):
        first_of([1.0, 2.0])


def test_arrays_that_kernels_make_are_freed() -> None:
    out = np.zeros(3)
    scratch(200_000, out)
    before = resident()
    for _ in range(50):
        scratch(200_000, out)
    assert out.tolist() == [0, 2, 4]
    assert resident() - before < 20e6  # one call makes 3.2 MB


def resident() -> float:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_calls_keep_no_references() -> None:
    parts, out = Parts(np.arange(5.0), np.ones(5), 5), np.zeros(5)
    weighted(parts, out, 1.0, True)
    before = [sys.getrefcount(thing) for thing in (parts, parts.values, out)]
    for _ in range(100):
        weighted(parts, out, 1.0, True)
        weighted(parts, out, np.int64(1), True)  # a miss at first
    assert [sys.getrefcount(thing) for thing in (parts, parts.values, out)] == before


def test_other_threads_go_on_meanwhile() -> None:
    array = np.ones(1000)
    slow(array, 1)
    ticks = [0]
    over = threading.Event()

    def tick() -> None:
        while not over.is_set():
            ticks[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    before = ticks[0]
    slow(array, 100_000)
    during = ticks[0] - before
    over.set()
    thread.join()
    assert during > 10


def test_indices_out_of_bounds_are_told_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "small.py").write_text(
        "from navplan.kernels.common.jit import kernel\n@kernel\ndef at(x, i):\n    return x[i]\n"
        "import numpy as np\ntry:\n    at(np.zeros(3), 7)\nexcept IndexError as error:\n    print(error)\n"
    )
    env = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    for _ in range(2):
        done = subprocess.run([sys.executable, str(tmp_path / "small.py")], env=env, capture_output=True, text=True, check=True)
        assert done.stdout == "an index is out of bounds, or another check in a kernel failed\n"


def test_plain_arguments_stay_as_they_are() -> None:
    arguments = (np.zeros(2), Parts(np.zeros(1), np.ones(1), 1), 1, 0.5, True, np.float32(1))
    plain = canonical(arguments)
    assert all(a is b for a, b in zip(plain[:1] + plain[2:], arguments[:1] + arguments[2:], strict=True))
    assert type(plain[1]) is Parts
    assert all(a is b for a, b in zip(plain[1], arguments[1], strict=True))
