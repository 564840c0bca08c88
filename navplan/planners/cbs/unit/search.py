"""The conflict tree where every move and wait costs 1 and clearance is 0, as on grids, with symmetry reasoning and pair weights.

A pair of agents is cardinal when their decision diagrams hold no two paths without a conflict. It is split where the diagrams
run dry (mutex reasoning, Zhang et al. 2022), at the ends of a corridor, or at a goal (Li et al. 2021): no solution is lost, and
both children cost more. What conflicting pairs must pay, covered over all pairs, is the heuristic (WDG, Li et al. 2019).
"""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING

from navplan.kernels.common.status import EXHAUSTED, FOUND
from navplan.planners.base import GaveUp
from navplan.planners.cbs.agent_search import Route
from navplan.planners.cbs.tree import Node, Tree
from navplan.planners.cbs.unit.corridors import Corridors
from navplan.planners.cbs.unit.diagrams import FOREVER, NOBODY, Bar, UnitLow
from navplan.planners.cbs.unit.node import Clash, Side, UnitNode
from navplan.planners.cbs.vertex_cover import cover
from navplan.system.arrays import Int32
from navplan.system.memory import uncollected

if TYPE_CHECKING:
    from navplan.planners.cbs.cbs import CBS

# Conflicts of one pair that are kept.
KEPT = 4
# Rises of a pair that are tried for being too little.
HEAVIEST = 4
# Times that all agents in conflict look for paths that meet fewer, at first.
ROUNDS = 10


