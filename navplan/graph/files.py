"""State graphs in files and in networkx.

A graph file is a zip of ``.npy`` arrays, as ``numpy.savez`` writes them, that ``numpy.load`` opens without pickle; a JSON header
names format and version and carries a SHA-256 over all arrays. Member times are fixed, so equal graphs give equal bytes.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from navplan.errors import FileFormatError, InvalidInput
from navplan.graph.limits import EdgeLimits
from navplan.graph.parts import GraphParts
from navplan.system.arrays import Float64
from navplan.system.files import read_bytes, write_atomically

FORMAT = "navplan.graph"
VERSION = 2  # 1 had neither positions nor rooms

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
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def save(graph: GraphParts, path: str | Path) -> None:
    """Write `graph` to `path`; see `StateGraph.save`."""
    kinds = {**ARRAYS, **{name: kind for name, kind in MORE.items() if getattr(graph, name) is not None}}
    arrays = {name: np.ascontiguousarray(getattr(graph, name), dtype=dtype) for name, (dtype, _) in kinds.items()}
    header = {
        "format": FORMAT,
        "version": VERSION,
        "shape": None if graph.shape is None else list(graph.shape),
        "limits": None if graph.limits is None else _plain(dataclasses.asdict(graph.limits)),
        "sha256": _digest(arrays),
    }
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
    try:
        members = _members(data)
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, MemoryError) as error:
        raise FileFormatError(path, "not a complete navplan graph file, expected what StateGraph.save writes") from error
    header = _header(path, members)
    arrays: dict[str, Any] = {}
    for name, (dtype, axes) in {**ARRAYS, **MORE}.items():
        if name not in members:
            continue  # `_members` has seen to those that must be there
        array = members[name]
        if array.dtype != np.dtype(dtype) or array.ndim != axes:
            raise FileFormatError(path, f"{name} is {array.dtype} with {array.ndim} axes, expected {np.dtype(dtype)} with {axes}")
        arrays[name] = array
    if header.get("sha256") != _digest(arrays):
        raise FileFormatError(path, "the arrays do not match their SHA-256; the file is damaged")
    try:
        return GraphParts(**arrays, shape=_shape(header.get("shape")), limits=_limits(header.get("limits")))
    except (InvalidInput, TypeError, ValueError) as error:
        raise FileFormatError(path, str(error)) from error


def _members(data: bytes) -> dict[str, NDArray[Any]]:
    """All arrays of the archive by name.

    Raises:
        ValueError, KeyError, …: whatever zipfile and numpy raise on damaged input.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {}
        there = set(archive.namelist())
        for name in ("header", *ARRAYS, *(name for name in MORE if f"{name}.npy" in there)):
            info = archive.getinfo(f"{name}.npy")
            if info.compress_type != zipfile.ZIP_STORED or info.file_size > len(data):
                raise ValueError(f"{name} is compressed or longer than the file")
            # Reading the member whole checks its CRC and bounds what the array header can claim.
            with io.BytesIO(archive.read(info)) as stream:
                members[name] = _array(stream, info.file_size)
        return members


def _array(stream: io.BytesIO, size: int) -> NDArray[Any]:
    """The ``.npy`` array in `stream`, whose header may claim no more than the `size` bytes that are there."""
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise ValueError(f"array format {version}, expected 1.0")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.hasobject or dtype.itemsize == 0 or (fortran and len(shape) > 1):
        raise ValueError("an array of objects or in Fortran order")
    count = math.prod(shape)
    if count * dtype.itemsize != size - stream.tell():
        raise ValueError("array header and length disagree")
    return np.frombuffer(stream.read(), dtype=dtype, count=count).reshape(shape)


