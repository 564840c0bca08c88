"""Processes that end at a chosen file operation, or at a random time: what is left then is what a crash leaves.

An operation is anything below a watched folder that changes it or locks it: opening for writing, each raw write (half of it is
done), flushing to disk, changing mode, renaming, removing, making a folder, locking. They are seen by Python's own audit events,
and by wrappers around what has none, so that a new writer is seen too.
"""

from __future__ import annotations

import builtins
import io
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

KILLED = 9
_CHANGES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Audit events whose first argument is a path (or a descriptor) that is about to be changed or locked.
_EVENTS = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate", "os.link", "fcntl.flock"})


class Fault:
    """Ends the process at operation number `at` below `root`; 0 only counts them."""

    def __init__(self, root: Path, at: int) -> None:
        self.root, self.at, self.count = os.path.realpath(root), at, 0

    def operation(self, where: Any) -> bool:
        """Count one, if it is below the folder; True where it is the one to end at."""
        try:
            path = os.readlink(f"/proc/self/fd/{where}") if isinstance(where, int) else os.path.abspath(os.fsdecode(where))
        except (OSError, TypeError):
            return False
        if not path.startswith(self.root + os.sep):
            return False
        self.count += 1
        return self.count == self.at

    def install(self) -> None:
        """From now on, in this process."""
        sys.addaudithook(self._heard)
        plain_fsync, plain_fdopen, plain_open = os.fsync, os.fdopen, builtins.open

        def fsync(descriptor: int) -> None:
            if self.operation(descriptor):
                os._exit(KILLED)
            plain_fsync(descriptor)

        def fdopen(descriptor: int, mode: str = "r", *args: Any, **options: Any) -> Any:
            plain = mode not in ("wb", "xb")
            return plain_fdopen(descriptor, mode, *args, **options) if plain else io.BufferedWriter(_Raw(self, descriptor))

        def opened(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
            plain = mode not in ("wb", "xb") or isinstance(file, int)
            return plain_open(file, mode, *args, **options) if plain else io.BufferedWriter(_Raw(self, file, mode[0]))

        os.fsync, os.fdopen = fsync, fdopen
        builtins.open = io.open = opened

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(flags, int) or not flags & _CHANGES:
                return
            hit = self.operation(path)
        else:
            hit = event in _EVENTS and self.operation(arguments[0])
        if hit:
            os._exit(KILLED)


class _Raw(io.FileIO):
    """A file of which the fatal write comes only half through."""

    def __init__(self, fault: Fault, file: Any, mode: str = "w") -> None:
        super().__init__(file, mode)
        self._fault = fault

    def write(self, data: Any) -> int:
        if self._fault.operation(self.fileno()):
            whole = bytes(data)
            super().write(whole[: len(whole) // 2])
            os._exit(KILLED)
        return super().write(data)


def forked(work: Callable[[], object], kill_after: float | None = None) -> int:
    """Do `work` in a fork of this process, which is killed after so many seconds if it still runs; its exit status."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setpgid(0, 0)  # with whatever it starts
            work()
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    if kill_after is not None:
        until = time.monotonic() + kill_after
        while time.monotonic() < until:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            time.sleep(min(0.001, max(0.0, until - time.monotonic())))
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return KILLED if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)


def count_operations(root: Path, work: Callable[[], object]) -> int:
    """How many operations `work` takes below `root`, done in a fork."""
    read, write = os.pipe()

    def counted() -> None:
        fault = Fault(root, 0)
        fault.install()
        work()
        os.write(write, str(fault.count).encode())

    assert forked(counted) == 0
    os.close(write)
    with os.fdopen(read) as stream:
        return int(stream.read())


def ended_at(root: Path, at: int, work: Callable[[], object]) -> bool:
    """Do `work` in a fork that ends at operation `at`; False where it came to its end before."""

    def faulty() -> None:
        Fault(root, at).install()
        work()

    status = forked(faulty)
    assert status in (0, KILLED), f"ended with {status} at operation {at}"
    return status == KILLED


def moments(seed: int, count: int, longest: float) -> list[float]:
    """Random times to kill at."""
    generator = random.Random(seed)
    return [generator.uniform(0.0, longest) for _ in range(count)]
