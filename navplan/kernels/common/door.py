"""The door through which Python enters a kernel: it checks the arguments' types, unpacks them, and packs what comes back.

Written in LLVM's language and linked to the kernel, it reads Python's objects where they lie, so that a call costs less than a
microsecond with a hundred arrays, and the code runs in processes that never import the compiler. Layouts are those of CPython's
and NumPy's ABI: an object's type at byte 8; a tuple's length at 16 and items from 24; a float's or NumPy scalar's value at 16; an
array's data at 16, dimensions at 24, shape at 32, strides at 40, type at 56, flags at 64; of a type of elements its byte order at
26 and number at 28.

Tested through tests/kernels/common/test_door.py.
"""

from __future__ import annotations

import sys
from typing import Any

import llvmlite.ir as llvm
import numba.core.types
import numpy as np
from numba.core import cgutils
from numba.np.arrayobj import populate_array

from navplan.kernels.common.memory import add_memory
from navplan.kernels.common.native import named

# Numba is typed in parts only.
types: Any = numba.core.types

_BYTE, _INT, _LONG, _DOUBLE, _VOID = llvm.IntType(8), llvm.IntType(32), llvm.IntType(64), llvm.DoubleType(), llvm.VoidType()
_POINTER = _BYTE.as_pointer()
_FLAGS = {"C": 0x1, "F": 0x2, "A": 0}
_ALIGNED, _WRITEABLE = 0x100, 0x400
_SWAPPED = ">" if sys.byteorder == "little" else "<"


def add_door(module: Any, context: Any, name: str, kernel: str, returns: Any, arguments: tuple[Any, ...]) -> None:
    """Write the door `name` of the function `kernel` into `module`.

    Args:
        context: the compiler's target context.
        returns, arguments: the function's types.

    Raises:
        TypeError: a type that no kernel takes or returns.
    """
    function = llvm.Function(module, llvm.FunctionType(_POINTER, [_POINTER]), name)
    _Door(module, context, function).write(kernel, returns, arguments)
    add_memory(module)