class UnitSearch:
    """Best-first search by cost plus heuristic, then by conflicting pairs."""

    def __init__(self, tree: Tree, options: CBS) -> None:
        self._tree = tree
        self._options = options
        self._low = UnitLow(tree.problem, tree.weighted, tree.tables, tree.clock)
        self._corridors = Corridors(self._low, tree)
        self._open: list[tuple[int, int, int, bool, UnitNode]] = []
        self._pushed = 0

    def solve(self) -> Node | None:
        """A node without conflicts, or None when there is no solution."""
        with uncollected():
            try:
                return self._solve()
            finally:
                self._open.clear()
                self._low.forget()

    def _solve(self) -> Node | None:
        tree, options = self._tree, self._options
        attempt = Attempts(tree, options)
        root = self._root()
        if root is None:
            return None
        self._push(root.cost, root, estimated=False)
        while self._open:
            tree.clock.check()
            f, _, _, estimated, node = heapq.heappop(self._open)
            tree.lower_bound = max(tree.lower_bound, f)
            if not node.clashes:
                tree.lower_bound = node.cost
                self._count()
                return finished(node)
            if options.max_nodes is not None and tree.expanded >= options.max_nodes:
                raise GaveUp(f"node limit of {options.max_nodes} reached")
            self._expand(f, node, estimated)
            self._count()
            if attempt.due():
                ended, found = attempt.run()
                if ended:
                    return found
        return None

    def _count(self) -> None:
        self._tree.low.searches = self._low.searches
        self._tree.low.expanded = self._low.expanded

    def _push(self, f: int, node: UnitNode, *, estimated: bool) -> None:
        self._pushed += 1
        heapq.heappush(self._open, (f, len(node.clashes), -self._pushed, estimated, node))

    def _root(self) -> UnitNode | None:
        agents = len(self._low.starts)
        paths = [NOBODY] * agents
        clashes: dict[tuple[int, int], tuple[Clash, ...]] = {}
        for agent in range(agents):
            self._low.show(paths.copy())
            path = self._low.search(agent, frozenset())
            if path is None:
                return None
            self._low.make_room(len(path))
            clashes.update(self._clashes(agent, path))
            paths[agent] = path
        self._tree.generated += 1
        node = UnitNode((frozenset(),) * agents, tuple(paths), sum(len(path) - 1 for path in paths), clashes, {})
        for _ in range(ROUNDS if self._options.bypass else 0):
            before = node
            node = self._settled(node, sorted({agent for pair in node.clashes for agent in pair}))
            if node is before:
                break
        return node

    def _clashes(self, agent: int, path: Int32) -> dict[tuple[int, int], tuple[Clash, ...]]:
        """Those of `path` with the traffic."""
        found: dict[tuple[int, int], list[Clash]] = {}
        for other, time, swap in self._low.conflicts(path):
            rows = found.setdefault((min(agent, other), max(agent, other)), [])
            if len(rows) < KEPT:
                rows.append(Clash(time, bool(swap)))
        return {pair: tuple(rows) for pair, rows in found.items()}

    def _child(self, node: UnitNode, side: Side) -> UnitNode | None:
        """`node` with one side of a split; None when it leaves an agent without a path."""
        self._tree.generated += 1
        if side.limit < 0:
            return self._replanned(node, side.agent, side.bars)
        k, goal, limit = side.agent, self._low.goals[side.agent], side.limit
        child: UnitNode | None = node._replace(limits=node.limits | {k: min(limit, node.limits.get(k, limit))})
        bar = frozenset([Bar(goal, limit, FOREVER)])
        for agent, path in enumerate(node.paths):
            if agent == k or child is None or not self._low.passes(agent, node.bars[agent], len(path) - 1, goal, limit):
                continue
            if (path[limit:] == goal).any():
                child = self._replanned(child, agent, bar)
            else:
                bars = child.bars[agent] | bar
                child = child._replace(bars=(*child.bars[:agent], bars, *child.bars[agent + 1 :]))
        return child

    def _replanned(self, node: UnitNode, agent: int, extra: frozenset[Bar]) -> UnitNode | None:
        low = self._low
        bars = node.bars[agent] | extra
        least = len(node.paths[agent]) - 1
        while True:
            cost = low.cost(agent, bars, least)
            if cost is None or cost > node.limits.get(agent, FOREVER):
                return None
            more = {
                Bar(low.goals[k], limit, FOREVER)
                for k, limit in node.limits.items()
                if k != agent and low.passes(agent, bars, cost, low.goals[k], limit)
            }
            if more <= bars:
                break
            bars |= more
            least = cost
        others = [*node.paths[:agent], NOBODY, *node.paths[agent + 1 :]]
        low.show(others)
        path = low.search(agent, bars, cost)
        if path is None:
            return None
        # the traffic, and whoever meets it, must reach beyond every path
        low.make_room(len(path))
        node = node._replace(bars=(*node.bars[:agent], bars, *node.bars[agent + 1 :]))
        return self._with(node, agent, path)

    def _with(self, node: UnitNode, agent: int, path: Int32) -> UnitNode:
        """`node` with another path for an agent that is not in the traffic."""
        clashes = {pair: rows for pair, rows in node.clashes.items() if agent not in pair}
        clashes.update(self._clashes(agent, path))
        paths = (*node.paths[:agent], path, *node.paths[agent + 1 :])
        return node._replace(paths=paths, cost=node.cost - len(node.paths[agent]) + len(path), clashes=clashes)

    def _settled(self, node: UnitNode, agents: list[int]) -> UnitNode:
        """`node` with other paths, of the same costs, for those of `agents` that so meet others less often."""
        low = self._low
        for agent in agents:
            bars, cost = node.bars[agent], len(node.paths[agent]) - 1
            diagram = low.diagram(agent, bars, cost)
            if diagram is None:
                continue
            low.show([*node.paths[:agent], NOBODY, *node.paths[agent + 1 :]])
            path, _ = low.pick(diagram, cost)
            if len(low.conflicts(path)) < len(low.conflicts(node.paths[agent])):
                node = self._with(node, agent, path)
        return node

    def _expand(self, f: int, node: UnitNode, estimated: bool) -> None:
        tree = self._tree
        while True:
            if not node.clashes:
                self._push(f, node, estimated=True)
                return
            weights = {pair: self._weight(node, pair) for pair in node.clashes}
            if not estimated:
                better = max(f, node.cost + cover(weights))
                if better == math.inf:
                    return
                if better > f:
                    self._push(int(better), node, estimated=True)
                    return
            tree.expanded += 1
            adopted = self._split(f, node, self._choose(node, weights))
            if adopted is None:
                return
            node = adopted
            tree.clock.check()

    def _split(self, f: int, node: UnitNode, sides: tuple[Side, Side]) -> UnitNode | None:
        """Push both children, or return the one that replaces `node`."""
        children = []
        for side in sides:
            child = self._child(node, side)
            if child is None:
                continue
            if self._options.bypass:
                met = {agent for pair in child.clashes.keys() - node.clashes.keys() for agent in pair}
                child = self._settled(child, sorted(met - {side.agent}))
                if child.cost <= node.cost and len(child.clashes) < len(node.clashes):
                    return node._replace(paths=child.paths, clashes=child.clashes)
            children.append(child)
        for child in children:
            self._push(max(f, child.cost), child, estimated=False)
        return None

    # ------------------------------------------------------------------ pairs
    def _dead(self, node: UnitNode, pair: tuple[int, int]) -> int:
        i, j = pair
        return self._low.dead_level(
            (i, node.bars[i], len(node.paths[i]) - 1),
            (j, node.bars[j], len(node.paths[j]) - 1),
        )

    def _weight(self, node: UnitNode, pair: tuple[int, int]) -> float:
        """By how much two agents must cost more than now: 0 unless the pair is cardinal."""
        dead = self._dead(node, pair)
        if dead == -1:
            return 0.0
        i, j = pair
        now = len(node.paths[i]) + len(node.paths[j]) - 2
        least = self._low.least_pair(i, j) if self._tree.expanded >= self._options.joint_after else 0.0
        if least == math.inf:
            return math.inf
        weight = max(1 if dead >= 0 else 0, math.ceil(least - now - 1e-6))
        while 0 < weight < HEAVIEST and self._must_pay(node, pair, weight):
            weight += 1
        return weight

    def _must_pay(self, node: UnitNode, pair: tuple[int, int], rise: int) -> bool:
        """True when two agents cannot do with costing exactly `rise` more."""
        i, j = pair
        one, two = len(node.paths[i]) - 1, len(node.paths[j]) - 1
        for k in range(rise + 1):
            a, b = one + k, two + rise - k
            if a > node.limits.get(i, FOREVER) or b > node.limits.get(j, FOREVER):
                continue
            if self._low.dead_level((i, node.bars[i], a), (j, node.bars[j], b)) < 0:
                return False
        return True

    def _choose(self, node: UnitNode, weights: dict[tuple[int, int], float]) -> tuple[Side, Side]:
        """What to split on: what costs most first, then what may be resolved for one of the two only, then the earliest."""
        most = max(weights.values())
        best = max(
            (pair for pair, weight in weights.items() if weight == most),
            key=lambda pair: (self._narrow(node, pair), -node.clashes[pair][0].time, -pair[0], -pair[1]),
        )
        rows = node.clashes[best]
        for clash in rows:
            sides = self._at_goal(node, best, clash)
            if sides is not None:
                return sides
        if self._options.corridors:
            for clash in rows:
                bars = self._corridors.split(node, best, clash)
                if bars is not None:
                    return Side(best[0], bars[0]), Side(best[1], bars[1])
        if self._options.mutexes:
            found = self._cut(node, best, rows[0].time)
            if found is not None:
                return found
        clash = max(rows, key=lambda row: (self._singles(node, best, row), -row.time))
        one, two = (Side(agent, frozenset([self._plain(node.paths[agent], clash)])) for agent in best)
        return one, two

    def _narrow(self, node: UnitNode, pair: tuple[int, int]) -> int:
        return max(self._singles(node, pair, clash) for clash in node.clashes[pair])

    def _singles(self, node: UnitNode, pair: tuple[int, int], clash: Clash) -> int:
        """How many of the two cannot but be there."""
        count = 0
        for agent in pair:
            cost = len(node.paths[agent]) - 1
            diagram = self._low.diagram(agent, node.bars[agent], cost)
            if diagram is None:
                continue
            levels = range(clash.time - int(clash.swap), clash.time + 1)
            count += all(t > cost or diagram.first[t + 1] - diagram.first[t] == 1 for t in levels)
        return count

    @staticmethod
    def _plain(path: Int32, clash: Clash) -> Bar:
        v = int(path[min(clash.time, len(path) - 1)])
        return Bar(v, clash.time, clash.time, int(path[clash.time - 1]) if clash.swap else -1)

    @staticmethod
    def _at_goal(node: UnitNode, pair: tuple[int, int], clash: Clash) -> tuple[Side, Side] | None:
        """Either the agent at rest arrives for the last time later, or all others keep off its goal from then on."""
        for agent in pair:
            if not clash.swap and clash.time >= len(node.paths[agent]) - 1:
                return Side(agent, frozenset([Bar(-1, clash.time + 1, FOREVER)])), Side(agent, frozenset(), clash.time)
        return None

    def _cut(self, node: UnitNode, pair: tuple[int, int], since: int) -> tuple[Side, Side] | None:
        """Nodes that the agents are at, at one time, and as many more as cannot go together: all, if the diagrams run dry.

        A diagram tells where its agent can be up to its least cost; who would have arrived before must arrive later.
        """
        i, j = pair
        costs = len(node.paths[i]) - 1, len(node.paths[j]) - 1
        asked = (i, node.bars[i], costs[0]), (j, node.bars[j], costs[1])
        dead = self._low.dead_level(*asked)
        paths = node.paths[i], node.paths[j]
        cut = (
            self._low.cut(*asked, paths, since)
            if dead < 0
            else (dead, self._low.level(asked[0], dead), self._low.level(asked[1], dead))
        )
        if cut is None:
            return None
        time, *levels = cut
        one, two = (
            Side(agent, frozenset([Bar(-1, cost + 1, FOREVER)] if time >= cost else (Bar(v, time, time) for v in level)))
            for agent, cost, level in zip(pair, costs, levels, strict=True)
        )
        return one, two


class Attempts:
    """Plans all agents of a small problem jointly now and then, with more room each time."""

    FIRST, LAST = 1 << 15, 1 << 21

    def __init__(self, tree: Tree, options: CBS) -> None:
        self._tree = tree
        self._next: float = options.team_after if tree.problem.num_agents <= options.team else math.inf
        self._room = self.FIRST

    def due(self) -> bool:
        """True when the tree has grown enough for another attempt."""
        return self._tree.expanded >= self._next

    def run(self) -> tuple[bool, Node | None]:
        """Whether that ended the search, and the solution if there is one."""
        result = self._tree.jointly(self._room)
        if result.status == EXHAUSTED:
            return True, None
        if result.status == FOUND:
            return True, self._tree.team_node(result)
        self._tree.lower_bound = max(self._tree.lower_bound, result.bound)
        self._room *= 4
        self._next = 4 * (self._next + 1) if self._room <= self.LAST else math.inf
        return False, None


def finished(node: UnitNode) -> Node:
    """The node in the general form, without its constraints."""
    routes = tuple(Route(path, float(len(path) - 1), float(len(path) - 1), 0) for path in node.paths)
    return Node((frozenset(),) * len(routes), routes, float(node.cost), float(node.cost), 0)