def _header(path: str | Path, members: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    try:
        header = json.loads(members["header"].tobytes())
    except (ValueError, RecursionError) as error:
        raise FileFormatError(path, "the header is not JSON, expected what StateGraph.save writes") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise FileFormatError(path, f"the header does not say {FORMAT!r}; this is another kind of file")
    if header.get("version") not in (1, VERSION):
        raise FileFormatError(path, f"graph file version {header.get('version')!r}, expected 1 or {VERSION}")
    return header


def _digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for name in (name for name in (*ARRAYS, *MORE) if name in arrays):
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


def to_networkx(graph: GraphParts, weights: Float64) -> nx.DiGraph[int]:
    """`graph` as a ``networkx.DiGraph`` over ids 0..N-1, see `StateGraph.to_networkx`; `weights` (M,) become ``weight``."""
    result: nx.DiGraph[int] = nx.DiGraph(shape=graph.shape, limits=graph.limits)
    places = graph.states if graph.positions is None else graph.positions
    apart = graph.positions is not None and not np.array_equal(graph.positions.astype(np.float32), graph.states)
    rooms = _column(graph.node_room, len(graph.states))
    for node, (place, wait, room) in enumerate(zip(places.tolist(), graph.wait_risk.tolist(), rooms, strict=True)):
        more = {"state": tuple(graph.states[node].tolist())} if apart else {}
        result.add_node(node, pos=tuple(place), wait_risk=wait, room=room, **more)
    tails = np.repeat(np.arange(len(graph.states)), np.diff(graph.indptr)).tolist()
    columns = (graph.indices.tolist(), graph.distance.tolist(), graph.risk.tolist(), weights.tolist())
    edge_rooms = _column(graph.edge_room, len(graph.indices))
    result.add_edges_from(
        (tail, head, {"distance": distance, "risk": risk, "weight": cost, "room": room})
        for tail, head, distance, risk, cost, room in zip(tails, *columns, edge_rooms, strict=True)
    )
    return result


def _column(rooms: Float64 | None, count: int) -> list[float]:
    return [math.inf] * count if rooms is None else rooms.tolist()


def from_networkx(graph: Any) -> GraphParts:
    """A state graph from a networkx graph.

    Node ids follow the order in which networkx lists the nodes. Every node needs ``pos`` and every edge ``distance`` or, without
    it, ``weight``; ``risk`` and ``wait_risk`` are 0 and ``room`` is inf where absent. Nodes with a ``state`` have that as their
    state and ``pos`` as their position; ``pos`` of other than two numbers is a state without a position. An undirected edge
    becomes one edge each way; self-loops are refused, because waiting is implicit.

    Raises:
        InvalidInput: a multigraph, a missing attribute (the node or edge is named), a self-loop, values that are no numbers.
    """
    if graph.is_multigraph():
        raise InvalidInput("a multigraph has parallel edges, expected a DiGraph or Graph")
    ids = {label: number for number, label in enumerate(graph.nodes)}
    positions, states, waits, rooms = [], [], [], []
    for label, attributes in graph.nodes(data=True):
        if "pos" not in attributes:
            raise InvalidInput(f"node {label!r} has no 'pos', expected its coordinates")
        positions.append(tuple(attributes["pos"]))
        states.append(tuple(attributes.get("state", attributes["pos"])))
        waits.append(attributes.get("wait_risk", 0.0))
        rooms.append(attributes.get("room", math.inf))
    edges = []
    for tail, head, attributes in (graph if graph.is_directed() else graph.to_directed()).edges(data=True):
        distance = attributes.get("distance", attributes.get("weight"))
        if distance is None:
            raise InvalidInput(f"edge {tail!r} -> {head!r} has neither 'distance' nor 'weight'")
        if tail == head:
            raise InvalidInput(f"node {tail!r} has an edge to itself; waiting is implicit")
        edges.append((ids[tail], ids[head], distance, attributes.get("risk", 0.0), attributes.get("room", math.inf)))
    edges.sort(key=lambda edge: edge[:2])
    tails = np.array([edge[0] for edge in edges], dtype=np.int64)
    try:
        with np.errstate(over="ignore"):  # what becomes infinite is refused by the graph
            rows = np.array(states, dtype=np.float32).reshape(len(ids), -1 if ids else 2)
        where = np.array(positions, dtype=np.float64).reshape(len(ids), -1 if ids else 2)
        node_room = np.array(rooms, dtype=np.float64)
        edge_room = np.array([edge[4] for edge in edges], dtype=np.float64)
        distance = np.array([edge[2] for edge in edges], dtype=np.float64)
        risk = np.array([edge[3] for edge in edges], dtype=np.float64)
        wait_risk = np.array(waits, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput("node positions, distances and risks must be numbers, positions of one length") from error
    measured = bool(np.isfinite(node_room).any() or np.isfinite(edge_room).any())
    return GraphParts(
        states=rows,
        indptr=np.concatenate([[0], np.cumsum(np.bincount(tails, minlength=len(ids)))]).astype(np.int32),
        indices=np.array([edge[1] for edge in edges], dtype=np.int32),
        distance=distance,
        risk=risk,
        wait_risk=wait_risk,
        shape=graph.graph.get("shape"),
        limits=graph.graph.get("limits"),
        positions=where if where.shape[1] == 2 else None,
        node_room=node_room if measured else None,
        edge_room=edge_room if measured else None,
    )
