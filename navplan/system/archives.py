"""Arrays out of `.npz` archives: nothing is allocated that the file does not hold, nothing is unpickled."""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.errors import FileAccessError, FileFormatError
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
    form = _form(content, len(content))
    flat = np.frombuffer(content, form.kind, math.prod(form.shape), form.begin)
    return flat.reshape(form.shape, order=form.order)


class _Form(NamedTuple):
    """What the header of an array says, and where its values begin."""

    kind: np.dtype[Any]
    shape: tuple[int, ...]
    order: Literal["C", "F"]
    begin: int


def _form(content: bytes, length: int) -> _Form:
    """Read the header at the beginning of `content`, of an array that takes `length` bytes with it.

    Raises:
        ValueError: another header, or one that claims another length.
    """
    if not content.startswith(_MAGIC) or len(content) < 10:
        raise ValueError("no array of format 1.0")
    begin = 10 + int.from_bytes(content[8:10], "little")
    header = _HEADER.fullmatch(content[10:begin])
    if header is None:
        raise ValueError("array header of another form")
    kind = np.dtype(header[1].decode())
    shape = tuple(int(side) for side in re.findall(rb"\d+", header[3]))
    if kind.hasobject or kind.itemsize == 0 or math.prod(shape) * kind.itemsize != length - begin:
        raise ValueError("array header and length disagree")
    return _Form(kind, shape, "F" if header[2] == b"True" else "C", begin)


class ArchiveFile(Mapping[str, NDArray[Any]]):
    """The arrays of an `.npz` file on disk, each read when it is asked for: mapped into memory where it is not compressed.

    Args:
        path: the file.
        expected: what it should be, for errors.

    Raises:
        FileAccessError: it cannot be read.
        FileFormatError: no archive; or, when an array is asked for, one that is damaged or would take up far more memory than
            the file has bytes. What is mapped is not checked against its checksum, which would read all of it.
    """

    def __init__(self, path: str | Path, expected: str) -> None:
        self.path, self._expected = Path(path), expected
        try:
            with zipfile.ZipFile(self.path) as archive:
                self._members = {m.filename.removesuffix(".npy"): m for m in archive.infolist() if m.filename.endswith(".npy")}
            self._size = self.path.stat().st_size
        except FileNotFoundError as error:
            raise FileAccessError(f"{self.path}: no such file") from error
        except (PermissionError, IsADirectoryError) as error:
            raise FileAccessError(f"{self.path}: cannot be read: {error.strerror}") from error
        except _DAMAGE as error:
            raise self._damaged(error) from error

    def __getitem__(self, name: str) -> NDArray[Any]:
        member = self._members[name]
        try:
            if member.compress_type == zipfile.ZIP_STORED:
                return self._mapped(member)
            if member.file_size > max(MAX_EXPANDED, MAX_RATIO * self._size):
                raise FileFormatError(self.path, f"{name} would take up {member.file_size} bytes, more than it can hold")
            with zipfile.ZipFile(self.path) as archive:
                return _array(archive, member)
        except FileFormatError:
            raise
        except _DAMAGE as error:
            raise self._damaged(error) from error

    def _mapped(self, member: zipfile.ZipInfo) -> NDArray[Any]:
        with open(self.path, "rb") as stream:
            stream.seek(member.header_offset)
            head = stream.read(30)
            if len(head) < 30 or not head.startswith(b"PK\x03\x04"):
                raise ValueError("no member where the directory says")
            first = member.header_offset + 30 + sum(struct.unpack("<HH", head[26:30]))
            stream.seek(first)
            form = _form(stream.read(min(member.file_size, 1 << 12)), member.file_size)
        if first + member.file_size > self._size:
            raise ValueError("the file ends before its array does")
        if not math.prod(form.shape):
            return np.empty(form.shape, form.kind)
        return np.memmap(self.path, form.kind, "r", first + form.begin, form.shape, form.order)

    def _damaged(self, error: BaseException) -> FileFormatError:
        what = f"is not a complete .npz archive of arrays ({type(error).__name__})"
        return FileFormatError(self.path, f"{what}, expected {self._expected}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)
