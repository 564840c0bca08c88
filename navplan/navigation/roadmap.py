"""The part of navigation that all problems of a world share: nodes, edges and what pruning keeps of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from navplan.errors import InvalidInput
from navplan.graph.critics import EdgeCritics
from navplan.graph.lanes import LaneCritics
from navplan.graph.nodes import coverage_nodes
from navplan.graph.state_graph import StateGraph
from navplan.navigation.checkpoint import Checkpoint
from navplan.navigation.methods import GraphChoice, Method, Options
from navplan.system.numbers import as_numbers, check_whole

if TYPE_CHECKING:
    from navplan.scenarios.scenario import Scenario

FEWEST_NODES, MOST_NODES = 600, 3000


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
        scenario: its size and its limits of edges.
        critics: the checkpoint.
        method: with the options' choices applied (`Options.applied`); its graph is built.
        options: `seed` is looked at.

    Raises:
        InvalidInput: a limit that makes no sense.
    """
    choice, pool = method.graph, as_numbers(critics.states, "the critics' states", np.float32)
    if pool.ndim != 2:
        raise InvalidInput(f"the critics' states have shape {pool.shape}, expected (K, 2)")
    by_size = min(max(round(scenario.world.height * scenario.world.width), FEWEST_NODES), MOST_NODES)
    count = by_size if choice.graph_nodes is None else choice.graph_nodes
    check_whole(graph_nodes=count)
    nodes = coverage_nodes(pool, min(count, len(pool)), np.random.default_rng(options.seed), choice.nodes)
    reach = min(scenario.max_distance, choice.reach) if choice.max_distance is None else choice.max_distance
    base = StateGraph.from_states(nodes, edge_critics(scenario, critics, choice), max_distance=reach)
    if not choice.prune:
        return Roadmap(base, base)
    max_risk = scenario.max_risk if choice.max_risk is None else choice.max_risk
    return Roadmap(base, base.prune(max_risk=max_risk), max_risk)


def edge_critics(scenario: Scenario, critics: Checkpoint, choice: GraphChoice) -> EdgeCritics:
    """What weighs the edges: `critics` themselves, or lanes of them."""
    if choice.lane == 0:
        return critics
    return LaneCritics(critics, choice.lane, (scenario.world.height, scenario.world.width))
