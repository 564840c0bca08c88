"""The conflict tree that CBS and its relatives search, and what their planning calls have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from navplan.graph.prepared import PreparedGraph
from navplan.kernels.search.conflicts import first_too_close
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.attempt import attempt
from navplan.planners.base import Clock, Infeasible, check_reachable
from navplan.planners.cbs.agent_search import AgentSearch, Route, pack
from navplan.planners.cbs.conflicts import Conflict, ConflictFinder
from navplan.planners.cbs.constraints import Constraint
from navplan.planners.cbs.joint import JointResult, plan_jointly
from navplan.planners.cbs.pair_bounds import PairBounds
from navplan.planners.weighted import Weighted, distance_tables
from navplan.system.arrays import Float64, Int32

# A gap this small (cells) below the clearance is rounding, not a conflict.
ROUNDING = 1e-7


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the tree: what each agent must not do, and the paths planned under that.

    Attributes:
        constraints: per agent.
        routes: per agent.
        cost: sum of the routes' costs.
        bound: sum of the routes' lower bounds.
        conflicts: number of pairs and steps in conflict (at most `conflicts.PER_PAIR` steps of a pair).
    """

    constraints: tuple[frozenset[Constraint], ...]
    routes: tuple[Route, ...]
    cost: float
    bound: float
    conflicts: int

    def paths(self) -> list[Int32]:
        """Node ids per agent."""
        return [route.path for route in self.routes]


class Tree:
    """Makes nodes for one problem.

    Attributes:
        weighted, tables: the graph with its costs, and distances to the goals.
        low: the low level.
        conflicts: finds those of packed paths.
        pairs: lower bounds on the costs of two agents.
        clock: the deadline.
        lower_bound: proved so far for the sum of costs.
        expanded, generated: tree nodes.
        joint_expanded: joint states of all agents.
    """

    def __init__(self, problem: Problem, weighted: Weighted, tables: Float64, clock: Clock) -> None:
        self.problem = problem
        self.clearance = effective_clearance(problem)
        self.clock = clock
        self.low = AgentSearch(problem, weighted, tables, self.clearance, clock)
        self.conflicts = ConflictFinder(weighted.xy, self.clearance, problem.num_agents)
        self.pairs = PairBounds(problem, weighted, tables, self.clearance)
        self.lower_bound = float(sum(self.low.distance(agent) for agent in range(problem.num_agents)))
        self.expanded = 0
        self.generated = 0
        self.joint_expanded = 0
        self.weighted = weighted
        self.tables = tables

    def progress(self) -> str:
        """How far the search came, for a plan's reason."""
        return f" after {self.expanded} conflict-tree nodes; no solution costs less than {self.lower_bound:g}"

    def stats(self) -> dict[str, float]:
        """Counters for the plan."""
        return {
            "expanded": self.expanded,
            "joint_expanded": self.joint_expanded,
            "generated": self.generated,
            "low_level_searches": self.low.searches,
            "low_level_expanded": self.low.expanded,
            "low_level_generated": self.low.generated,
        }

    def jointly(self, capacity: int) -> JointResult:
        """All agents planned together, with `capacity` records."""
        problem = self.problem
        result = plan_jointly(self.weighted, problem.starts, problem.goals, self.tables, self.clearance, self.clock, capacity)
        self.joint_expanded += result.expanded
        return result

    def team_node(self, result: JointResult) -> Node:
        """A node without conflicts from paths that were planned together; its cost is proved."""
        routes = tuple(Route(path, 0.0, 0.0, 0) for path in result.paths)
        self.lower_bound = result.bound
        return Node((frozenset(),) * len(routes), routes, result.bound, result.bound, 0)

    def root(self, order: Iterable[int], w: float) -> Node | None:
        """Every agent alone, in `order`, avoiding those planned before where that is free; None if one has no path."""
        count = self.problem.num_agents
        routes: dict[int, Route] = {}
        for agent in order:
            extra = leftover(routes.values(), w)
            route = self.low.search(agent, (), pack([r.path for r in routes.values()]), w=w, extra=extra)
            if route is None:
                return None
            routes[agent] = route
        ordered = tuple(routes[agent] for agent in range(count))
        self.generated += 1
        return self._node((frozenset(),) * count, ordered, self.conflicts.count(pack([r.path for r in ordered])))

    def child(
        self,
        node: Node,
        paths: Int32,
        conflicts: Sequence[Conflict],
        agent: int,
        extra: Sequence[Constraint],
        w: float,
    ) -> Node | None:
        """`node` with `extra` for `agent`, which alone is planned again; None when it has no path left.

        Args:
            paths: the packed paths of `node`.
            conflicts: those of `node`.
        """
        constraints = node.constraints[agent].union(extra)
        left = leftover((r for other, r in enumerate(node.routes) if other != agent), w)
        route = self.low.search(agent, constraints, paths, agent, w, left)
        if route is None:
            return None
        self.generated += 1
        everyone = (*node.constraints[:agent], constraints, *node.constraints[agent + 1 :])
        routes = (*node.routes[:agent], route, *node.routes[agent + 1 :])
        if w > 1.0 and sum(w * r.bound - r.cost for r in routes) < 0.0:
            routes = self._economise(everyone, routes, w)
            return self._node(everyone, routes, self.conflicts.count(pack([r.path for r in routes])))
        kept = sum(agent not in (conflict.first, conflict.second) for conflict in conflicts)
        fresh = self.conflicts.count(pack([r.path for r in routes]), agent)
        return self._node(everyone, routes, kept + fresh)

    def _economise(
        self, constraints: tuple[frozenset[Constraint], ...], routes: tuple[Route, ...], w: float
    ) -> tuple[Route, ...]:
        """Plan those again that live on others' leftovers, until the sum is within w of the bounds again."""
        kept = list(routes)
        for agent in sorted(range(len(kept)), key=lambda k: w * kept[k].bound - kept[k].cost):
            if sum(w * route.bound - route.cost for route in kept) >= 0.0:
                break
            route = self.low.search(agent, constraints[agent], pack([r.path for r in kept]), agent, w)
            if route is not None:
                kept[agent] = route
        return tuple(kept)

    @staticmethod
    def _node(constraints: tuple[frozenset[Constraint], ...], routes: tuple[Route, ...], conflicts: int) -> Node:
        cost = float(sum(route.cost for route in routes))
        bound = float(sum(route.bound for route in routes))
        return Node(constraints, routes, cost, bound, conflicts)


