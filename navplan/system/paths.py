"""Names of files as callers give them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from navplan.errors import InvalidInput
from navplan.system.words import said


def as_path(path: str | bytes | os.PathLike[Any]) -> Path:
    """A path, of bytes too.

    Raises:
        InvalidInput: no path.
    """
    try:
        return Path(os.fsdecode(path))
    except TypeError as error:
        raise InvalidInput(f"path is {said(path)}, expected the name of a file") from error


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether there is a file; False too for a name that none can have, such as one of thousands of letters."""
    return os.path.isfile(path)


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether there is a folder, likewise."""
    return os.path.isdir(path)


def exists(path: str | os.PathLike[str]) -> bool:
    """Whether there is anything, likewise."""
    return os.path.exists(path)
