"""Files of a run: safetensors with a JSON document in the header, written beside and renamed, checked when read.

``checkpoint.safetensors`` holds a whole run and serves resuming; ``policy.safetensors`` and ``stage1.safetensors`` hold networks
and states and serve everybody else. Tensors and the JSON that describes them share one file, so that one rename switches both;
the ``.json`` beside a checkpoint is a copy for people.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from navplan.errors import CheckpointError, FileAccessError, InvalidInput, MissingExtra, UnknownName
from navplan.system.files import read_bytes, write_atomically, write_text

if TYPE_CHECKING:
    from navplan.learned.trained import Critics

FORMAT = 1
POLICY = "policy.safetensors"
STAGE1 = "stage1.safetensors"
CHECKPOINT = "checkpoint.safetensors"
Arrays = dict[str, NDArray[Any]]

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
    try:
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        document = json.loads(header["__metadata__"][_KEY])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(path, "has no navplan header, expected a file written by navplan train") from error
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


def bundled_checkpoints() -> tuple[str, ...]:
    """Names of the checkpoints that come with navplan."""
    folder = resources.files("navplan.learned") / "checkpoints"
    if not folder.is_dir():
        return ()
    return tuple(sorted(entry.name for entry in folder.iterdir() if (entry / POLICY).is_file()))


def checkpoint_folder(path_or_name: str | Path) -> Path:
    """The run directory behind a bundled name, or the path itself.

    Raises:
        UnknownName: a bare word that is neither bundled nor a path.
        FileAccessError: a path without a run in it.
    """
    names = bundled_checkpoints()
    if isinstance(path_or_name, str) and path_or_name in names:
        return Path(str(resources.files("navplan.learned") / "checkpoints" / path_or_name))
    path = Path(path_or_name)
    if path.exists():
        return path
    if isinstance(path_or_name, str) and len(path.parts) <= 1 and not path.suffix:
        raise UnknownName("checkpoint", path_or_name, names)
    raise FileAccessError(f"{path}: no such run, expected a run directory or one of: {', '.join(names)}")


def load_checkpoint(path_or_name: str | Path, *, stage: int = 2) -> Critics:
    """Critics and policies of a finished run.

    Args:
        path_or_name: a run directory, a ``.safetensors`` file of one, or the name of a bundled checkpoint.
        stage: 2 for the final networks, 1 for those of the unconstrained policy that stage 2 started from.

    Raises:
        InvalidInput: another stage.
        MissingExtra: PyTorch is not installed.
        UnknownName, FileAccessError: there is no such run.
        CheckpointError: the file is truncated, foreign, or of another shape than its configuration.
    """
    if stage not in (1, 2):
        raise InvalidInput(f"stage is {stage!r}, expected 1 or 2")
    folder = checkpoint_folder(path_or_name)
    path = folder / (POLICY if stage == 2 else STAGE1) if folder.is_dir() else folder
    if folder.is_dir() and not path.is_file() and (folder / CHECKPOINT).is_file():
        raise FileAccessError(f"{path}: is missing, this run is not finished: continue it with navplan train --resume")
    try:
        from navplan.learned.trained import critics_from
    except ImportError as error:
        raise MissingExtra("a learned checkpoint", "PyTorch", "learned") from error
    arrays, document = read_tensors(path, "policy")
    return critics_from(path, arrays, document)


def write_summary(path: Path, document: Mapping[str, Any]) -> None:
    """A readable JSON copy beside a checkpoint; nothing reads it back."""
    write_text(path, json.dumps(document, indent=2, sort_keys=True) + "\n")


def pair_of_sizes(path: Path, value: Any) -> tuple[float, float]:
    """A map's (H, W) out of a document.

    Raises:
        CheckpointError: it is no pair of positive numbers.
    """
    if isinstance(value, list) and len(value) == 2 and all(type(v) in (int, float) and 0 < v < math.inf for v in value):
        return float(value[0]), float(value[1])
    raise CheckpointError(path, f"map size is {value!r}, expected two positive numbers")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
