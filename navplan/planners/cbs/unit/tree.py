"""The conflict tree of unit costs: its root, and the children of its nodes."""

from __future__ import annotations

from collections.abc import Iterable

from navplan.planners.cbs.unit.diagrams import Diagrams
from navplan.planners.cbs.unit.mutexes import Mutexes
from navplan.planners.cbs.unit.node import Branch, Clash, Pair, UnitNode
from navplan.planners.cbs.unit.problem import UnitProblem
from navplan.planners.cbs.unit.rules import FOREVER, Rule, RulesInForce
from navplan.planners.cbs.unit.shortest import ShortestPaths
from navplan.planners.cbs.unit.traffic import NOBODY, TrafficTable
from navplan.system.arrays import Int32

# Conflicts of one pair that are kept.
KEPT = 4
# Times that all agents in conflict look for paths that meet fewer, at first.
ROUNDS = 10


class UnitTree:
    """Makes nodes for one problem.

    Attributes:
        problem: the problem.
        diagrams, mutexes, paths, traffic: what the nodes are made with.
        generated: tree nodes.
    """

    def __init__(self, problem: UnitProblem) -> None:
        rules = RulesInForce(problem.nodes)
        agents = range(len(problem.starts))
        longest = int(max(problem.h[agent, problem.starts[agent]] for agent in agents))
        self.problem = problem
        self.traffic = TrafficTable(len(agents), problem.nodes, longest)
        self.diagrams = Diagrams(problem, rules)
        self.mutexes = Mutexes(self.diagrams, problem.nodes, problem.clock)
        self.paths = ShortestPaths(problem, rules, self.diagrams, self.traffic)
        self.generated = 0

    @property
    def expanded(self) -> int:
        """States and diagram nodes of the low level."""
        return self.paths.expanded + self.diagrams.built

    def forget(self) -> None:
        """Drop what is remembered."""
        for memory in (self.diagrams, self.mutexes, self.paths):
            memory.forget()

    def root(self, rounds: int = ROUNDS) -> UnitNode | None:
        """Every agent alone; None if one has no path.

        Args:
            rounds: times that agents in conflict look for paths that meet fewer, at most.
        """
        agents = len(self.problem.starts)
        paths = [NOBODY] * agents
        clashes: dict[Pair, tuple[Clash, ...]] = {}
        for agent in range(agents):
            self.traffic.show(paths.copy())
            path = self.paths.search(agent, frozenset())
            if path is None:
                return None
            self.traffic.make_room(len(path))
            clashes.update(self._clashes(agent, path))
            paths[agent] = path
        self.generated += 1
        node = UnitNode((frozenset(),) * agents, tuple(paths), sum(len(path) - 1 for path in paths), clashes, {})
        for _ in range(rounds):
            before = node
            node = self.settled(node, {agent for pair in node.clashes for agent in pair})
            if node is before:
                break
        return node

    def child(self, node: UnitNode, branch: Branch) -> UnitNode | None:
        """`node` with one branch of a split; None when it leaves an agent without a path."""
        self.generated += 1
        if branch.limit < 0:
            return self._replanned(node, branch.agent, branch.rules)
        k, goal, limit = branch.agent, self.problem.goals[branch.agent], branch.limit
        child: UnitNode | None = node._replace(limits=node.limits | {k: min(limit, node.limits.get(k, limit))})
        keep_off = frozenset([Rule(goal, limit, FOREVER)])
        for agent, path in enumerate(node.paths):
            if agent == k or child is None or not self.diagrams.passes(*node.asked(agent), goal, limit):
                continue
            if (path[limit:] == goal).any():
                child = self._replanned(child, agent, keep_off)
            else:
                rules = child.rules[agent] | keep_off
                child = child._replace(rules=(*child.rules[:agent], rules, *child.rules[agent + 1 :]))
        return child

    def settled(self, node: UnitNode, agents: Iterable[int]) -> UnitNode:
        """`node` with other paths, of the same costs, for those of `agents` that so meet others less often."""
        traffic = self.traffic
        for agent in sorted(agents):
            diagram = self.diagrams(*node.asked(agent))
            if diagram is None:
                continue
            traffic.show([*node.paths[:agent], NOBODY, *node.paths[agent + 1 :]])
            path, _ = self.paths.pick(diagram, node.steps(agent))
            if len(traffic.conflicts(path)) < len(traffic.conflicts(node.paths[agent])):
                node = self._with(node, agent, path)
        return node

    def _replanned(self, node: UnitNode, agent: int, extra: frozenset[Rule]) -> UnitNode | None:
        goals = self.problem.goals
        rules = node.rules[agent] | extra
        least = node.steps(agent)
        while True:
            cost = self.paths.cost(agent, rules, least)
            if cost is None or cost > node.limit(agent):
                return None
            more = {
                Rule(goals[k], limit, FOREVER)
                for k, limit in node.limits.items()
                if k != agent and self.diagrams.passes(agent, rules, cost, goals[k], limit)
            }
            if more <= rules:
                break
            rules |= more
            least = cost
        self.traffic.show([*node.paths[:agent], NOBODY, *node.paths[agent + 1 :]])
        path = self.paths.search(agent, rules, cost)
        if path is None:
            return None
        # the traffic, and whoever meets it, must reach beyond every path
        self.traffic.make_room(len(path))
        return self._with(node._replace(rules=(*node.rules[:agent], rules, *node.rules[agent + 1 :])), agent, path)

    def _with(self, node: UnitNode, agent: int, path: Int32) -> UnitNode:
        """`node` with another path for an agent that is not in the traffic."""
        clashes = {pair: rows for pair, rows in node.clashes.items() if agent not in pair}
        clashes.update(self._clashes(agent, path))
        paths = (*node.paths[:agent], path, *node.paths[agent + 1 :])
        return node._replace(paths=paths, cost=node.cost - len(node.paths[agent]) + len(path), clashes=clashes)

    def _clashes(self, agent: int, path: Int32) -> dict[Pair, tuple[Clash, ...]]:
        """Those of `path` with the traffic."""
        found: dict[Pair, list[Clash]] = {}
        for other, time, swap in self.traffic.conflicts(path):
            rows = found.setdefault((min(agent, other), max(agent, other)), [])
            if len(rows) < KEPT:
                rows.append(Clash(time, bool(swap)))
        return {pair: tuple(rows) for pair, rows in found.items()}
