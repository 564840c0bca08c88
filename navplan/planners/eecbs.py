"""EECBS: focal search on both levels with estimates that learn, within a factor of the optimum."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from navplan.errors import InvalidInput, InvalidProblem
from navplan.graph import StateGraph
from navplan.kernels import eecbs_low as low
from navplan.kernels import eecbs_tree as high
from navplan.kernels.status import BUDGET, EXHAUSTED, FOUND, FULL
from navplan.plan import Plan, Status, make_plan
from navplan.planners.arena import GRID_CLEARANCE, SAME, check_count
from navplan.planners.base import Clock, Guarantee, OutOfTime, Prepared, Weighted, check_time_limit, distance_tables, freeze
from navplan.problem import Problem

# Low-level expansions of one kernel call, about 10 ms.
SLICE = 10_000


@dataclass(frozen=True, slots=True)
class EECBS:
    """Explicit Estimation CBS (Li, Ruml, Koenig 2021): a plan proved to be within `suboptimality` of the optimum.

    Of the conflict-tree nodes it expands the one with the fewest conflicts whose estimated solution is cheap enough; the
    estimates learn online what a conflict costs. The low level avoids the other agents' paths within its allowance, which
    agents may share (`flexible`, Chan et al. 2022).
    """

    name: ClassVar[str] = "eecbs"
    guarantee: ClassVar[Guarantee] = "bounded"
    max_agents: ClassVar[int | None] = None
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs; clearance 0"
    about: ClassVar[str] = "explicit estimation CBS: within a factor (1.2) of the optimum, hundreds of agents"

    suboptimality: float = 1.2
    """Largest allowed ratio of the plan's sum of costs to the optimum, at least 1."""
    time_limit: float | None = None
    """Wall seconds for one plan, None for no limit."""
    max_nodes: int | None = None
    """Conflict-tree nodes to expand before giving up (status unsolved), None for no limit."""
    flexible: bool = False
    """Agents may spend what others leave of their allowance; without, each path is within the factor by itself."""
    greed: float = 0.1
    """Among states with equally few conflicts, how much the low level prefers those near the goal, at least 0."""

    def __post_init__(self) -> None:
        if not (isinstance(self.suboptimality, int | float) and 1.0 <= self.suboptimality < math.inf):
            raise InvalidInput(f"EECBS.suboptimality is {self.suboptimality!r}, expected a number of at least 1")
        check_time_limit("EECBS.time_limit", self.time_limit)
        check_count("EECBS.max_nodes", self.max_nodes)
        if not (isinstance(self.greed, int | float) and 0.0 <= self.greed < math.inf):
            raise InvalidInput(f"EECBS.greed is {self.greed!r}, expected a number of at least 0")

    def prepare(self, graph: StateGraph) -> Prepared:
        """Reverse the graph."""
        return Prepared.of(graph)

    def plan(self, problem: Problem, state: Prepared, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`; no choice is random.

        Raises:
            InvalidProblem: a clearance that needs more than nodes and swaps to be kept.
        """
        if problem.spacing > 0.0 and not (problem.graph.is_grid and problem.spacing <= GRID_CLEARANCE):
            raise InvalidProblem(
                f"planner eecbs avoids shared nodes and swaps only, but the clearance is {problem.spacing:g}; "
                "use ecbs, or clearance 0"
            )
        began = time.perf_counter()
        clock = Clock(deadline)
        forest: Forest | None = None
        status: Status = "unsolved"
        paths: list[NDArray[np.int32]] = []
        try:
            weighted = Weighted.of(problem, state)
            tables = distance_tables(weighted, problem.goals, clock)
            reason = _unreachable(problem, tables)
            if reason:
                status = "infeasible"
            else:
                forest = Forest(problem, weighted, tables, self)
                found = forest.run(clock, self.max_nodes)
                if found == FOUND:
                    status, paths = "bounded", forest.paths()
                elif found == EXHAUSTED:
                    status, reason = "infeasible", "every way of resolving the agents' conflicts leaves one without a path"
                else:
                    reason = f"node limit of {self.max_nodes} reached{forest.progress()}"
        except OutOfTime:
            status = "timeout"
            reason = "time limit reached" + (forest.progress() if forest else " while the distance tables were built")
        except KeyboardInterrupt:
            reason = "interrupted" + (forest.progress() if forest else " while the distance tables were built")
        return _finish(problem, status, paths, forest, reason, time.perf_counter() - began)


class Forest:
    """Memory of one planning run, and the loop around the kernel that enlarges it.

    Attributes:
        ground, traffic, search, tree: arrays for the kernels, replaced when they must grow.
        lower_bound: proved so far for the sum of costs.
    """

    def __init__(self, problem: Problem, weighted: Weighted, tables: NDArray[np.float64], options: EECBS) -> None:
        agents, nodes = tables.shape
        starts, goals = problem.starts.copy(), problem.goals.copy()
        freeze(starts, goals)
        forward = weighted.forward
        self.ground = low.Ground(forward.indptr, forward.indices, forward.weights, weighted.waits, tables, starts, goals)
        self._alone = float(np.sum(tables[np.arange(agents), starts]))
        hops = float(tables[np.arange(agents), starts].max()) if weighted.unit else 64.0
        owner = np.full(nodes, -1, np.int32)
        owner[goals] = np.arange(agents, dtype=np.int32)
        self.traffic = _make_traffic(agents, nodes, int(hops * 1.1) + 32, owner)
        self.search = _make_search(nodes, 4 * nodes + 1024, 1024, self.traffic.head.shape[0])
        self.search.reals[low.MIN_STEP] = weighted.min_step
        self.search.reals[low.GREED] = options.greed
        self.tree = _make_tree(agents, agents + 1024, agents * 64 + 65536, 1024)
        self.tree.reg[high.PHASE] = high.ROOT
        self.tree.reg[high.SIDE] = -1
        self.tree.reg[high.CURRENT] = -1
        self.tree.reg[high.ALONE] = not options.flexible
        self.tree.val[high.FACTOR] = float(options.suboptimality)
        self.tree.val[high.BOUND] = self._alone
        self._count = agents

    @property
    def lower_bound(self) -> float:
        """Proved so far for the sum of costs."""
        return max(self._alone, float(self.tree.val[high.BOUND]))

    @property
    def stats(self) -> dict[str, float]:
        """Counts for the plan."""
        reg = self.tree.reg
        return {
            "expanded": int(reg[high.EXPANDED]),
            "generated": max(0, int(reg[high.NODES]) - self._count + 1),
            "bypassed": int(reg[high.BYPASSED]),
            "low_level_searches": int(reg[high.SEARCHES]),
            "low_level_expanded": int(self.search.ints[low.EXPANDED]),
        }

    def progress(self) -> str:
        """How far it came, for a plan's reason."""
        expanded = int(self.tree.reg[high.EXPANDED])
        return f" after {expanded} conflict-tree nodes; no solution costs less than {self.lower_bound:g}"

    def run(self, clock: Clock, max_nodes: int | None) -> int:
        """FOUND, EXHAUSTED, or BUDGET when `max_nodes` were expanded.

        Raises:
            OutOfTime: the deadline passed on the way.
        """
        while True:
            clock.check()
            limit = -1 if max_nodes is None else max_nodes
            status = int(high.run_tree(self.ground, self.traffic, self.search, self.tree, SLICE, limit))
            if status == FULL:
                self._grow()
            elif status != BUDGET:
                return status
            elif max_nodes is not None and self.tree.reg[high.EXPANDED] >= max_nodes:
                return BUDGET

    def paths(self) -> list[NDArray[np.int32]]:
        """The paths of the current tree node."""
        tree = self.tree
        found: dict[int, NDArray[np.int32]] = {}
        at = int(tree.reg[high.CURRENT])
        while at >= 0 and len(found) < self._count:
            agent, start = int(tree.agent[at]), int(tree.start[at])
            if agent not in found:
                found[agent] = tree.pool[start : start + int(tree.length[at])].copy()
            at = int(tree.parent[at])
        return [found[agent] for agent in range(self._count)]

    def _grow(self) -> None:
        need = int(self.tree.reg[high.NEED])
        nodes = len(self.search.first)
        if need == high.STATES:
            old = self.search
            grown = _make_search(nodes, 2 * len(old.node), len(old.rule_node), len(old.later) - 2)
            # the search begins again, but knows which rules to forget
            kept = ("first", "rule_node", "rule_kind", "rule_from", "rule_step", "rule_next", "ints", "reals")
            self.search = grown._replace(**{name: getattr(old, name) for name in kept})
            self.search.ints[low.EPOCH] = 0
            self.tree.reg[high.PHASE] = high.ROOT if self.tree.reg[high.SIDE] < 0 else high.CHILD
        elif need == high.TREE_NODES:
            self.tree = _wider(self.tree, _PER_NODE, 2 * len(self.tree.parent))
            rules = ("rule_node", "rule_kind", "rule_from", "rule_step", "rule_next")
            self.search = _wider(self.search, rules, max(len(self.search.rule_node), len(self.tree.parent)))
        elif need == high.PATHS:
            self.tree = _wider(self.tree, ("pool",), 2 * len(self.tree.pool))
        elif need == high.CONFLICT_LIST:
            room = max(2 * len(self.tree.clashes), int(self.tree.conflicts[self.tree.reg[high.CURRENT]]))
            clashes = np.empty((room, 6), np.int32)
            clashes[: len(self.tree.clashes)] = self.tree.clashes
            self.tree = self.tree._replace(clashes=clashes)
        else:
            old_traffic = self.traffic
            agents, steps = old_traffic.link.shape
            wanted = max(steps + steps // 2, int(self.search.step[self.search.ints[low.RESULT]]) + 8)
            traffic = _make_traffic(agents, nodes, wanted, old_traffic.owner)
            traffic.head[:steps] = old_traffic.head
            traffic.link[:, :steps] = old_traffic.link
            traffic.at[:, :steps] = old_traffic.at
            self.traffic = traffic._replace(arrival=old_traffic.arrival, rest=old_traffic.rest)
            self.search = _wider(self.search, ("later",), wanted + 2)


_PER_NODE = (
    "parent",
    "agent",
    "start",
    "length",
    "path_cost",
    "path_bound",
    "cost",
    "bound",
    "estimate",
    "conflicts",
    "kind",
    "node",
    "tail",
    "step",
    "closed",
    *(f"{which}_{what}" for which in ("clean", "open", "focal", "wait") for what in ("keys", "ties", "items")),
)


def _wider(group: Any, names: tuple[str, ...], room: int) -> Any:
    """`group` with the named arrays made `room` long."""
    new = {}
    for name in names:
        old = getattr(group, name)
        new[name] = np.zeros(room, old.dtype)
        new[name][: len(old)] = old
    return group._replace(**new)


def _make_traffic(agents: int, nodes: int, steps: int, owner: NDArray[np.int32]) -> low.Traffic:
    return low.Traffic(
        head=np.full((steps, nodes), -1, np.int32),
        link=np.full((agents, steps), -1, np.int32),
        at=np.zeros((agents, steps), np.int32),
        arrival=np.full(agents, -1, np.int32),
        rest=np.full(nodes, low.NEVER, np.int32),
        owner=owner,
    )


def _make_search(nodes: int, states: int, rules: int, steps: int) -> low.Search:
    slots = 1 << (2 * states - 1).bit_length()
    heaps: dict[str, Any] = {}
    for name in ("open", "focal", "wait"):
        heaps[f"{name}_keys"] = np.empty(states + 1)
        heaps[f"{name}_items"] = np.empty(states + 1, np.int32)
    return low.Search(
        node=np.empty(states, np.int32),
        step=np.empty(states, np.int32),
        parent=np.empty(states, np.int32),
        conflicts=np.empty(states, np.int32),
        cost=np.empty(states),
        key=np.empty(states),
        mark=np.empty(states, np.uint8),
        focal_ties=np.empty(states + 1),
        slot_epoch=np.zeros(slots, np.int32),
        slot=np.empty(slots, np.int32),
        first=np.full(nodes, -1, np.int32),
        rule_node=np.empty(rules, np.int32),
        rule_kind=np.empty(rules, np.int32),
        rule_from=np.empty(rules, np.int32),
        rule_step=np.empty(rules, np.int32),
        rule_next=np.empty(rules, np.int32),
        later=np.zeros(steps + 2, np.int32),
        ints=np.zeros(12, np.int64),
        reals=np.zeros(5),
        **heaps,
    )


def _make_tree(agents: int, nodes: int, pool: int, conflicts: int) -> high.Tree:
    kinds: dict[str, Any] = {"start": np.int64, "kind": np.int8, "closed": np.uint8}
    floats = ("path_cost", "path_bound", "cost", "bound", "estimate")
    arrays: dict[str, Any] = {}
    for name in _PER_NODE:
        real = name in floats or name.endswith(("keys", "ties"))
        arrays[name] = np.zeros(nodes, np.float64 if real else kinds.get(name, np.int32))
    return high.Tree(
        pool=np.empty(pool, np.int32),
        clashes=np.empty((conflicts, 6), np.int32),
        shown=np.full(agents, -1, np.int32),
        wanted=np.zeros(agents, np.int32),
        stamp=np.zeros(agents, np.int32),
        reg=np.zeros(22, np.int64),
        val=np.zeros(5),
        **arrays,
    )


def _unreachable(problem: Problem, tables: NDArray[np.float64]) -> str:
    """Which agent cannot reach its goal even alone; empty when all can."""
    lost = np.flatnonzero(np.isinf(tables[np.arange(problem.num_agents), problem.starts]))
    if not lost.size:
        return ""
    agent = int(lost[0])
    more = f" (nor can {lost.size - 1} others)" if lost.size > 1 else ""
    ends = f"from node {problem.starts[agent]} to node {problem.goals[agent]}"
    return f"agent {agent} cannot reach its goal: no way {ends}{more}"


def _finish(
    problem: Problem, status: Status, paths: list[NDArray[np.int32]], forest: Forest | None, reason: str, seconds: float
) -> Plan:
    """The Plan; optimal where the bound has met the cost."""
    bound = forest.lower_bound if forest is not None and status != "infeasible" else None
    stats = forest.stats if forest is not None else {"expanded": 0, "generated": 0}
    if paths and bound is not None:
        cost = make_plan(problem, "eecbs", status, paths).sum_of_costs
        assert cost is not None
        if cost <= bound * (1.0 + SAME):
            status, bound = "optimal", cost
    return make_plan(problem, "eecbs", status, paths, lower_bound=bound, runtime_s=seconds, reason=reason, stats=stats)
