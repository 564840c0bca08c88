"""The part of navigation that all problems of a world share: nodes, edges and what pruning keeps of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from navplan.graph.critics import EdgeCritics
from navplan.graph.lanes import LaneCritics
from navplan.graph.nodes import coverage_nodes
from navplan.graph.state_graph import StateGraph
from navplan.navigation.checkpoint import Checkpoint
from navplan.navigation.result import FEWEST_NODES, MOST_NODES, Method, Options

if TYPE_CHECKING:
    from navplan.scenarios.scenario import Scenario


@dataclass(frozen=True, eq=False)
class Roadmap:
    """A state graph before starts and goals are attached.

    Attributes:
        base: all edges within reach.
        safe: those that pruning by risk keeps; `base` itself for a method that does not prune.
        max_risk: the limit of pruning, None for a method that does not prune.
    """

    base: StateGraph
    safe: StateGraph
    max_risk: float | None = None

    @property
    def pruned_edges(self) -> int:
        """How many edges were left out as unsafe."""
        return self.base.num_edges - self.safe.num_edges


def build_roadmap(scenario: Scenario, critics: Checkpoint, method: Method, options: Options) -> Roadmap:
    """Choose nodes among the checkpoint's states, weigh the edges, prune.

    Args:
        method: with the options' choices applied (`Options.applied`); what it says of nodes and edges is looked at.
        options: `max_distance`, `max_risk` and `seed` are.

    Raises:
        InvalidInput: a limit that makes no sense.
    """
    pool = np.asarray(critics.states)
    by_size = min(max(round(scenario.world.height * scenario.world.width), FEWEST_NODES), MOST_NODES)
    count = by_size if method.graph_nodes is None else method.graph_nodes
    nodes = coverage_nodes(pool, min(count, len(pool)), np.random.default_rng(options.seed), method.nodes)
    reach = min(scenario.max_distance, method.reach) if options.max_distance is None else options.max_distance
    base = StateGraph.from_states(nodes, edge_critics(scenario, critics, method), max_distance=reach)
    if not method.prune:
        return Roadmap(base, base)
    max_risk = scenario.max_risk if options.max_risk is None else options.max_risk
    return Roadmap(base, base.prune(max_risk=max_risk), max_risk)


def edge_critics(scenario: Scenario, critics: Checkpoint, method: Method) -> EdgeCritics:
    """What weighs the edges of `method`: `critics` themselves, or lanes of them."""
    if method.lane == 0:
        return critics
    return LaneCritics(critics, method.lane, (scenario.world.height, scenario.world.width))
