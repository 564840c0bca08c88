"""What a state graph holds, and what is read off it: the fields of `navplan.graph.state_graph.StateGraph`."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from navplan.errors import InvalidInput
from navplan.graph.limits import EdgeLimits, Weight
from navplan.graph.parts import GraphParts, Logged, Surroundings, checked
from navplan.graph.room import HALF_CELL, Room, fits, frozen, measured
from navplan.system.arrays import Bool, Float32, Float64, Int32, Int64
from navplan.system.numbers import check_beta, check_choice, check_radius


@dataclass(frozen=True, eq=False)
class GraphFields:
    """A directed graph over states.

    Attributes:
        states: (N, D) float32 in cell units. Grid nodes are cell centres, (row + 0.5, col + 0.5).
        indptr: (N + 1,) int32 CSR row starts.
        indices: (M,) int32 edge heads, ascending within a row, no self-loops (waiting is implicit).
        distance: (M,) float64 environment steps per edge, > 0.
        risk: (M,) float64 cumulative cost per edge, >= 0.
        wait_risk: (N,) float64 cost of one step on the spot.
        shape: (H, W) of the grid map that the nodes are the free cells of, or None for a state graph.
        limits: the rule that the edges obey, or None where none is known.
        positions: (N, 2) float64 (row, col), or None where they are not known. Two-column states are positions (as they were
            given, before rounding) unless others are given; with other states they must be given, or there is no clearance and
            no screening. `dataclasses.replace` with other states needs other positions too, or ``positions=None``.
        node_room: (N,) float64 radius of the largest disc whose centre may stand at the node without reaching into an obstacle or
            over the map's edge; -1 where not even a point may, inf where no map was given. Worked out when first asked for.
        edge_room: (M,) float64 the same for moving straight along the edge.
        world: the map that the rooms are measured in, or None; a grid's is its own cells. Files keep the rooms, not the world.
        names: what each node is called where the graph came from, None for a node without; or None. See `node`.
        logged: the observation that each node is, where the graph came from logs; or None.
    """

    states: Float32
    indptr: Int32
    indices: Int32
    distance: Float64
    risk: Float64
    wait_risk: Float64
    shape: tuple[int, int] | None = None
    limits: EdgeLimits | None = None
    positions: Float64 | None = None
    node_room: Float64 = Room()  # type: ignore[assignment]  # noqa: RUF009 - a descriptor
    edge_room: Float64 = Room()  # type: ignore[assignment]  # noqa: RUF009
    world: Surroundings | None = None
    names: tuple[Hashable, ...] | None = None
    logged: Logged | None = None

    def __post_init__(self) -> None:
        for name, part in checked(self.parts)._asdict().items():
            object.__setattr__(self, name, part)

    @property
    def parts(self) -> GraphParts:
        """The fields, in their order; rooms that nobody has asked for yet are None."""
        fields = {name.removeprefix("_"): value for name, value in self.__dict__.items()}
        return GraphParts(**{name: fields[name] for name in GraphParts._fields})

    @classmethod
    def _of(cls, parts: GraphParts) -> Self:
        fields: dict[str, Any] = parts._asdict()
        return cls(**fields)

    def measured(self) -> GraphParts:
        """The fields for a file: with rooms where the others do not say them already, whether anybody asked for them or not."""
        return measured(self)

    @property
    def num_nodes(self) -> int:
        """N."""
        return len(self.states)

    @property
    def num_edges(self) -> int:
        """M, directed."""
        return len(self.indices)

    @property
    def rows(self) -> Int64 | None:
        """(N,) int64 rows of the dataset that the nodes are, -1 for those attached later; None without logs."""
        return None if self.logged is None else self.logged.rows

    @property
    def observations(self) -> NDArray[Any]:
        """(N, …) what is observed at each node: as it was logged, or else the state."""
        return self.states if self.logged is None else self.logged.observations

    @property
    def goals(self) -> NDArray[Any]:
        """(N, G) what of each observation a goal is; what a follower is given to go to a node."""
        return self.states if self.logged is None else self.logged.goals

    @property
    def is_grid(self) -> bool:
        """True when the nodes are the free cells of a grid map."""
        return self.shape is not None

    @cached_property
    def places(self) -> Float64:
        """(N, 2) float64 positions, or where there are none the (N, D) states: what plans and pictures show of a node."""
        return frozen(self.states.astype(np.float64)) if self.positions is None else self.positions

    @cached_property
    def largest(self) -> tuple[float, float, float, float]:
        """The largest distance and risk of an edge, risk of a wait, and coordinate of a place from the origin; 0 without any."""
        values = self.distance, self.risk, self.wait_risk, np.abs(self.places)
        return tuple(float(each.max(initial=0.0)) for each in values)  # type: ignore[return-value]  # four

    @cached_property
    def walls(self) -> Literal["map", "learned"]:
        """Where it is known from how much room there is: a map, or only what the critics have learned."""
        given = self.__dict__["_node_room"]
        measured = self.is_grid or self.world is not None or (given is not None and bool(np.isfinite(given).any()))
        return "map" if measured else "learned"

    def fits_everywhere(self, radius: float) -> bool:
        """True where it is plain without measuring that a disc of this radius has room: it stays within the cells of a grid."""
        return self.is_grid and radius <= HALF_CELL and self.__dict__["_node_room"] is None

    def room_at(self, nodes: Int32) -> Float64:
        """`node_room` of some nodes, of any shape, without measuring all where a world is there to measure in."""
        if self.__dict__["_node_room"] is None and self.world is not None and self.positions is not None:
            return self.world.room(self.positions[nodes]).reshape(nodes.shape)
        return self.node_room[nodes]

    def has_room(self, radius: float) -> tuple[Bool, Bool]:
        """(N,) and (M,) bool: nodes and edges with room for a disc of this radius.

        Example:
            >>> from navplan.graph.state_graph import StateGraph
            >>> StateGraph.from_grid(np.zeros((3, 3), bool)).has_room(1.5)[0].sum()
            np.int64(1)
        """
        check_radius(radius)
        if self.fits_everywhere(radius):
            return np.ones(self.num_nodes, np.bool_), np.ones(self.num_edges, np.bool_)
        return fits(self.node_room, radius), fits(self.edge_room, radius)

    def weights(self, beta: float = 0.0, weight: Weight = "cost") -> Float64:
        """(M,) float64 edge costs: ``distance + beta * risk``, or 1 per edge with ``weight="hops"``.

        Raises:
            InvalidInput: a negative beta, or a cost that is too large for a number.
        """
        check_choice("weight", weight, ("cost", "hops"))
        if weight == "hops":
            return np.ones(self.num_edges)
        check_beta(beta)
        with np.errstate(over="ignore", invalid="ignore"):
            costs: Float64 = self.distance + beta * self.risk if beta else self.distance.copy()
        if costs.size and not math.isfinite(costs.max()):
            raise InvalidInput(f"distance + beta * risk overflows with beta {beta:g}, expected finite costs")
        return costs
