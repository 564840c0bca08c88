"""Damaged files: random bytes, and valid files with a few bytes or lines changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import strategies as st

from navplan.errors import FileFormatError, NavplanError

TOKENS = [
    b"-1",
    b"999999999",
    b"1e400",
    b"nan",
    b"\x00",
    b"\xff\xfe",
    b"\n",
    b"\t",
    b" ",
    b"[",
    b"{",
    b'"',
    b"'",
    b"#",
    b"0",
    b"@",
    b"x",
]


@st.composite
def damaged(draw: st.DrawFn, valid: bytes) -> bytes:
    """`valid` cut, with bytes replaced, tokens put in, or lines dropped and doubled; or bytes of no file at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    data = valid
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            data = data[:at]
        elif kind == 1:
            data = data[:at] + draw(st.binary(min_size=1, max_size=3)) + data[at + 1 :]
        elif kind == 2:
            data = data[:at] + draw(st.sampled_from(TOKENS)) + data[at + draw(st.integers(0, 3)) :]
        else:
            lines = data.split(b"\n")
            number = draw(st.integers(0, len(lines) - 1))
            lines[number : number + 1] = [] if kind == 3 else [lines[number]] * 2
            data = b"\n".join(lines)
    return data


def survives(read: Callable[[Path], object], path: Path, data: bytes) -> None:
    """Reading `data` succeeds or raises one of navplan's errors, of one line that names the file."""
    path.write_bytes(data)
    caught: NavplanError | None = None
    try:
        read(path)
    except NavplanError as error:
        caught = error
    assert caught is None or "\n" not in str(caught)
    assert not isinstance(caught, FileFormatError) or str(caught).startswith(str(path.parent))


def complaint(read: Callable[[Path], object], path: Path, data: str | bytes) -> str:
    """The message, without the folder, with which reading `data` fails."""
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    with pytest.raises(NavplanError) as caught:
        read(path)
    return str(caught.value).removeprefix(f"{path.parent}/")
