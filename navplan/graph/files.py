"""State graphs in files.

A graph file is a zip of ``.npy`` arrays, as ``numpy.savez`` writes them, that ``numpy.load`` opens without pickle; a JSON header
names format and version and carries a SHA-256 over all arrays. Member times are fixed, so equal graphs give equal bytes.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import zipfile
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from navplan.errors import FileFormatError, InvalidInput
from navplan.graph.limits import EdgeLimits
from navplan.graph.parts import GraphParts, Logged
from navplan.system.archives import member_names, read_arrays
from navplan.system.files import read_bytes, write_atomically
from navplan.system.reading import parse_json

FORMAT = "navplan.graph"
VERSIONS = (1, 2, 3)  # 1 had neither positions nor rooms, 2 no logged observations

# name -> (dtype, number of axes), in the order in which they are written and hashed
ARRAYS: Mapping[str, tuple[str, int]] = {
    "states": ("<f4", 2),
    "indptr": ("<i4", 1),
    "indices": ("<i4", 1),
    "distance": ("<f8", 1),
    "risk": ("<f8", 1),
    "wait_risk": ("<f8", 1),
}
# of version 2; any of them may be missing
MORE: Mapping[str, tuple[str, int]] = {"positions": ("<f8", 2), "node_room": ("<f8", 1), "edge_room": ("<f8", 1)}
# of version 3, all or none, of any kind of numbers
LOGGED = Logged._fields
EXPECTED = "a state graph as StateGraph.save writes it"
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def save(graph: GraphParts, path: str | Path) -> None:
    """Write `graph` to `path`; see `StateGraph.save`."""
    kinds = {**ARRAYS, **{name: kind for name, kind in MORE.items() if getattr(graph, name) is not None}}
    arrays = {name: np.ascontiguousarray(getattr(graph, name), dtype=dtype) for name, (dtype, _) in kinds.items()}
    if graph.logged is not None:
        arrays |= {name: np.ascontiguousarray(array) for name, array in graph.logged._asdict().items()}
    header: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSIONS[-1] if graph.logged is not None else VERSIONS[-2],
        "shape": None if graph.shape is None else list(graph.shape),
        "limits": None if graph.limits is None else _plain(dataclasses.asdict(graph.limits)),
        "sha256": _digest(arrays),
    }
    if graph.names is not None:
        header["names"] = [said_name(name) for name in graph.names]
    text = json.dumps(header, sort_keys=True, allow_nan=False).encode()

    def write(stream: IO[bytes]) -> None:
        with zipfile.ZipFile(stream, "w") as archive:
            members = {"header": np.frombuffer(text, np.uint8), **arrays}
            for name, array in members.items():
                with archive.open(zipfile.ZipInfo(f"{name}.npy", _ZIP_EPOCH), "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)

    write_atomically(path, write)


def load(path: str | Path) -> GraphParts:
    """Read a graph file; see `StateGraph.load`. What the arrays mean together is not checked."""
    data = read_bytes(path)
    there = member_names(path, data, EXPECTED)
    members = read_arrays(path, data, ("header", *ARRAYS, *(name for name in (*MORE, *LOGGED) if name in there)), EXPECTED)
    header = _header(path, members)
    arrays: dict[str, Any] = {}
    for name, (dtype, axes) in {**ARRAYS, **MORE}.items():
        if name not in members:
            continue  # `_members` has seen to those that must be there
        array = members[name]
        if array.dtype != np.dtype(dtype) or array.ndim != axes:
            raise FileFormatError(path, f"{name} is {array.dtype} with {array.ndim} axes, expected {np.dtype(dtype)} with {axes}")
        arrays[name] = array
    arrays |= {name: members[name] for name in LOGGED if name in members}
    if header.get("sha256") != _digest(arrays):
        raise FileFormatError(path, "the arrays do not match their SHA-256; the file is damaged")
    try:
        shape, limits = _shape(header.get("shape")), _limits(header.get("limits"))
        kept = [arrays.pop(name) for name in LOGGED if name in arrays]
        logged = Logged(*kept) if kept else None
        return GraphParts(**arrays, shape=shape, limits=limits, names=_names(header.get("names")), logged=logged)
    except (InvalidInput, TypeError, ValueError) as error:
        raise FileFormatError(path, str(error)) from error


def _header(path: str | Path, members: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    header = parse_json(path, members["header"].tobytes(), EXPECTED)
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise FileFormatError(path, f"the header does not say {FORMAT!r}; this is another kind of file")
    if header.get("version") not in VERSIONS:
        raise FileFormatError(path, f"graph file version {header.get('version')!r}, expected {VERSIONS[0]} to {VERSIONS[-1]}")
    return header


def _digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for name in (name for name in (*ARRAYS, *MORE, *LOGGED) if name in arrays):
        digest.update(f"{name}{arrays[name].shape}".encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def _plain(limits: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no infinity: it is written as the string "inf"."""
    return {key: "inf" if value == math.inf else value for key, value in limits.items()}


def _limits(value: Any) -> EdgeLimits | None:
    if value is None:
        return None
    fields = {field.name for field in dataclasses.fields(EdgeLimits)}
    if not isinstance(value, dict) or set(value) != fields:
        raise InvalidInput(f"limits are {value!r}, expected the fields {', '.join(sorted(fields))}")
    for key, number in value.items():
        if isinstance(number, bool) or not (isinstance(number, int | float) or number == "inf" or number is None):
            raise InvalidInput(f"limit {key} is {number!r}, expected a number")
    numbers: dict[str, Any] = {key: math.inf if number == "inf" else number for key, number in value.items()}
    return EdgeLimits(**numbers)


def _shape(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    if not (isinstance(value, list) and len(value) == 2 and all(type(side) is int and side >= 0 for side in value)):
        raise InvalidInput(f"shape is {value!r}, expected [height, width] or null")
    return value[0], value[1]


def said_name(name: Hashable) -> Any:
    """A node's name as JSON: text, numbers and tuples of them as they are, all else as text."""
    if isinstance(name, tuple):
        return [said_name(part) for part in name]
    return name if name is None or isinstance(name, str | bool | int | float) else str(name)


def _names(value: Any) -> tuple[Hashable, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list):
        raise InvalidInput("names are no list, expected one for each node")
    return tuple(name_of(name) for name in value)


def name_of(value: Any) -> Hashable:
    """The name that JSON says as `said_name` does.

    Example:
        >>> name_of(said_name(("gate", (1, 2))))
        ('gate', (1, 2))
    """
    return tuple(name_of(part) for part in value) if isinstance(value, list) else value
