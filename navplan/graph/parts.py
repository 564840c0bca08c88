"""What a state graph is made of, and what must hold between its arrays: builders, readers and writers need no more."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from navplan.errors import InvalidInput
from navplan.graph.limits import EdgeLimits
from navplan.system.arrays import Float32, Float64, Int32, Int64
from navplan.system.numbers import as_array, as_numbers
from navplan.system.words import said

# Positions are not taken from float32 states where float32 cannot tell points apart that are this near (cells).
COARSE = 1e-2


class Surroundings(Protocol):
    """A map that says how much room there is: `navplan.scenarios.worlds.world.World` is one."""

    def room(self, points: ArrayLike) -> Float64:
        """(N,) radius of the largest disc that fits around each of the points (N, 2); -1 where not even a point does."""
        ...

    def sweep_room(self, tails: ArrayLike, heads: ArrayLike) -> Float64:
        """(M,) radius of the largest disc that can be moved straight from each of (M, 2) tails to its head; -1 as above."""
        ...


class Logged(NamedTuple):
    """The observation that each node is: rows (N,) int64 of the dataset, -1 where none; observations (N, …); goals (N, G)."""

    rows: Int64
    observations: NDArray[Any]
    goals: NDArray[Any]


class GraphParts(NamedTuple):
    """The fields of `navplan.graph.graph_fields.GraphFields`, in its order, not yet checked."""

    states: Float32
    indptr: Int32
    indices: Int32
    distance: Float64
    risk: Float64
    wait_risk: Float64
    shape: tuple[int, int] | None = None
    limits: EdgeLimits | None = None
    positions: Float64 | None = None
    node_room: Float64 | None = None
    edge_room: Float64 | None = None
    world: Surroundings | None = None
    names: tuple[Hashable, ...] | None = None
    logged: Logged | None = None


_DTYPES: dict[str, type[np.floating[Any]]] = {
    "states": np.float32,
    "distance": np.float64,
    "risk": np.float64,
    "wait_risk": np.float64,
}


def checked(parts: GraphParts) -> GraphParts:
    """The same graph in contiguous, read-only arrays of the right types.

    Raises:
        InvalidInput: the arrays are no graph; the message says which rule they break, and where.
    """
    # Views: freezing the arrays themselves would freeze the caller's.
    arrays: dict[str, Any] = {
        name: np.ascontiguousarray(_whole(name, getattr(parts, name)), dtype=np.int32).view() for name in ("indptr", "indices")
    }
    arrays |= {
        name: np.ascontiguousarray(as_numbers(getattr(parts, name), name, dtype)).view() for name, dtype in _DTYPES.items()
    }
    arrays["positions"] = given_positions(parts.states, parts.positions, len(arrays["states"]))
    for name in ("node_room", "edge_room"):
        room = getattr(parts, name)
        arrays[name] = None if room is None else np.ascontiguousarray(as_numbers(room, name)).view()
    for array in arrays.values():
        if array is not None:
            array.setflags(write=False)
    check_world(parts.world)
    graph = parts._replace(**arrays)
    _check_structure(graph)
    _check_values(graph)
    _check_rooms(graph)
    count = len(graph.states)
    graph = graph._replace(names=_checked_names(graph.names, count), logged=_checked_logged(graph.logged, count))
    if graph.shape is not None:
        _check_shape(graph.states, graph.shape)
    return graph


def checked_states(states: ArrayLike, what: str, dimension: int | None = None) -> Float32:
    """`states` as a contiguous (N, D) float32 array.

    Raises:
        InvalidInput: another shape, no rows, or a value that is not finite; the row is named.
    """
    array = np.ascontiguousarray(as_numbers(states, f"{what}s", np.float32))
    if array.ndim != 2 or array.shape[1] == 0 or (dimension is not None and array.shape[1] != dimension):
        raise InvalidInput(f"{what}s have shape {array.shape}, expected (N, {dimension or 'D'})")
    if len(array) == 0:
        raise InvalidInput(f"there are no {what}s, expected at least one")
    _check_finite(array, what)
    return array


def given_positions(states: ArrayLike, positions: ArrayLike | None, count: int, what: str = "position") -> Float64 | None:
    """(count, 2) float64 `positions`; without any, the states themselves where they are (row, col), else None: not known.

    States that came rounded to float32, and are so large that this moves them by a hundredth of a cell, are no positions.

    Raises:
        InvalidInput: another shape, or a value that is not finite.
    """
    if positions is None:
        given = as_numbers(states, "states") if not isinstance(states, np.ndarray) else states
        if given.ndim != 2 or given.shape[1] != 2:
            return None
        if given.dtype in (np.float32, np.float16) and given.size and np.spacing(np.abs(given).max()) > COARSE:
            return None
        return np.array(given, dtype=np.float64)
    array = np.array(as_numbers(positions, f"{what}s"))
    if array.shape != (count, 2):
        raise InvalidInput(f"{what}s have shape {array.shape}, expected ({count}, 2): (row, col) of each")
    _check_finite(array, what)
    return array


def check_world(world: object) -> None:
    """Raise InvalidInput unless `world` is None or says how much room there is, as `Surroundings` does."""
    for step in ("room", "sweep_room"):
        if world is not None and not callable(getattr(type(world), step, None)):
            raise InvalidInput(f"world is a {type(world).__name__}, expected a map with {step}(), such as a World")


def _check_finite(states: Float32 | Float64, what: str) -> None:
    finite = np.isfinite(states)
    if not finite.all():
        row = int(np.argwhere(~finite)[0, 0])
        raise InvalidInput(f"{what} {row} is {states[row].tolist()}, expected finite coordinates")


def _whole(name: str, values: Any) -> NDArray[Any]:
    """An array of whole numbers; InvalidInput where a cast to int32 would change one."""
    array = as_array(values, name)
    if array.dtype == np.int32 or not array.size:
        return array
    whole = array.dtype.kind in "iu" or (array.dtype.kind == "f" and bool(np.isfinite(array).all() and (array % 1 == 0).all()))
    if not whole or max(int(array.max()), -int(array.min())) > np.iinfo(np.int32).max:
        raise InvalidInput(f"{name} must be whole numbers that fit 32 bits, got {array.dtype}")
    return array


def _check_structure(graph: GraphParts) -> None:
    """Finite states, a CSR row pointer, heads that are nodes, ascend within each row and lead elsewhere."""
    n, m = len(graph.states), len(graph.indices)
    if graph.states.ndim != 2 or graph.states.shape[1] == 0:
        raise InvalidInput(f"states have shape {graph.states.shape}, expected (N, D) with at least one column")
    _check_finite(graph.states, "state")
    indptr, indices = graph.indptr, graph.indices
    if indptr.shape != (n + 1,) or indptr[0] != 0 or indptr[-1] != m or (indptr[1:] < indptr[:-1]).any():
        raise InvalidInput(f"indptr is not a CSR row pointer for {n} nodes and {m} edges")
    if m and (indices.min() < 0 or indices.max() >= n):
        raise InvalidInput(f"edge heads must be in 0..{n - 1}")
    tails = np.repeat(np.arange(n, dtype=np.int32), np.diff(indptr))
    loops = np.flatnonzero(indices == tails)
    if loops.size:
        raise InvalidInput(f"node {tails[loops[0]]} has an edge to itself, expected none: waiting needs no edge")
    unsorted = np.flatnonzero((np.diff(indices) <= 0) & (tails[1:] == tails[:-1]))
    if unsorted.size:
        raise InvalidInput(f"edge heads of node {tails[unsorted[0]]} do not ascend, or one is there twice")


def _check_values(graph: GraphParts) -> None:
    """One positive distance and one risk per edge, one risk of waiting per node."""
    n, m = len(graph.states), len(graph.indices)
    if graph.distance.shape != (m,) or graph.risk.shape != (m,) or graph.wait_risk.shape != (n,):
        raise InvalidInput(f"distance and risk need one value per edge ({m}), wait_risk one per node ({n})")
    if not ((graph.distance > 0).all() and np.isfinite(graph.distance).all()):
        raise InvalidInput("edge distances must be finite and positive")
    for name, values in (("risk", graph.risk), ("wait_risk", graph.wait_risk)):
        if not ((values >= 0).all() and np.isfinite(values).all()):
            raise InvalidInput(f"{name} must be finite and not negative")


def _check_rooms(graph: GraphParts) -> None:
    """A room for each node and each edge, or for none."""
    if (graph.node_room is None) != (graph.edge_room is None):
        raise InvalidInput("node_room and edge_room go together, expected both or neither")
    for name, room, count in (
        ("node_room", graph.node_room, len(graph.states)),
        ("edge_room", graph.edge_room, len(graph.indices)),
    ):
        if room is not None and (room.shape != (count,) or np.isnan(room).any()):
            raise InvalidInput(f"{name} has shape {room.shape}, expected ({count},) numbers, inf where nothing is near")


def _checked_names(names: Any, count: int) -> tuple[Hashable, ...] | None:
    """One name for each node, or None for one that has none; no two alike."""
    if names is None:
        return None
    try:
        listed = tuple(names)
        given = [name for name in listed if name is not None]
        distinct = len(set(given)) == len(given)
    except TypeError as error:
        raise InvalidInput(f"names of nodes must be hashable, such as text: {error}") from error
    if len(listed) != count or not distinct:
        raise InvalidInput(f"{len(listed)} names for {count} nodes, expected one each, all different, None for none")
    return listed


def _checked_logged(logged: Logged | None, count: int) -> Logged | None:
    """One row, one observation and one goal for each node, read-only."""
    if logged is None:
        return None
    if not isinstance(logged, tuple) or len(logged) != len(Logged._fields):
        raise InvalidInput(f"logged is {said(logged)}, expected rows, observations and goals of the nodes")
    rows, observations, goals = Logged(*logged)
    parts = Logged(np.asarray(rows, np.int64).view(), np.asarray(observations).view(), np.asarray(goals).view())
    for name, array in parts._asdict().items():
        if len(array) != count or (array.ndim != 1 if name == "rows" else array.ndim < 2):
            raise InvalidInput(f"logged {name} have shape {array.shape}, expected one for each of {count} nodes")
        array.setflags(write=False)
    return parts


def _check_shape(states: Float32, shape: Any) -> None:
    """(H, W) in whole cells, and every node inside."""
    if not (isinstance(shape, tuple) and len(shape) == 2 and all(isinstance(side, int) and side >= 0 for side in shape)):
        raise InvalidInput(f"shape is {said(shape)}, expected (H, W) or None")
    if len(states) and (states.shape[1] != 2 or (states < 0).any() or (states >= shape).any()):
        raise InvalidInput(f"nodes lie outside the grid of {shape[0]} x {shape[1]} cells")
