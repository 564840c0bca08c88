"""The statement of a planning task, independent of the world it came from."""

from __future__ import annotations

import dataclasses
import itertools
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from navplan.errors import InvalidProblem
from navplan.graph.limits import Weight
from navplan.graph.room import fits
from navplan.graph.state_graph import StateGraph
from navplan.system.arrays import Bool, Float64, Int32, Int64
from navplan.system.numbers import as_array, as_flags, check_choice, check_kind
from navplan.system.words import said

_LARGEST = 1e9
# Sums of millions of costs stay finite, also where tables round them to float32.
LARGEST_COST = 1e15
# Positions must be told apart to this much (cells) where distances between agents count.
FINEST = 1e-7
# On a grid two agents that share no node and do not swap are never nearer than half a cell's diagonal.
GRID_CLEARANCE = math.sqrt(0.5)


class Fit(NamedTuple):
    """Where a body may be: what has room for its radius, without the edges (M,) that are forbidden to it."""

    radius: float
    forbidden: Bool | None


class NoRoom(InvalidProblem):
    """A start or goal without room for its agent's body."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Agents on a graph, each with a start and a goal.

    Time is discrete: a move along an edge, or a wait, takes one time step. An edge costs ``distance + beta * risk`` (1 with
    ``weight="hops"``); a wait at v before the agent's last arrival costs ``wait_cost + beta * wait_risk[v]`` (1 with hops).
    Agents stay at their goals for good and stay in the others' way.

    Attributes:
        graph: the graph, planned on as it is.
        starts, goals: (A,) int32 node ids, pairwise distinct each.
        radius: body radius in cells, for all or (A,) float64, one for each agent. Agents use nodes and edges that have room for
            them.
        clearance: least allowed distance between centres; 0 means vertex and swap conflicts only. None chooses twice the largest
            radius on state graphs; on grids the sum of the two largest, or 0 where that is at most sqrt(1/2), which vertex and
            swap conflicts guarantee.
        beta: weight of risk against distance.
        wait_cost: cost of one wait, before risk.
        weight: "cost" (distance and risk) or "hops".
        risk_budget: most that the risks of all agents' paths may add up to (waits before an agent's last arrival count their
            wait_risk), or None for no limit.
        identity: where the problem came from: file names with SHA-256, scenario name; copied into plan files.
        forbidden: for each agent (M,) bool, the edges of the graph that it may not use, or None where it may use all; None: no
            agent has any. Plan files do not hold them.
    """

    graph: StateGraph
    starts: Int32
    goals: Int32
    radius: float | Float64 = 0.25
    clearance: float | None = None
    beta: float = 0.0
    wait_cost: float = 1.0
    weight: Weight = "cost"
    risk_budget: float | None = None
    identity: Mapping[str, str] = field(default_factory=dict)
    forbidden: tuple[Bool | None, ...] | None = None

    def __post_init__(self) -> None:
        check_kind(self.graph, StateGraph, "graph", "a StateGraph", InvalidProblem)
        starts = _node_ids(self.starts, "start", self.graph.num_nodes)
        goals = _node_ids(self.goals, "goal", self.graph.num_nodes)
        if len(starts) != len(goals):
            raise InvalidProblem(f"{len(starts)} starts but {len(goals)} goals, expected one of each per agent")
        if len(starts) == 0:
            raise InvalidProblem("a problem needs at least one agent, got 0")
        object.__setattr__(self, "starts", starts)
        object.__setattr__(self, "goals", goals)
        object.__setattr__(self, "radius", _radius(self.radius, len(starts)))
        object.__setattr__(self, "forbidden", _masks(self.forbidden, len(starts), self.graph.num_edges))
        if self.clearance is None:
            object.__setattr__(self, "clearance", default_clearance(self.graph, self.radii))
        for name in ("clearance", "beta", "wait_cost"):
            value: Any = getattr(self, name)
            if isinstance(value, np.generic):
                value = value.item()
            if not (isinstance(value, int | float | Fraction) and 0 <= value <= _LARGEST):
                raise InvalidProblem(f"{name} is {said(value)}, expected a number that is not negative, at most {_LARGEST:g}")
            object.__setattr__(self, name, float(value))  # kernels are compiled for one type of number, and files hold no other
        budget: Any = self.risk_budget
        if budget is not None:
            if isinstance(budget, np.generic):
                budget = budget.item()
            if not (isinstance(budget, int | float | Fraction) and 0 <= budget <= sys.float_info.max):
                raise InvalidProblem(f"risk_budget is {said(budget)}, expected a number that is not negative, or None")
            object.__setattr__(self, "risk_budget", float(budget))
        check_choice("weight", self.weight, ("cost", "hops"), InvalidProblem)
        self._check_positions()
        self._check_costs()
        self._check_room()

    def _check_positions(self) -> None:
        """Where distances count there must be positions, and fine enough ones."""
        if self.spacing == 0.0:
            return
        places = self.graph.positions
        if places is None:
            columns = self.graph.states.shape[1]
            why = "float32 states too large to be positions" if columns == 2 else f"states of {columns} columns"
            text = f"the graph has {why} and no positions: give it positions=(N, 2) in float64, or clearance 0"
            raise InvalidProblem(f"a clearance of {self.spacing:g} is between positions, but {text}")
        farthest = self.graph.largest[3]
        step = float(np.spacing(farthest))
        if step > FINEST:
            raise InvalidProblem(
                f"positions reach {farthest:g}, where numbers are {step:.2g} apart, too coarse for a clearance of "
                f"{self.spacing:g}: shift the origin"
            )

    def _check_costs(self) -> None:
        """Sums of costs must be numbers."""
        if self.weight == "hops":
            return
        distance, risk, wait_risk, _ = self.graph.largest
        for what, dearest, riskiest in (("edge", distance, risk), ("wait", self.wait_cost, wait_risk)):
            top = dearest + self.beta * riskiest
            if not top <= LARGEST_COST:
                text = f"up to {top:g}, distance + beta * risk with beta {self.beta:g}; expected at most {LARGEST_COST:g}"
                raise InvalidProblem(f"{what}s cost {text}, so that sums stay exact enough")

    def _check_room(self) -> None:
        """Every agent must fit where it starts and where it ends."""
        if self.graph.fits_everywhere(float(self.radii.max())):
            return
        nodes = np.stack([self.starts, self.goals], axis=1)
        rooms = self.graph.room_at(nodes)
        for agent, end in np.argwhere(~fits(rooms, self.radii[:, None])).tolist():
            place = f"its {('start', 'goal')[end]}, node {nodes[agent, end]}"
            has = f"has room for radius {rooms[agent, end]:.6g}"
            raise NoRoom(f"agent {agent}: {place}, {has}, its body has {self.radii[agent]:g}")

    @property
    def radii(self) -> Float64:
        """(A,) float64 radius of each agent's body."""
        return np.broadcast_to(np.asarray(self.radius, np.float64), self.starts.shape)

    def fitted(self) -> Problem:
        """The same problem on what has room for any of its bodies; itself where all has."""
        return self.on(self.graph.fitting(float(self.radii.min())))

    def on(self, graph: StateGraph) -> Problem:
        """The same problem on a part of its graph: the same nodes, some of the edges."""
        if graph is self.graph:
            return self
        if self.forbidden is None:
            return dataclasses.replace(self, graph=graph)
        kept = np.isin(_edge_keys(self.graph), _edge_keys(graph))
        masks = tuple(None if mask is None else mask[kept] for mask in self.forbidden)
        return dataclasses.replace(self, graph=graph, forbidden=masks)

    def bodies(self) -> tuple[Int32, tuple[Fit, ...]]:
        """Bodies that may be in different places: (A,) int32 which one each agent has, and where each fits.

        Radii between which no node and no edge makes a difference are one body, as large as the largest of them; agents with
        one radius and the same forbidden edges have one body.
        """
        sized, sizes = self._sizes()
        masks: Sequence[Bool | None] = self.forbidden or [None] * self.num_agents
        found: dict[tuple[int, bytes], tuple[int, Fit]] = {}
        body = np.empty(self.num_agents, np.int32)
        for agent, mask in enumerate(masks):
            key = int(sized[agent]), b"" if mask is None else mask.tobytes()
            body[agent] = found.setdefault(key, (len(found), Fit(sizes[key[0]], mask)))[0]
        return body, tuple(fit for _, fit in found.values())

    @property
    def masked(self) -> bool:
        """Whether some agents may use other edges than others, or none of them all."""
        _, fits = self.bodies()
        return len(fits) > 1 or fits[0].forbidden is not None

    def closed(self, fit: Fit) -> Bool:
        """(M,) bool: the edges of the graph that a body may not use, for want of room or because they are forbidden."""
        nodes, edges = self.graph.has_room(fit.radius)
        open_edges = edges & np.repeat(nodes, np.diff(self.graph.indptr)) & nodes[self.graph.indices]
        return ~open_edges if fit.forbidden is None else ~open_edges | fit.forbidden

    def _sizes(self) -> tuple[Int32, tuple[float, ...]]:
        """(A,) int32 which size each agent has, and the radius of each, as `bodies` tells them apart."""
        if isinstance(self.radius, float):
            return np.zeros(self.num_agents, np.int32), (self.radius,)
        sizes = np.unique(self.radii)
        rooms = [self.graph.has_room(float(size)) for size in sizes]
        counts = [(int(nodes.sum()), int(edges.sum())) for nodes, edges in rooms]
        body = np.cumsum([0, *(after != before for before, after in itertools.pairwise(counts))])
        largest = tuple(float(sizes[body == k].max()) for k in range(int(body[-1]) + 1))
        return body[np.searchsorted(sizes, self.radii)].astype(np.int32), largest

    @property
    def num_agents(self) -> int:
        """A."""
        return len(self.starts)

    @property
    def spacing(self) -> float:
        """The clearance as a plain float, its default filled in."""
        assert self.clearance is not None  # set in __post_init__
        return self.clearance

    @property
    def risk_limit(self) -> float:
        """The risk budget, inf where there is none."""
        return math.inf if self.risk_budget is None else float(self.risk_budget)

    def edge_weights(self) -> Float64:
        """(M,) float64 cost of each edge; the graph's own read-only distances where risk has no price."""
        if self.weight == "cost" and self.beta == 0.0:
            return self.graph.distance
        return self.graph.weights(self.beta, self.weight)

    def wait_weights(self) -> Float64:
        """(N,) float64 cost of one wait at each node."""
        if self.weight == "hops":
            return np.ones(self.graph.num_nodes)
        return self.wait_cost + self.beta * self.graph.wait_risk


