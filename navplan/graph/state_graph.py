"""StateGraph: states as nodes, directed edges in CSR arrays with a distance and a risk each.

Where the numbers come from (a grid, a roadmap, learned critics) is no business of the planners.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import FileFormatError, InvalidInput, UnknownName
from navplan.graph.critics import EdgeCritics
from navplan.graph.grid import grid_parts
from navplan.graph.limits import EdgeLimits, Weight
from navplan.graph.parts import GraphParts, Surroundings, check_world, checked
from navplan.graph.positions import Position
from navplan.graph.room import HALF_CELL, Room, fits, frozen, measured
from navplan.system.arrays import Bool, Float32, Float64, Int32, Int64
from navplan.system.numbers import as_flags, check_beta, check_choice, check_flag, check_radius, check_whole
from navplan.system.progress import Progress

if TYPE_CHECKING:
    from navplan.graph.prepared import PreparedGraph


@dataclass(frozen=True, eq=False)
class StateGraph:
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

    def __post_init__(self) -> None:
        for name, part in checked(self.parts)._asdict().items():
            object.__setattr__(self, name, part)

    @property
    def parts(self) -> GraphParts:
        """The fields, in their order; rooms that nobody has asked for yet are None."""
        fields = {name.removeprefix("_"): value for name, value in self.__dict__.items()}
        return GraphParts(**{name: fields[name] for name in GraphParts._fields})

    @classmethod
    def _of(cls, parts: GraphParts) -> StateGraph:
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
            >>> StateGraph.from_grid(np.zeros((3, 3), bool)).has_room(1.5)[0].sum()
            np.int64(1)
        """
        check_radius(radius)
        if self.fits_everywhere(radius):
            return np.ones(self.num_nodes, np.bool_), np.ones(self.num_edges, np.bool_)
        return fits(self.node_room, radius), fits(self.edge_room, radius)

    def fitting(self, radius: float) -> StateGraph:
        """The same nodes with the edges that have room for a disc of this radius; the graph itself where all have."""
        nodes, edges = self.has_room(radius)
        if nodes.all() and edges.all():
            return self
        tails = np.repeat(np.arange(self.num_nodes), np.diff(self.indptr))
        mask = edges if nodes.all() else edges & nodes[tails] & nodes[self.indices]
        return self if mask.all() else self.keep(mask)

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

    def prepare(
        self, *, beta: float = 0.0, weight: Weight = "cost", landmarks: int = 16, progress: Progress = None
    ) -> PreparedGraph:
        """What many searches on this graph share: weights, the graph turned round, landmarks; distance tables as they are built.

        For `solve`, `shortest_path` and `distances`, which then do no work that grows with the graph.

        Args:
            beta, weight: what an edge costs, see `weights`; costs that are asked for later are prepared then.
            landmarks: how many; each costs two searches from one node to all, and 8 bytes a node.
            progress: who is told how far it is; see `navplan.system.progress.Progress`.

        Raises:
            InvalidInput: a value that makes no sense.
        """
        from navplan.graph.prepared import prepare

        return prepare(self, beta, weight, landmarks, progress)

    @classmethod
    def from_grid(cls, walls: Bool, *, world: Surroundings | None = None) -> StateGraph:
        """The 4-connected unit grid of the free cells of `walls` ((H, W) bool, True = wall); ids in row-major order.

        Rooms are measured in `world`, where the cells were laid over obstacles of another form; else to the walls themselves.

        Example:
            >>> StateGraph.from_grid(np.zeros((2, 2), bool)).num_edges
            8
        """
        return cls._of(grid_parts(walls)._replace(world=world))

    def cells(self) -> Int64:
        """(N, 2) integer (row, col) of each node of a grid graph."""
        if not self.is_grid:
            raise InvalidInput("a state graph has no cells; use states")
        return np.floor(self.states).astype(np.int64)

    @classmethod
    def from_states(
        cls,
        states: ArrayLike,
        critics: EdgeCritics,
        max_distance: float = 7.0,
        max_risk: float = math.inf,
        *,
        max_speed: float = 1.0,
        goal_tolerance: float = 0.5,
        screen: bool = True,
        max_neighbors: int | None = None,
        max_pairs: int | None = None,
        batch: int = 8192,
        position: Position = None,
        world: Surroundings | None = None,
        progress: Progress = None,
    ) -> StateGraph:
        """A state graph weighed by critics: edge i -> j when its distance is below `max_distance` and its risk below `max_risk`.

        Both values come from one call of ``critics.evaluate`` per block of pairs. Only pairs that pass the screen described at
        `EdgeLimits` are evaluated, so the cost grows with the edges and not with N**2. ``wait_risk`` is the learned cost of going
        from a state to itself, which takes one step.

        Args:
            states: (N, D) finite numbers; two columns are positions in cells.
            critics: weighs pairs of states; see `navplan.graph.critics.EdgeCritics`.
            max_distance: environment steps.
            max_risk: cumulative cost.
            max_speed: most cells per axis that one environment step can move.
            goal_tolerance: cells from a goal that count as reached.
            screen: False evaluates all N * (N - 1) pairs, `max_pairs` or not.
            max_neighbors: most candidates per node; see `EdgeLimits`.
            max_pairs: when more pairs than this pass the screen, every node is held to ``max_pairs // N`` candidates, as if given
                as `max_neighbors`. None: up to 3,000 states every pair that passes is evaluated, and of more states 48 candidates
                each, so that time grows with them and not with their square. States without positions all pass; near are then
                those whose numbers are.
            batch: pairs per call of the critics; bounds the memory.
            position: (N, 2) positions of states that have other columns, or what gives them: (N, D) states -> (N, 2).
            world: a map (`navplan.scenarios.worlds.world.World`) to measure the rooms in; without it only the critics know walls.
            progress: who is told how far it is; see `navplan.system.progress.Progress`.

        Raises:
            InvalidInput: a state is not finite (the row is named), a limit makes no sense, or the critics return NaN.
        """
        from navplan.graph.build import build

        check_flag(screen=screen)
        if max_pairs is not None:
            check_whole(max_pairs=max_pairs)
        limits = EdgeLimits(max_distance, max_risk, max_speed if screen else math.inf, goal_tolerance, max_neighbors)
        how: dict[str, Any] = {"position": position, "world": world, "progress": progress}
        parts = build(states, critics, limits, max_pairs=max_pairs, whole=not screen, batch=batch, **how)
        return cls._of(parts)

    def keep(self, mask: Bool, limits: EdgeLimits | None = None) -> StateGraph:
        """The same nodes with the edges at which `mask` ((M,) bool) is True.

        Args:
            mask: one value per edge.
            limits: the rule that these edges obey; None: the present one.
        """
        mask = as_flags(mask, "the values of mask")
        if mask.shape != self.indices.shape:
            raise InvalidInput(f"mask has shape {mask.shape}, expected ({self.num_edges},): one value for each edge")
        kept_before = np.concatenate([[0], np.cumsum(mask)])
        parts = self.parts
        return StateGraph._of(
            parts._replace(
                indptr=kept_before[self.indptr].astype(np.int32),
                indices=self.indices[mask],
                distance=self.distance[mask],
                risk=self.risk[mask],
                limits=self.limits if limits is None else limits,
                edge_room=None if parts.edge_room is None else parts.edge_room[mask],
            )
        )

    def prune(self, max_risk: float | None = None, max_distance: float | None = None) -> StateGraph:
        """The same nodes with the edges whose risk is below `max_risk` and whose distance is below `max_distance`.

        The limits are remembered: edges attached later obey them too.
        """
        limits = (self.limits or EdgeLimits()).tightened(max_risk, max_distance)
        return self.keep(limits.admit(self.distance, self.risk), limits)

    def attach(
        self,
        points: ArrayLike,
        critics: EdgeCritics,
        *,
        max_distance: float | None = None,
        max_risk: float | None = None,
        batch: int = 8192,
        position: Position = None,
        world: Surroundings | None = None,
    ) -> tuple[StateGraph, Int32]:
        """Add `points` as nodes, with edges from and to the old nodes and among themselves, by this graph's own limits.

        Equal points become distinct nodes. Costs O(points * neighbours), never N**2.

        Args:
            points: (P, D) finite numbers, as the graph's states.
            critics: those that the graph was built with.
            max_distance: replaces the remembered limit.
            max_risk: replaces the remembered limit.
            batch: pairs per call of the critics.
            position: as for `from_states`, where the graph has positions other than its states.
            world: the map, where the graph's rooms come from one that it no longer has (it was read from a file).

        Returns:
            The larger graph, old ids unchanged, and the (P,) int32 ids of the points.

        Raises:
            InvalidInput: a point is not finite, the graph is a grid, it carries no limits and none are given, or positions or the
                map are missing.
        """
        from navplan.graph.build import attach

        if self.is_grid:
            raise InvalidInput("points cannot be attached to a grid graph; its nodes are the free cells")
        if self.limits is None and max_distance is None:
            raise InvalidInput("the graph carries no limits (it was not built from critics): pass max_distance to attach")
        limits = self.limits or EdgeLimits()
        if max_distance is not None:
            limits = dataclasses.replace(limits, max_distance=max_distance)
        if max_risk is not None:
            limits = dataclasses.replace(limits, max_risk=max_risk)
        check_world(world)
        parts = self.parts._replace(world=self.world if world is None else world)
        larger = StateGraph._of(attach(parts, points, critics, limits, batch=batch, position=position))
        return larger, np.arange(self.num_nodes, larger.num_nodes, dtype=np.int32)

    def node(self, name: Hashable) -> int:
        """The id of the node of this name.

        Raises:
            UnknownName: there is none; the message suggests the nearest.
        """
        names = self.names or ()
        if name is None or name not in names:
            raise UnknownName("node", str(name), [str(known) for known in names if known is not None])
        return names.index(name)

    def to_networkx(self, beta: float = 0.0, weight: Weight = "cost") -> Any:
        """A ``networkx.DiGraph`` over ids 0..N-1.

        Nodes carry ``pos`` (a tuple: (row, col) where positions are known, else the state), ``state`` where that is something
        else, ``wait_risk`` and ``room``; edges ``distance``, ``risk``, ``room`` and ``weight``, which is
        ``distance + beta * risk``, or 1 with ``weight="hops"``; the graph carries ``shape`` and ``limits``.

        Example:
            >>> StateGraph.from_grid(np.zeros((1, 2), bool)).to_networkx().edges[0, 1]["weight"]
            1.0
        """
        from navplan.graph.exchange import to_networkx

        return to_networkx(self.measured(), self.weights(beta, weight))

    @classmethod
    def from_networkx(cls, graph: Any, *, weight: str | None = None) -> StateGraph:
        """The inverse of `to_networkx`; ids follow the order in which networkx lists the nodes, which are kept as `names`.

        Args:
            graph: any networkx graph; of parallel edges the least is taken. See `navplan.graph.exchange`.
            weight: attribute of edges that is their distance, such as "length"; None: "distance", or else "weight".
        """
        from navplan.graph.exchange import from_networkx

        return cls._of(from_networkx(graph, weight))

    def save(self, path: str | Path) -> None:
        """Write an ``.npz`` file atomically; the same graph gives the same bytes."""
        from navplan.graph.files import save

        save(self.measured(), path)

    @classmethod
    def load(cls, path: str | Path) -> StateGraph:
        """Read what `save` wrote.

        Raises:
            FileFormatError: the file is truncated, foreign, of another version or contradicts itself.
            FileAccessError: the file cannot be read.
        """
        from navplan.graph.files import load

        parts = load(path)
        try:
            return cls._of(parts)
        except InvalidInput as error:
            raise FileFormatError(path, str(error)) from error
