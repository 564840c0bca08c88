"""Priority-Based Search: prioritised planning that finds out which priorities it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from navplan.graph.prepared import PreparedGraph
from navplan.kernels.search.reservation import first_clash, meetings, remove
from navplan.kernels.search.sipp import CHEAPEST, EXPANDED
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.attempt import attempt
from navplan.planners.base import Bodies, Clock, Guarantee, Planner
from navplan.planners.checks import check_count, check_time_limit
from navplan.planners.field import Field
from navplan.planners.priority.reservations import Arena
from navplan.system.arrays import Bool, Float64, Int32


@dataclass(frozen=True, slots=True)
class PBS(Planner):
    """Priority-Based Search (Ma et al. 2019): depth-first over partial orders of the agents, each conflict settled by a priority.

    Agents avoid those above them and, at equal cost, meet few others. Fast, near the optimum, and incomplete.
    """

    name: ClassVar[str] = "pbs"
    guarantee: ClassVar[Guarantee] = "none"
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs; clearance 0"
    about: ClassVar[str] = "Priority-Based Search: depth-first over priorities, near the optimum, may find nothing"
    any_clearance: ClassVar[bool] = False
    bodies: ClassVar[Bodies] = "edges"
    kernels: ClassVar[tuple[str, ...]] = ("navplan.kernels.search.sipp",)

    time_limit: float | None = 30.0
    """Wall seconds for one plan, None for no limit."""
    max_nodes: int | None = None
    """Nodes of the priority tree to expand before giving up (status unsolved), None for no limit."""

    def __post_init__(self) -> None:
        check_time_limit("PBS.time_limit", self.time_limit)
        check_count("PBS.max_nodes", self.max_nodes)

    def plan(self, problem: Problem, state: PreparedGraph, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`; no choice is random."""
        with attempt(self.name, problem, deadline, early=" after 0 nodes") as run:
            search = run.watch(PBSSearch(Arena(Field.of(problem, state, run.clock)), run.clock))
            paths = search.solve(self.max_nodes)
            if paths is not None:
                run.found(paths)
            elif search.stack:
                run.stop("gave up", f"node limit of {self.max_nodes} reached")
            else:
                run.stop("gave up", f"no priorities work, {search.expanded} nodes tried; the planner is incomplete")
        return run.plan()


@dataclass(frozen=True, slots=True)
class PriorityNode:
    """Paths under a partial order.

    Attributes:
        above: (A, A / 8) uint8, bit y of row x: y has priority over x; transitive.
        paths: per agent.
        costs: (A,) float64.
    """

    above: NDArray[np.uint8]
    paths: list[Int32]
    costs: Float64


class PBSSearch:
    """Depth-first search of the priority tree, the paths of the present node in one arena.

    Attributes:
        stack: nodes to expand.
        expanded, generated: nodes.
    """

    def __init__(self, arena: Arena, clock: Clock) -> None:
        self.stack: list[PriorityNode] = []
        self.expanded = 0
        self.generated = 0
        self._arena = arena
        self._clock = clock
        agents = len(arena.costs)
        self._loaded: list[Int32 | None] = [None] * agents
        self._marks = np.zeros(agents, np.int64)
        self._met = np.empty(agents, np.int32)
        self._stamp = 1

    def solve(self, max_nodes: int | None) -> list[Int32] | None:
        """Paths without conflicts, or None."""
        agents = len(self._loaded)
        nobody = np.zeros((agents, agents), bool)
        for agent in range(agents):
            self._replan(agent, nobody)
        self.stack.append(self._node(nobody))
        while self.stack:
            if max_nodes is not None and self.expanded >= max_nodes:
                return None
            self._clock.check()
            node = self.stack.pop()
            self._load(node)
            self.expanded += 1
            i, j = first_clash(self._arena.table, self._marks, self._stamp, self._met)
            self._stamp += agents
            if i < 0:
                return node.paths
            children = [child for low, high in ((i, j), (j, i)) if (child := self._child(node, int(low), int(high))) is not None]
            # the cheaper child is on top
            self.stack += sorted(children, key=lambda child: -float(child.costs.sum()))
        return None

    def _child(self, node: PriorityNode, low: int, high: int) -> PriorityNode | None:
        """`node` with `high` above `low`, those that this concerns planned again; None when one finds no path."""
        above = np.unpackbits(node.above, axis=1, count=len(self._loaded)).astype(bool)
        if above[high, low]:
            return None
        below = np.append(np.flatnonzero(above[:, low]), low)
        above[below] |= above[high]
        above[below, high] = True
        self._load(node)
        # whoever is above another has fewer above itself
        for agent in sorted(below.tolist(), key=lambda agent: int(above[agent].sum())):
            if (agent == low or self._meets(agent, above[agent])) and not self._replan(agent, above):
                return None
        return self._node(above)

    def _meets(self, agent: int, others: Bool) -> bool:
        count = meetings(self._arena.table, agent, self._marks, self._stamp, self._met)
        self._stamp += 1
        return bool(others[self._met[:count]].any())

    def _replan(self, agent: int, above: Bool) -> bool:
        arena = self._arena
        remove(arena.table, agent)
        self._loaded[agent] = None
        arena.work.hard[:] = above[agent]
        if not arena.plan(agent, CHEAPEST, self._clock):
            return False
        self._loaded[agent] = arena.path(agent)
        return True

    def _node(self, above: Bool) -> PriorityNode:
        self.generated += 1
        paths = [path for path in self._loaded if path is not None]
        return PriorityNode(np.packbits(above, axis=1), paths, self._arena.costs.copy())

    def _load(self, node: PriorityNode) -> None:
        """Bring the paths of `node` into the arena."""
        for agent, path in enumerate(node.paths):
            if self._loaded[agent] is not path:
                self._arena.put(agent, path, float(node.costs[agent]))
                self._loaded[agent] = path

    @property
    def lower_bound(self) -> float:
        """Proved for the sum of costs."""
        return self._arena.field.lower_bound

    def progress(self) -> str:
        """How far it came, for a plan's reason."""
        return f" after {self.expanded} nodes"

    def stats(self) -> dict[str, float]:
        """Counters for the plan."""
        low_level = int(self._arena.work.counts[EXPANDED])
        return {"expanded": self.expanded, "generated": self.generated, "low_level_expanded": low_level}