def _edge_keys(graph: StateGraph) -> Int64:
    """(M,) int64 a number for each edge that is its own whatever other edges there are; ascending."""
    tails = np.repeat(np.arange(graph.num_nodes, dtype=np.int64), np.diff(graph.indptr))
    return tails * graph.num_nodes + graph.indices


def _masks(masks: Any, agents: int, edges: int) -> tuple[Bool | None, ...] | None:
    """One read-only mask or None for each agent; None where no edge is forbidden to anybody."""
    if masks is None:
        return None
    check_kind(masks, (list, tuple), "forbidden", "a sequence of masks or None, one for each agent", InvalidProblem)
    if len(masks) != agents:
        raise InvalidProblem(f"forbidden has {len(masks)} masks for {agents} agents, expected one for each, or None")
    made: list[Bool | None] = []
    for agent, mask in enumerate(masks):
        if mask is None:
            made.append(None)
            continue
        flags = np.array(as_flags(mask, f"agent {agent}: the forbidden edges", error=InvalidProblem))
        if flags.shape != (edges,):
            raise InvalidProblem(
                f"agent {agent}: the forbidden edges have shape {flags.shape}, expected ({edges},), one for each edge"
            )
        flags.setflags(write=False)
        made.append(flags if flags.any() else None)
    return tuple(made) if any(mask is not None for mask in made) else None


