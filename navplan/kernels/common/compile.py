"""From a kernel's Python to machine code, by numba: the only module that imports the compiler, when something is to be compiled.

Tested through tests/kernels/common/test_door.py.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import llvmlite.binding as llvm
import numba.core.compiler
import numba.core.types
import numba.core.typing
from numba.core import sigutils
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_lock import global_compiler_lock
from numba.core.errors import NumbaError
from numba.core.registry import cpu_target
from numba.core.typing.typeof import typeof, typeof_impl

from navplan.kernels.common.door import add_door
from navplan.kernels.common.functions import Inner, listeners
from navplan.kernels.common.native import Unresolved, address

# Numba is typed in parts only.
types: Any = numba.core.types
typing: Any = numba.core.typing
compiler: Any = numba.core.compiler
lock: Any = global_compiler_lock

_OPTIONS = {
    "nopython": True,
    "nogil": True,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "boundscheck": None,
}


class Compiled(NamedTuple):
    """A kernel for arguments of some types.

    Attributes:
        code: object file.
        door: name of the function in it that Python calls.
        needs: symbols that it takes from the process.
    """

    code: bytes
    door: str
    needs: tuple[str, ...]


class Part(JITCodeLibrary):
    """The code of one function alone, neither optimised nor linked with what it calls: that is done once, behind the door.

    Numba's own libraries hold all that they call, and are optimised at each level of calls again.
    """

    def add_llvm_module(self, ll_module: Any) -> None:
        """Take code in as it is."""
        self._final_module.link_in(ll_module)

    def finalize(self) -> None:
        """Nothing is to be done."""
        self._raise_if_finalized()
        self._finalized = True

    def link_into(self, module: Any, linked: set[Any]) -> None:
        """Add this code and all that it calls to `module`, without what is in `linked`, which grows."""
        if self in linked:
            return
        linked.add(self)
        module.link_in(self._final_module, preserve=True)
        for other in self._linking_libraries:
            if isinstance(other, Part):
                other.link_into(module, linked)
            elif other not in linked:
                linked.add(other)
                module.link_in(other._get_module_for_linking(), preserve=True)


class Callee:
    """A function that kernels call; to the compiler it is one of its own dispatchers.

    Integers are int64 to it, whatever array they come from: else it would be compiled for each mixture of int32, int64 and
    literals that it is called with.
    """

    is_compiling = False

    def __init__(self, function: Callable[..., object]) -> None:
        self.py_func = function
        self._pysig = inspect.signature(function)
        self._compiled: dict[tuple[Any, ...], Any] = {}

    def get_call_template(self, args: Any, kws: Any) -> tuple[Any, ...]:
        """The types of a call, compiled."""
        kinds = typing.fold_arguments(
            self._pysig,
            [widened(kind) for kind in args],
            kws,
            lambda i, p, v: v,
            lambda i, p, d: types.Omitted(d),
            lambda i, p, v: v,
        )
        self.compiled(tuple(kinds))
        name = self.py_func.__name__
        return (
            typing.make_concrete_template(f"Template({name})", key=name, signatures=self.nopython_signatures),
            self._pysig,
            kinds,
            {},
        )

    @property
    def nopython_signatures(self) -> list[Any]:
        """Of all that is compiled."""
        return [found.signature for found in self._compiled.values()]

    def get_overload(self, signature: Any) -> Any:
        """What stands for the machine code."""
        kinds, _ = sigutils.normalize_signature(signature)
        return self._compiled[tuple(kinds)].entry_point

    def compiled(self, kinds: tuple[Any, ...]) -> Any:
        """For arguments of these types."""
        if kinds not in self._compiled:
            for tell in listeners:
                tell(self.py_func.__name__)
            flags = compiler.Flags()
            cpu_target.options.parse_as_flags(flags, _OPTIONS)
            flags.no_compile = True  # machine code is made once, of all that a door leads to
            target = cpu_target.target_context
            context = cpu_target.typing_context
            with lock:
                library = Part(target.codegen(), self.py_func.__qualname__)
                found = compiler.compile_extra(context, target, self.py_func, kinds, None, flags, {}, library=library)
            found = found._replace(entry_point=object())
            target.insert_user_function(found.entry_point, found.fndesc, [found.library])
            self._compiled[kinds] = found
        return self._compiled[kinds]


@cache
def callee_of(inner: Inner) -> Callee:
    """What stands for it where kernels call it; one for each."""
    return Callee(inner.function)


def widened(kind: Any) -> Any:
    """The type as which a kernel takes an argument."""
    kind = types.unliteral(kind)
    return types.int64 if kind in (types.int8, types.int16, types.int32) else kind


def kinds_of(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The compiler's types.

    Raises:
        TypeError: it knows none for an argument.
    """
    try:
        kinds = tuple(widened(typeof(argument)) for argument in arguments)
    except (NumbaError, ValueError) as error:
        raise TypeError(f"a kernel is given what it does not take: {' '.join(str(error).split())}") from error
    for kind in kinds:
        if not isinstance(kind, types.Array | types.Number | types.Boolean | types.BaseTuple):
            raise TypeError(f"a kernel is given {kind}, expected arrays, numbers and tuples of them")
    return kinds


def compiled(callee: Callee, kinds: tuple[Any, ...], door: str) -> Compiled:
    """Machine code, with a door of this name.

    Raises:
        TypeError: types that this kernel, or none, takes or returns; or a kernel that needs more than loops over arrays.
    """
    try:
        found = callee.compiled(kinds)
    except NumbaError as error:
        raise TypeError(f"kernel {callee.py_func.__name__} cannot be compiled for {kinds}: {error}") from error
    target = cpu_target.target_context
    with lock:
        codegen = target.codegen()
        outside = codegen._create_empty_module(door)
        add_door(outside, target, door, found.fndesc.llvm_func_name, found.signature.return_type, kinds)
        module = llvm.parse_assembly(str(outside))
        found.library.link_into(module, set())
        for function in module.functions:
            if not function.is_declaration and function.name != door:
                function.linkage = "internal"
        passes, builder = codegen._module_pass_manager()
        passes.run(module, builder)
        return Compiled(codegen._tm.emit_object(module), door, _needs(module, callee.py_func.__name__))


def _needs(module: Any, name: str) -> tuple[str, ...]:
    """Symbols that code takes from the process; each must be there."""
    open_ends = [each.name for each in (*module.functions, *module.global_variables) if each.is_declaration]
    found = tuple(symbol for symbol in open_ends if not symbol.startswith("llvm."))
    for symbol in found:
        try:
            address(symbol)
        except Unresolved as error:
            what = "makes a list, sorts, or copies a table," if symbol.startswith("NRT_") else f"needs {symbol},"
            raise TypeError(f"kernel {name} {what} expected loops over arrays and numbers") from error
    return found


@typeof_impl.register(Inner)
def _type_of_inner(value: Inner, context: object) -> Any:
    """Of a kernel that another names."""
    return types.Dispatcher(callee_of(value))
