"""Names of files as callers give them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from navplan.errors import InvalidInput


def as_path(path: str | bytes | os.PathLike[Any]) -> Path:
    """A path, of bytes too.

    Raises:
        InvalidInput: no path.
    """
    try:
        return Path(os.fsdecode(path))
    except TypeError as error:
        raise InvalidInput(f"path is {path!r}, expected the name of a file") from error