def default_clearance(graph: StateGraph, radii: Float64) -> float:
    """The clearance of bodies of these radii (A,) where none is given, see `Problem`."""
    largest = np.sort(radii)[::-1]
    if not graph.is_grid:
        return 2.0 * float(largest[0])
    together = float(largest[:2].sum()) if len(largest) > 1 else 0.0
    return 0.0 if together <= GRID_CLEARANCE else together


def _radius(value: object, agents: int) -> float | Float64:
    """A plain number, or (A,) float64."""
    given = as_array(value, "radius", InvalidProblem)
    wanted = f"expected a number that is not negative, at most {_LARGEST:g}, or one for each of {agents} agents"
    if given.dtype.kind not in "iuf" or given.shape not in ((), (agents,)):
        raise InvalidProblem(f"radius is {said(value)}, {wanted}")
    array = np.array(given, dtype=np.float64)
    wrong = np.atleast_1d(~((array >= 0) & (array <= _LARGEST)))
    if wrong.any():
        agent = int(np.flatnonzero(wrong)[0])
        shown = said(value) if array.ndim == 0 else f"{array[agent]:g} for agent {agent}"
        raise InvalidProblem(f"radius is {shown}, {wanted}")
    array.setflags(write=False)
    return float(array) if array.ndim == 0 else array


def _node_ids(values: Sequence[int] | Int32, what: str, num_nodes: int) -> Int32:
    array = as_array(values, f"{what}s", InvalidProblem)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise InvalidProblem(f"{what}s must be a flat array of integer node ids, got shape {array.shape}, {array.dtype}")
    for agent, node in enumerate(array.tolist()):
        if not 0 <= node < num_nodes:
            raise InvalidProblem(f"agent {agent}: {what} node {node} is not in 0..{num_nodes - 1}")
    seen: dict[int, int] = {}
    for agent, node in enumerate(array.tolist()):
        if node in seen:
            raise InvalidProblem(f"agents {seen[node]} and {agent} share {what} node {node}; {what}s must be distinct")
        seen[node] = agent
    return np.ascontiguousarray(array, dtype=np.int32)
