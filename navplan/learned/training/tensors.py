"""Files of a run: safetensors with a JSON document in the header, written beside and renamed, checked when read.

``checkpoint.safetensors`` holds a whole run and serves resuming; ``policy.safetensors`` and ``stage1.safetensors`` hold networks
and states and serve everybody else. Tensors and the JSON that describes them share one file, so that one rename switches both;
the ``.json`` beside a checkpoint is a copy for people.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from navplan.errors import CheckpointError, MissingExtra
from navplan.learned.interface import Arrays
from navplan.system.files import read_bytes, write_atomically, write_text
from navplan.system.reading import parse_json

FORMAT = 1
POLICY = "policy.safetensors"
STAGE1 = "stage1.safetensors"
CHECKPOINT = "checkpoint.safetensors"
EXPORTS = {2: POLICY, 1: STAGE1}
"""The file of each stage: 2 is the finished one."""

_KEY = "navplan"


def write_tensors(path: Path, kind: str, arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]) -> None:
    """Write arrays and a JSON document as one safetensors file, atomically.

    Raises:
        FileAccessError: the folder cannot be written.
    """
    try:
        from safetensors.numpy import save
    except ImportError as error:
        raise MissingExtra("saving a checkpoint", "safetensors", "learned") from error
    text = json.dumps({"kind": kind, "format": FORMAT, **document}, sort_keys=True)
    data = save({name: np.asarray(array, order="C") for name, array in arrays.items()}, metadata={_KEY: text})
    write_atomically(path, lambda stream: stream.write(data))


def read_tensors(path: Path, kind: str) -> tuple[Arrays, dict[str, Any]]:
    """The arrays and the document of a file that `write_tensors` wrote.

    Raises:
        FileAccessError: it cannot be read.
        CheckpointError: it is truncated, foreign, of another kind or format, or holds values that are not finite.
    """
    try:
        from safetensors.numpy import load
    except ImportError as error:
        raise MissingExtra("loading a checkpoint", "safetensors", "learned") from error
    data = read_bytes(path)
    try:
        arrays = load(data)
    except Exception as error:  # the parser raises its own type and several builtins on damaged headers
        raise CheckpointError(path, f"is truncated or no safetensors file: {_one_line(error)}") from error
    document = _document(path, data)
    if document.get("kind") != kind or document.get("format") != FORMAT:
        found = f"{document.get('kind')!r} of format {document.get('format')!r}"
        raise CheckpointError(path, f"is a {found}, expected a {kind!r} of format {FORMAT}")
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise CheckpointError(path, f"tensor {name!r} holds values that are not finite")
    return arrays, document


def _document(path: Path, data: bytes) -> dict[str, Any]:
    """The JSON document in a safetensors header: 8 bytes of length, then a JSON object with ``__metadata__``."""
    expected = "the header of a file written by navplan train"
    header = parse_json(path, data[8 : 8 + int.from_bytes(data[:8], "little")], expected, CheckpointError)
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    text = metadata.get(_KEY) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise CheckpointError(path, "has no navplan header, expected a file written by navplan train")
    document = parse_json(path, text.encode("utf-8", "surrogatepass"), expected, CheckpointError)
    if not isinstance(document, dict):
        raise CheckpointError(path, "has a malformed navplan header, expected a JSON object")
    return document


def expect(path: Path, arrays: Arrays, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Check that `arrays` has every name in `shapes`, with that shape and float32.

    Raises:
        CheckpointError: names the file, the tensor, what it is and what it should be.
    """
    for name, shape in shapes.items():
        if name not in arrays:
            raise CheckpointError(path, f"tensor {name!r} is missing, expected shape {shape}")
        array = arrays[name]
        if array.shape != shape or array.dtype != np.float32:
            raise CheckpointError(path, f"tensor {name!r} is {array.dtype} {array.shape}, expected float32 {shape}")


def write_summary(path: Path, document: Mapping[str, Any]) -> None:
    """A readable JSON copy beside a checkpoint; nothing reads it back."""
    write_text(path, json.dumps(document, indent=2, sort_keys=True) + "\n")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
