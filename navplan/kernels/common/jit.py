"""The decorators of the project: what is under them is compiled when it is first called, for the types that it is called with.

Compiled code is kept on disk and loaded without the compiler; see `navplan.kernels.common.native`.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from navplan.kernels.common import native
from navplan.kernels.common.cache import Files, base_folder, usable
from navplan.kernels.common.functions import Inner, listeners
from navplan.kernels.common.sources import cache_folder

F = TypeVar("F", bound=Callable[..., object])

PLAIN = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
"""Kernels run as Python."""

_numbers = itertools.count()
_lock = threading.RLock()


class Kernel(Inner):
    """A function that Python calls, too.

    Attributes:
        loaded, compiled: for how many combinations of types its code came from disk, and was made.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        super().__init__(function)
        self.loaded = self.compiled = 0
        self._doors: list[native.Door] = []
        self._asked = False

    def __call__(self, *arguments: Any) -> Any:
        """Run it."""
        for door in self._doors:
            result = door(arguments)
            if result is not arguments:
                return result
        return self._other(arguments)

    def _other(self, arguments: tuple[Any, ...]) -> Any:
        """A call with types that no door is there for yet."""
        with _lock:
            if not self._asked:
                self._load()
                return self(*arguments)
            plain = cast(tuple[Any, ...], canonical(arguments))
            for door in self._doors:
                result = door(plain)
                if result is not plain:
                    return result
            self._compile(plain)
        result = self._doors[-1](plain)
        if result is plain:
            raise TypeError(f"kernel {self.function.__name__} does not take {', '.join(map(repr, plain))[:300]}")
        return result

    def _load(self) -> None:
        for entry in self._files.load() if self._files else ():
            with contextlib.suppress(native.Unresolved):  # for a class that nobody has imported, so nothing of it is here
                self._doors.append(native.load(*entry))
        self.loaded, self._asked = len(self._doors), True

    def _compile(self, arguments: tuple[Any, ...]) -> None:
        numba = compiler()
        kinds = numba.kinds_of(arguments)
        code = self.function.__code__
        where = f"{code.co_filename}:{code.co_firstlineno}:{self._files.folder if self._files else next(_numbers)}"
        name = hashlib.blake2b(f"{where} {self.function.__qualname__} {kinds}".encode(), digest_size=12).hexdigest()
        made = numba.compiled(numba.callee_of(self), kinds, f"navplan_{name}")
        self._doors.append(native.load(*made))
        self.compiled += 1
        if self._files:
            self._files.save(name, *made)

    @cached_property
    def _files(self) -> Files | None:
        """Where compiled code is kept; None for a function without a file, or with variables of another around it."""
        source, base = Path(self.function.__code__.co_filename), base_folder()
        if base is None or self.function.__closure__ or not source.is_file() or not usable(base):
            return None
        return Files(base, cache_folder(source), f"{source.stem}.{self.function.__name__}")


def canonical(value: Any) -> Any:
    """The same arguments as plain objects: NumPy's scalars as Python's, but float32; arrays of subclasses as arrays."""
    if isinstance(value, tuple):
        items = [canonical(item) for item in value]
        return tuple(items) if type(value) is tuple else type(value)(*items)
    if isinstance(value, np.ndarray):
        plain = value.view(np.ndarray) if type(value) is not np.ndarray else value
        return plain if plain.dtype.num == np.dtype(plain.dtype.str).num else plain.view(np.dtype(plain.dtype.str))
    if isinstance(value, np.float16 | np.longdouble):
        return float(value)
    return value.item() if isinstance(value, np.integer | np.bool_) else value


def compiler() -> Any:
    """The compiler: its import takes half a second, and cannot be done again in a process in which Ctrl-C has stopped it."""
    from navplan.system.signals import whole

    with whole():
        from navplan.kernels.common import compile as module
    return module


@contextlib.contextmanager
def compiling(tell: Callable[[int, str], object]) -> Iterator[None]:
    """Call `tell` with how many functions were compiled in the body before, and the name of the one that comes next."""
    numbers = itertools.count()

    def counted(name: str) -> None:
        tell(next(numbers), name)

    listeners.append(counted)
    try:
        yield
    finally:
        listeners.remove(counted)


def kernel(function: F) -> F:
    """Compile `function` when it is called, kept on disk, without the GIL; divisions by zero give inf and nan as in numpy.

    Kernels take preallocated arrays, numbers and tuples of them, return a status, never raise and never print.
    ``NUMBA_DISABLE_JIT=1`` runs them as Python.
    """
    return function if PLAIN else cast(F, Kernel(function))


def inner(function: F) -> F:
    """A kernel that only kernels call: it has no door."""
    return function if PLAIN else cast(F, Inner(function))
