"""Arrays out of `.npz` archives: nothing is allocated that the file does not hold, nothing is unpickled."""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from navplan.errors import FileFormatError
from navplan.system.bounds import MAX_EXPANDED, MAX_RATIO

# The header that numpy writes before every array.
_HEADER = re.compile(
    rb"\{'descr': '([<>|=]?[a-zA-Z]\d{1,4})', 'fortran_order': (True|False), 'shape': \(((?:\d{1,18},? ?){0,8})\), \} *\n"
)
_MAGIC = b"\x93NUMPY\x01\x00"
_DAMAGE = (
    *(ValueError, OSError, EOFError, RuntimeError, NotImplementedError, IndexError, OverflowError, MemoryError, TypeError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)


def read_arrays(
    path: str | Path, data: bytes, names: Iterable[str], expected: str, *, optional: Collection[str] = ()
) -> dict[str, NDArray[Any]]:
    """The named arrays of an archive as `numpy.savez` writes it.

    Args:
        path: named in errors.
        data: the file's contents.
        names: of the arrays; further ones are left alone.
        expected: what the file should be, for errors.
        optional: names that may be missing.

    Raises:
        FileFormatError: no archive, an array that is missing, is no plain array, is damaged, or would take up far more memory
            than the file has bytes.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {}
            for name in names:
                if f"{name}.npy" not in archive.NameToInfo:
                    if name in optional:
                        continue
                    raise FileFormatError(path, f"{name} is missing, expected {expected}")
                members[name] = archive.getinfo(f"{name}.npy")
            total = sum(member.file_size for member in members.values())
            most = max(MAX_EXPANDED, MAX_RATIO * len(data))
            if total > most:
                raise FileFormatError(path, f"its arrays would take up {total} bytes, expected at most {most}")
            return {name: _array(archive, member) for name, member in members.items()}
    except FileFormatError:
        raise
    except _DAMAGE as error:
        what = f"is not a complete .npz archive of arrays ({type(error).__name__})"
        raise FileFormatError(path, f"{what}, expected {expected}") from error


def member_names(path: str | Path, data: bytes, expected: str) -> frozenset[str]:
    """Names of the arrays in an archive.

    Raises:
        FileFormatError: no archive.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return frozenset(name.removesuffix(".npy") for name in archive.namelist())
    except _DAMAGE as error:
        what = f"is not a complete .npz archive of arrays ({type(error).__name__})"
        raise FileFormatError(path, f"{what}, expected {expected}") from error


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """One array; reading its member whole checks the CRC and bounds what the header can claim.

    Raises:
        ValueError, …: whatever zipfile and numpy raise on damaged input.
    """
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("another compression than deflate")
    content = archive.read(member)
    if not content.startswith(_MAGIC) or len(content) < 10:
        raise ValueError("no array of format 1.0")
    begin = 10 + int.from_bytes(content[8:10], "little")
    header = _HEADER.fullmatch(content[10:begin])
    if header is None:
        raise ValueError("array header of another form")
    kind = np.dtype(header[1].decode())
    shape = tuple(int(side) for side in re.findall(rb"\d+", header[3]))
    if kind.hasobject or kind.itemsize == 0 or math.prod(shape) * kind.itemsize != len(content) - begin:
        raise ValueError("array header and length disagree")
    flat = np.frombuffer(content, kind, math.prod(shape), begin)
    return flat.reshape(shape, order="F" if header[2] == b"True" else "C")
