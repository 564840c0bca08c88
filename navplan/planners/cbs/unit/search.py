"""The conflict tree where every move and wait costs 1 and clearance is 0, as on grids, with symmetry reasoning and pair weights.

A pair of agents is cardinal when their decision diagrams hold no two paths without a conflict. It is split where the diagrams
run dry (mutex reasoning, Zhang et al. 2022), at the ends of a corridor, or at a goal (Li et al. 2021): no solution is lost, and
both children cost more. What conflicting pairs must pay, covered over all pairs, is the heuristic (WDG, Li et al. 2019).
"""

from __future__ import annotations

from navplan.planners.cbs.agent_search import Route
from navplan.planners.cbs.best_first import SearchOptions, Split, best_first
from navplan.planners.cbs.tree import Node, Tree
from navplan.planners.cbs.unit.corridors import Corridors
from navplan.planners.cbs.unit.node import Pair, UnitNode
from navplan.planners.cbs.unit.pairs import PairReasoning
from navplan.planners.cbs.unit.problem import UnitProblem
from navplan.planners.cbs.unit.tree import ROUNDS, UnitTree
from navplan.planners.cbs.vertex_cover import cover
from navplan.system.memory import uncollected


def search_units(tree: Tree, options: SearchOptions) -> Node | None:
    """A solution of least cost, or None when there is none; see `navplan.planners.cbs.best_first.best_first`."""
    problem = UnitProblem.of(tree.problem, tree.weighted, tree.tables, tree.clock)
    units = UnitTree(problem)
    with uncollected():
        try:
            return best_first(tree, UnitBranching(tree, units, options), options)
        finally:
            tree.generated += units.generated
            tree.low.searches += units.paths.searches
            tree.low.expanded += units.expanded
            units.forget()


class UnitBranching:
    """Cardinal pairs first, bypass, and a cover of the pairs' weights for the heuristic."""

    def __init__(self, tree: Tree, units: UnitTree, options: SearchOptions) -> None:
        corridors = Corridors(units.problem, tree.weighted.backward)
        self._tree = tree
        self._units = units
        self._options = options
        self._pairs = PairReasoning(units.diagrams, units.mutexes, corridors, tree.pairs, options)

    def root(self) -> UnitNode | None:
        """Every agent alone; with `bypass` those in conflict look for other paths."""
        return self._units.root(ROUNDS if self._options.bypass else 0)

    def look(self, node: UnitNode) -> dict[Pair, float]:
        """By how much each pair in conflict must cost more; planned jointly once the search has proved hard."""
        jointly = self._tree.expanded >= self._options.joint_after
        return {pair: self._pairs.weight(node, pair, jointly=jointly) for pair in node.clashes}

    def rise(self, node: UnitNode, look: dict[Pair, float]) -> float:
        """What the agents must pay so that each pair pays its weight."""
        return cover(look)

    def split(self, node: UnitNode, look: dict[Pair, float]) -> Split[UnitNode]:
        """At a goal, a corridor or where diagrams run dry; a child that costs no more and clashes less replaces the node."""
        units = self._units
        children = []
        for branch in self._pairs.choose(node, look):
            child = units.child(node, branch)
            if child is None:
                continue
            if self._options.bypass:
                met = {agent for pair in child.clashes.keys() - node.clashes.keys() for agent in pair}
                child = units.settled(child, met - {branch.agent})
                if child.cost <= node.cost and child.conflicts < node.conflicts:
                    return Split([], node._replace(paths=child.paths, clashes=child.clashes))
            children.append(child)
        return Split(children)

    def finished(self, node: UnitNode) -> Node:
        """The node in the general form, without its rules."""
        routes = tuple(Route(path, float(len(path) - 1), float(len(path) - 1), 0) for path in node.paths)
        return Node((frozenset(),) * len(routes), routes, float(node.cost), float(node.cost), 0)
