"""Memory that kernels ask for: the few functions by which the compiler's code makes, counts and frees arrays of its own.

Such an array never leaves its kernel, so plain counting will do. What Python hands in belongs to Python: its counter is null. The
layout is that of the compiler's MemInfo: counter, destructor, its argument, data, size, allocator.

Tested through tests/kernels/common/test_door.py.
"""

from __future__ import annotations

from typing import Any

import llvmlite.ir as llvm

_BYTE, _INT, _LONG, _VOID = llvm.IntType(8), llvm.IntType(32), llvm.IntType(64), llvm.VoidType()
_POINTER = _BYTE.as_pointer()
_HEAD, _DATA, _SIZE = 48, 24, 32
_ALIGNMENT = 16


def add_memory(module: Any) -> None:
    """Write them into `module`."""
    malloc = llvm.Function(module, llvm.FunctionType(_POINTER, [_LONG]), "malloc")
    free = llvm.Function(module, llvm.FunctionType(_VOID, [_POINTER]), "free")

    build, (item,) = _function(module, "NRT_incref", _VOID, _POINTER)
    with build.if_then(build.icmp_unsigned("!=", item, _POINTER(None))):
        build.store(build.add(build.load(_at(build, item, 0, _LONG)), _LONG(1)), _at(build, item, 0, _LONG))
    build.ret_void()

    build, (item,) = _function(module, "NRT_decref", _VOID, _POINTER)
    with build.if_then(build.icmp_unsigned("!=", item, _POINTER(None))):
        left = build.sub(build.load(_at(build, item, 0, _LONG)), _LONG(1))
        build.store(left, _at(build, item, 0, _LONG))
        with build.if_then(build.icmp_signed("==", left, _LONG(0))):
            build.call(free, [item])
    build.ret_void()

    build, (item,) = _function(module, "NRT_MemInfo_data_fast", _POINTER, _POINTER)
    build.ret(build.load(_at(build, item, _DATA, _POINTER)))

    build, (size,) = _function(module, "NRT_Allocate", _POINTER, _LONG)
    build.ret(build.call(malloc, [size]))

    build, (item,) = _function(module, "NRT_Free", _VOID, _POINTER)
    build.call(free, [item])
    build.ret_void()

    build, (size,) = _function(module, "NRT_MemInfo_alloc", _POINTER, _LONG)
    build.ret(_made(build, malloc, size, _LONG(_ALIGNMENT)))

    for name in ("NRT_MemInfo_alloc_aligned", "NRT_MemInfo_alloc_safe_aligned"):
        build, (size, alignment) = _function(module, name, _POINTER, _LONG, _INT)
        build.ret(_made(build, malloc, size, build.zext(alignment, _LONG)))


def _function(module: Any, name: str, returns: Any, *arguments: Any) -> tuple[Any, Any]:
    function = llvm.Function(module, llvm.FunctionType(returns, arguments), name)
    return llvm.IRBuilder(function.append_basic_block()), function.args


def _at(build: Any, place: Any, offset: int, kind: Any) -> Any:
    return build.bitcast(build.gep(place, [_LONG(offset)]), kind.as_pointer())


def _made(build: Any, malloc: Any, size: Any, alignment: Any) -> Any:
    """A counter of 1 and, behind it, `size` bytes; null where there is no memory."""
    item = build.call(malloc, [build.add(build.add(size, alignment), _LONG(_HEAD))])
    with build.if_then(build.icmp_unsigned("!=", item, _POINTER(None))):
        first = build.add(build.ptrtoint(item, _LONG), build.add(_LONG(_HEAD - 1), alignment))
        data = build.inttoptr(build.sub(first, build.urem(first, alignment)), _POINTER)
        for offset in range(0, _HEAD, 8):
            build.store(_LONG(0), _at(build, item, offset, _LONG))
        build.store(_LONG(1), _at(build, item, 0, _LONG))
        build.store(data, _at(build, item, _DATA, _POINTER))
        build.store(size, _at(build, item, _SIZE, _LONG))
    return item