class _Door:
    def __init__(self, module: Any, context: Any, function: Any) -> None:
        self.module, self.context, self.function = module, context, function
        self.build = llvm.IRBuilder(function.append_basic_block())
        self.miss = function.append_basic_block()
        self.fail = function.append_basic_block()

    def write(self, kernel: str, returns: Any, arguments: tuple[Any, ...]) -> None:
        build, calls = self.build, self.context.call_conv
        given = self.function.args[0]
        self.want(build.icmp_signed("==", self.at(given, 16, _LONG), _LONG(len(arguments))))
        values = [self.taken(self.at(given, 24 + 8 * i, _POINTER), kind) for i, kind in enumerate(arguments)]
        callee = llvm.Function(self.module, calls.get_function_type(returns, arguments), kernel)
        state = self.call("PyEval_SaveThread", _POINTER)
        status, result = calls.call_function(build, callee, returns, arguments, values)
        self.call("PyEval_RestoreThread", _VOID, state)
        with build.if_then(status.is_error, likely=False):
            text = self.context.insert_const_string(self.module, "an index is out of bounds, or another check in a kernel failed")
            self.call("PyErr_SetString", _VOID, build.load(self.symbol("PyExc_IndexError", _POINTER)), text)
            build.branch(self.fail)
        build.ret(self.packed(result, returns))
        build.position_at_end(self.fail)
        build.ret(_POINTER(None))
        build.position_at_end(self.miss)
        self.call("Py_IncRef", _VOID, given)
        build.ret(given)

    def call(self, name: str, returns: Any, *arguments: Any) -> Any:
        """Call a function of Python's C interface."""
        kind = llvm.FunctionType(returns, [argument.type for argument in arguments])
        return self.build.call(cgutils.get_or_insert_function(self.module, kind, name), arguments)

    def symbol(self, name: str, kind: Any = _BYTE) -> Any:
        """Address of a global of the process."""
        found = self.module.globals.get(name)
        if found is None:
            found = llvm.GlobalVariable(self.module, kind, name)
        return found

    def at(self, place: Any, offset: int, kind: Any) -> Any:
        """What lies so many bytes behind an address."""
        return self.build.load(self.build.bitcast(self.build.gep(place, [_LONG(offset)]), kind.as_pointer()))

    def want(self, condition: Any) -> None:
        """Go on where that is true, else it is a miss."""
        onward = self.function.append_basic_block()
        self.build.cbranch(condition, onward, self.miss)
        self.build.position_at_end(onward)

    def of(self, item: Any, kind: type) -> Any:
        """Whether an object is of a class itself, not of one derived from it."""
        return self.build.icmp_unsigned(
            "==", self.at(item, 8, _POINTER), self.symbol(named(kind, kind.__module__, kind.__qualname__))
        )

    def taken(self, item: Any, kind: Any) -> Any:
        """The compiler's value of an object, which must be of this type."""
        build = self.build
        if isinstance(kind, types.BaseTuple):
            self.want(self.of(item, kind.instance_class if isinstance(kind, types.BaseNamedTuple) else tuple))
            self.want(build.icmp_signed("==", self.at(item, 16, _LONG), _LONG(len(kind))))
            items = [self.taken(self.at(item, 24 + 8 * i, _POINTER), part) for i, part in enumerate(kind)]
            return self.context.make_tuple(build, kind, items)
        if isinstance(kind, types.Array):
            return self.array(item, kind)
        if kind == types.boolean:
            true = self.either(item, (True, "builtins", "True"), (np.True_, "numpy", "True_"))
            self.want(build.or_(true, self.either(item, (False, "builtins", "False"), (np.False_, "numpy", "False_"))))
            return true
        if kind == types.float64:
            self.want(build.or_(self.of(item, float), self.of(item, np.float64)))
            return self.at(item, 16, _DOUBLE)
        if kind == types.float32:
            self.want(self.of(item, np.float32))
            return self.at(item, 16, llvm.FloatType())
        if kind == types.int64:
            return self.whole(item)
        raise TypeError(f"a kernel takes {kind}, expected arrays, numbers and tuples of them")

    def either(self, item: Any, *objects: tuple[object, str, str]) -> Any:
        """Whether an object is one of two."""
        one, other = (self.build.icmp_unsigned("==", item, self.symbol(named(*each))) for each in objects)
        return self.build.or_(one, other)

    def whole(self, item: Any) -> Any:
        """An int, or an np.int64."""
        build = self.build
        found = cgutils.alloca_once(build, _LONG)
        plain = self.of(item, int)
        self.want(build.or_(plain, self.of(item, np.int64)))
        with build.if_else(plain) as (python, numpy):
            with python:
                number = self.call("PyLong_AsLongLong", _LONG, item)
                build.store(number, found)
                with build.if_then(build.icmp_signed("==", number, _LONG(-1)), likely=False):
                    raised = self.call("PyErr_Occurred", _POINTER)
                    with build.if_then(cgutils.is_not_null(build, raised), likely=False):
                        build.branch(self.fail)
            with numpy:
                build.store(self.at(item, 16, _LONG), found)
        return build.load(found)

    def array(self, item: Any, kind: Any) -> Any:
        """An array of this type and layout; one that can be written will do where the kernel only reads."""
        build, elements = self.build, np.dtype(str(kind.dtype))
        flags = _FLAGS[kind.layout] | _ALIGNED | (_WRITEABLE if kind.mutable else 0)
        self.want(self.of(item, np.ndarray))
        self.want(build.icmp_signed("==", self.at(item, 24, _INT), _INT(kind.ndim)))
        self.want(build.icmp_signed("==", build.and_(self.at(item, 64, _INT), _INT(flags)), _INT(flags)))
        described = self.at(item, 56, _POINTER)
        self.want(build.icmp_signed("==", self.at(described, 28, _INT), _INT(elements.num)))
        if elements.itemsize > 1:
            self.want(build.icmp_unsigned("!=", self.at(described, 26, _BYTE), _BYTE(ord(_SWAPPED))))
        found = self.context.make_array(kind)(self.context, build)
        sides, steps = self.at(item, 32, _POINTER), self.at(item, 40, _POINTER)
        populate_array(
            found,
            data=self.at(item, 16, self.context.get_data_type(kind.dtype).as_pointer()),
            shape=[self.at(sides, 8 * i, _LONG) for i in range(kind.ndim)],
            strides=[self.at(steps, 8 * i, _LONG) for i in range(kind.ndim)],
            itemsize=_LONG(elements.itemsize),
            meminfo=None,
            parent=None,
        )
        return found._getvalue()

    def packed(self, value: Any, kind: Any) -> Any:
        """A new Python object of a value."""
        build = self.build
        if isinstance(kind, types.BaseTuple) and not isinstance(kind, types.BaseNamedTuple):
            packed = self.call("PyTuple_New", _POINTER, _LONG(len(kind)))
            for i, part in enumerate(kind):
                self.call("PyTuple_SetItem", _INT, packed, _LONG(i), self.packed(build.extract_value(value, i), part))
            return packed
        if kind == types.none:
            nothing = self.symbol(named(None, "navplan.kernels.common.native", "NOTHING"))
            self.call("Py_IncRef", _VOID, nothing)
            return nothing
        if kind == types.boolean:
            return self.call("PyBool_FromLong", _POINTER, build.zext(value, _LONG))
        if isinstance(kind, types.Integer):
            same = value.type == _LONG
            wide = value if same else build.sext(value, _LONG) if kind.signed else build.zext(value, _LONG)
            return self.call("PyLong_FromLongLong", _POINTER, wide)
        if isinstance(kind, types.Float):
            return self.call("PyFloat_FromDouble", _POINTER, value if value.type == _DOUBLE else build.fpext(value, _DOUBLE))
        raise TypeError(f"a kernel returns {kind}, expected numbers or a tuple of them")
