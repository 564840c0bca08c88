"""StateGraph: states as nodes, directed edges in CSR arrays with a distance and a risk each.

Where the numbers come from (a grid, a roadmap, learned critics) is no business of the planners.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import FileFormatError, InvalidInput, UnknownName
from navplan.graph.critics import EdgeCritics
from navplan.graph.graph_fields import GraphFields
from navplan.graph.grid import grid_parts
from navplan.graph.limits import EdgeLimits, Weight
from navplan.graph.parts import Surroundings, check_world
from navplan.graph.positions import Position
from navplan.system.arrays import Bool, Int32, Int64
from navplan.system.numbers import as_flags, check_flag, check_whole
from navplan.system.progress import Progress

if TYPE_CHECKING:
    from navplan.graph.logged import EdgeRule, LoggedSteps
    from navplan.graph.prepared import PreparedGraph


@dataclass(frozen=True, eq=False)
class StateGraph(GraphFields):
    """A directed graph over states: made, cut, enlarged, kept in files. Its fields are those of `GraphFields`."""

    def fitting(self, radius: float) -> StateGraph:
        """The same nodes with the edges that have room for a disc of this radius; the graph itself where all have."""
        nodes, edges = self.has_room(radius)
        if nodes.all() and edges.all():
            return self
        tails = np.repeat(np.arange(self.num_nodes), np.diff(self.indptr))
        mask = edges if nodes.all() else edges & nodes[tails] & nodes[self.indices]
        return self if mask.all() else self.keep(mask)

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

    @classmethod
    def from_dataset(
        cls,
        data: LoggedSteps,
        critics: EdgeCritics | None,
        nodes: int = 1500,
        *,
        edges: EdgeRule = "data+critic",
        max_distance: float | None = None,
        max_risk: float = math.inf,
        quantile: float | None = None,
        steps: tuple[int, ...] | None = None,
        support: int = 2,
        both_ways: bool = True,
        price_luck: bool = True,
        seed: int = 0,
        world: Surroundings | None = None,
        progress: Progress = None,
    ) -> StateGraph:
        """A state graph of logged observations: vectors, images, anything that `critics` can weigh.

        Nodes are rows that cover the logs, see `navplan.graph.nodes`; each keeps its row and its observation. ``states`` are the
        critics' embedding where they have one, else what of an observation a goal is. With positions (`Dataset.position`) several
        agents can be planned for; without, clearance is refused.

        Args:
            data: `navplan.Dataset`.
            critics: weighs pairs (observation, goal); may embed, see `navplan.graph.critics.Embedding`. None for logs alone.
            nodes: how many.
            edges: "data": what was driven, see `navplan.graph.arcs`, at the steps that it took or that the critics say, whichever
                is more; "critic": pairs that the critics say are near; "data+critic": both, driven ones first.
            max_distance: steps of critics' edges, exclusive; None: twice the typical distance of neighbours.
            max_risk: cumulative cost of an edge, exclusive; the data must hold costs.
            quantile: of the steps that an arc took, from 0.5 to 1; None: their mean.
            steps: lengths of the windows in which arcs are looked for; None: about as long as it takes from a node to the next.
            support: logged observations that must lie between the ends of a critics' edge; 0 for none.
            both_ways: critics' edges only where the way back is one too.
            price_luck: what was jumped over costs what trying until it succeeds costs; False: what it took when it did.
            seed: of the choice of nodes.
            world: a map to measure rooms in, where positions are known.
            progress: who is told how far it is; see `navplan.system.progress.Progress`.

        Raises:
            InvalidInput: more nodes than observations, a rule that makes no sense, a limit on risk without costs, or the critics
                do not fit the observations.
        """
        from navplan.graph.logged import EdgeRules, from_logs

        rules = EdgeRules(edges, max_distance, max_risk, quantile, steps, support, both_ways, price_luck)
        return cls._of(from_logs(data, critics, nodes, rules, seed, world=world, progress=progress))

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
        goals: ArrayLike | None = None,
    ) -> tuple[StateGraph, Int32]:
        """Add `points` as nodes, with edges from and to the old nodes and among themselves, by this graph's own limits.

        Equal points become distinct nodes. Costs O(points * neighbours), never N**2.

        Args:
            points: (P, D) finite numbers, as the graph's states; where nodes are logged observations, (P, …) observations.
            critics: those that the graph was built with.
            max_distance: replaces the remembered limit.
            max_risk: replaces the remembered limit.
            batch: pairs per call of the critics.
            position: as for `from_states`, where the graph has positions other than its states.
            world: the map, where the graph's rooms come from one that it no longer has (it was read from a file).
            goals: (P, G) what of the observations a goal is, where that is not all.

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
        larger = StateGraph._of(attach(parts, points, critics, limits, batch=batch, position=position, goals=goals))
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
