"""What pruning cut off: edges and nodes lost, components, and the agents whose goals became unreachable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from navplan.errors import InvalidInput
from navplan.graph.state_graph import StateGraph
from navplan.system.arrays import Bool, Int32, Int64


@dataclass(frozen=True, eq=False)
class DisconnectionReport:
    """The difference that pruning made.

    Attributes:
        edges_before, edges_after: directed edges.
        isolated: (K,) int32 nodes that had an edge and have none any more.
        components_before, components_after: number of strongly connected components.
        largest_before, largest_after: nodes in the largest of them.
        reachable_before, reachable_after: (A,) bool, whether each agent's goal can be reached from its start.
    """

    edges_before: int
    edges_after: int
    isolated: Int32
    components_before: int
    components_after: int
    largest_before: int
    largest_after: int
    reachable_before: Bool
    reachable_after: Bool

    @property
    def edges_removed(self) -> int:
        """Directed edges that pruning took."""
        return self.edges_before - self.edges_after

    @property
    def cut_off(self) -> list[int]:
        """Agents whose goals were reachable before and are not any more."""
        return [int(agent) for agent in np.flatnonzero(self.reachable_before & ~self.reachable_after)]

    @property
    def unreachable(self) -> list[int]:
        """Agents whose goals cannot be reached now, whether pruning did it or not."""
        return [int(agent) for agent in np.flatnonzero(~self.reachable_after)]

    def messages(self) -> list[str]:
        """One line per agent that cannot reach its goal."""
        return [
            f"agent {agent}: goal cut off by pruning" if self.reachable_before[agent] else f"agent {agent}: goal unreachable"
            for agent in self.unreachable
        ]

    def summary(self) -> str:
        """One line for people."""
        agents = f"; agents cut off: {', '.join(map(str, self.cut_off))}" if self.cut_off else ""
        return (
            f"{self.edges_removed} of {self.edges_before} edges pruned, {len(self.isolated)} nodes isolated, "
            f"largest component {self.largest_before} -> {self.largest_after} nodes{agents}"
        )


def disconnection_report(
    before: StateGraph, after: StateGraph, starts: ArrayLike = (), goals: ArrayLike = ()
) -> DisconnectionReport:
    """Compare a graph with what pruning left of it.

    Args:
        before: the graph, starts and goals attached.
        after: the same nodes with fewer edges.
        starts, goals: (A,) node ids.

    Raises:
        InvalidInput: the graphs have different nodes, or the ids are not pairs of nodes.

    Example:
        >>> grid = StateGraph.from_grid(np.zeros((1, 3), bool))
        >>> disconnection_report(grid, grid.prune(max_distance=1), [0], [2]).messages()
        ['agent 0: goal cut off by pruning']
    """
    if before.states.shape != after.states.shape or not np.array_equal(before.states, after.states):
        raise InvalidInput("the graphs before and after pruning have different nodes; attach starts and goals to both")
    sources, targets = np.asarray(starts, dtype=np.int64), np.asarray(goals, dtype=np.int64)
    if sources.shape != targets.shape or sources.ndim != 1:
        raise InvalidInput(f"starts {sources.shape} and goals {targets.shape} must be flat and of the same length")
    named = np.concatenate([sources, targets])
    if ((named < 0) | (named >= before.num_nodes)).any():
        raise InvalidInput(f"starts and goals must be node ids in 0..{before.num_nodes - 1}")
    (count_before, largest_before), (count_after, largest_after) = _components(before), _components(after)
    return DisconnectionReport(
        edges_before=before.num_edges,
        edges_after=after.num_edges,
        isolated=np.flatnonzero((_degrees(before) > 0) & (_degrees(after) == 0)).astype(np.int32),
        components_before=count_before,
        components_after=count_after,
        largest_before=largest_before,
        largest_after=largest_after,
        reachable_before=_reachable(before, sources, targets),
        reachable_after=_reachable(after, sources, targets),
    )


def _matrix(graph: StateGraph) -> csr_array:
    shape = (graph.num_nodes, graph.num_nodes)
    return csr_array((np.ones(graph.num_edges), graph.indices.copy(), graph.indptr.copy()), shape=shape)


def _degrees(graph: StateGraph) -> Int64:
    """Edges from and to each node."""
    return np.diff(graph.indptr).astype(np.int64) + np.bincount(graph.indices, minlength=graph.num_nodes)


def _components(graph: StateGraph) -> tuple[int, int]:
    """Number of strongly connected components, and the size of the largest."""
    if graph.num_nodes == 0:
        return 0, 0
    count, labels = connected_components(_matrix(graph), directed=True, connection="strong")
    return int(count), int(np.bincount(labels).max())


def _reachable(graph: StateGraph, starts: Int64, goals: Int64) -> Bool:
    answers = np.zeros(len(starts), dtype=np.bool_)
    matrix = _matrix(graph)
    for start in np.unique(starts):
        seen = breadth_first_order(matrix, int(start), directed=True, return_predecessors=False)
        mine = starts == start
        answers[mine] = np.isin(goals[mine], seen)
    return answers
