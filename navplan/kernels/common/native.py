"""Machine code of kernels, from a file into this process: what a call needs when nothing has to be compiled.

LLVM's loader alone does that, in a millisecond; the compiler, whose import takes half a second, stays out of it.

Tested through tests/kernels/common/test_door.py.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numpy as np

Door = Callable[[tuple[Any, ...]], Any]
"""Takes a kernel's arguments in one tuple: returns what the kernel returns, or that very tuple where they are of other types."""

CLASS = "navplan.class."
"""A symbol of this beginning is the address of a Python object, named as `module:name`."""

# The compiler's names of functions of the C library.
_OTHERWISE = {"numba_nextafter": "nextafter", "numba_nextafterf": "nextafterf"}
NOTHING = None
_lock = threading.Lock()


class Unresolved(Exception):
    """Code needs a symbol that this process does not have."""


@cache
def machine() -> bytes:
    """What compiled code depends on beside its sources: processor, layout of Python's and NumPy's objects, code generator."""
    features = llvm.get_host_cpu_features().flatten()
    parts = (llvm.get_host_cpu_name(), features, sys.implementation.cache_tag, np.__version__, llvmlite.__version__)
    return "\n".join((llvm.get_process_triple(), *parts)).encode()


def named(value: object, module: str, name: str) -> str:
    """Symbol of a Python object that is found as attribute `name` of a module."""
    assert getattr(sys.modules[module], name) is value
    return f"{CLASS}{module}:{name}"


def load(code: bytes, name: str, needs: Sequence[str]) -> Door:
    """The function `name` of the object file `code`, which needs these symbols.

    Raises:
        Unresolved: one of them is not here.
    """
    with _lock:
        for symbol in needs:
            llvm.add_symbol(symbol, address(symbol))
        engine = _engine()
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        return ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(engine.get_function_address(name))


@cache
def address(symbol: str) -> int:
    """Where a symbol is: a Python object's, or one of the process, such as a function of Python's own or of the C library."""
    try:
        if symbol.startswith(CLASS):
            module, name = symbol.removeprefix(CLASS).split(":")
            return id(getattr(sys.modules[module], name))
        return ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, _OTHERWISE.get(symbol, symbol)))
    except (KeyError, AttributeError, ValueError) as error:
        raise Unresolved(symbol) from error


@cache
def _engine() -> Any:
    """One for all kernels; what it holds stays for as long as the process."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    triple = llvm.get_process_triple()
    target = llvm.Target.from_triple(triple).create_target_machine(jit=True, reloc="static", codemodel="jitdefault")
    return llvm.create_mcjit_compiler(llvm.parse_assembly(f'target triple = "{triple}"'), target)