def leftover(routes: Iterable[Route], w: float) -> float:
    """What `routes` cost less than w times their bounds, at least 0.

    Another agent may spend it and the sum stays within w (Chan et al. 2022).
    """
    if w == 1.0:
        return 0.0
    return max(0.0, sum(w * route.bound - route.cost for route in routes))


def effective_clearance(problem: Problem) -> float:
    """The problem's clearance less the rounding of its coordinates; 0 stays 0."""
    return problem.spacing - ROUNDING if problem.spacing > 2 * ROUNDING else problem.spacing


def check_apart(problem: Problem, xy: Float64) -> None:
    """Raise Infeasible where agents are too close at their starts or goals."""
    for what, nodes in (("start", problem.starts), ("goal", problem.goals)):
        i, j = first_too_close(xy, nodes, effective_clearance(problem))
        if i >= 0:
            gap = float(np.linalg.norm(xy[nodes[i]] - xy[nodes[j]]))
            raise Infeasible(f"agents {i} and {j} {what} {gap:.3g} apart, closer than the clearance {problem.spacing:g}")


def plan_by_tree(
    planner: str,
    problem: Problem,
    prepared: PreparedGraph,
    deadline: float | None,
    search: Callable[[Tree], Node | None],
) -> Plan:
    """Check what is impossible at once, build the tables, run `search` and turn its end into a Plan.

    Args:
        search: returns a node without conflicts, or None when the tree is exhausted; may raise OutOfTime and GaveUp.
    """
    with attempt(planner, problem, deadline) as run:
        check_apart(problem, prepared.xy)
        weighted = Weighted.of(problem, prepared, run.clock)
        tables = distance_tables(weighted, problem.goals, run.clock)
        check_reachable(problem, tables[np.arange(problem.num_agents), problem.starts])
        node = search(run.watch(Tree(problem, weighted, tables, run.clock)))
        if node is None:
            raise Infeasible("every way of resolving the agents' conflicts leaves one without a path")
        run.found(node.paths(), "bounded")
    return run.plan()
