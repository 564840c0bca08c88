"""How much memory the process takes, and a limit on it."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
from collections.abc import Iterator
from numbers import Real
from pathlib import Path

from navplan.errors import InvalidInput
from navplan.system.words import said

GIGA = 1e9


def check_memory_limit(name: str, value: float | None) -> None:
    """Raise InvalidInput unless `value` is None or a positive number of gigabytes."""
    if value is not None and not (_is_number(value) and 0 < value < 1e9):
        raise InvalidInput(f"{name} is {said(value)}, expected gigabytes, more than 0, or None")


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


@contextlib.contextmanager
def memory_limit(gigabytes: float | None) -> Iterator[None]:
    """Within the block the process gets no more than `gigabytes` (1e9 bytes) of memory, what it has already included.

    An allocation beyond that raises MemoryError. The limit is the system's on the process's private data (RLIMIT_DATA; on
    systems other than Linux on its address space), so threads share it.

    Raises:
        InvalidInput: not a positive number, or a system without such limits.
        MemoryError: the process holds more already.
    """
    check_memory_limit("memory_limit", gigabytes)
    if gigabytes is None:
        yield
        return
    try:
        import resource
    except ImportError as error:
        raise InvalidInput(f"memory_limit: {sys.platform} has no limits on memory") from error
    wanted = int(gigabytes * GIGA)
    if _held() > wanted:
        raise MemoryError(f"{_held() / GIGA:.2f} GB are in use before planning")
    which = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    soft, hard = resource.getrlimit(which)
    ceiling = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(which, (ceiling if soft == resource.RLIM_INFINITY else min(ceiling, soft), hard))
    try:
        yield
    finally:
        resource.setrlimit(which, (soft, hard))


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """No garbage collection meanwhile: millions of small objects without a cycle would be looked through again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _held() -> int:
    """Bytes of private data that the process has now; 0 where the system does not say."""
    return _field("VmData:")


def reset_peak() -> None:
    """Give memory that is no longer used back and forget the peak so far, where the system can (Linux)."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> int:
    """Most bytes of main memory held at once since `reset_peak`, or since the process began where it cannot be reset."""
    peak = _field("VmHWM:")
    if peak:
        return peak
    try:
        import resource
    except ImportError:
        return 0
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024


def _field(name: str) -> int:
    """A size of /proc/self/status in bytes; 0 where there is none."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return 0
