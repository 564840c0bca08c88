"""State graphs: nodes, weighed and pruned edges, files; where distances come from, a map or a critic, makes no difference."""

from navplan.graph.limits import EdgeLimits, Weight
from navplan.graph.state_graph import StateGraph

__all__ = ["EdgeLimits", "StateGraph", "Weight"]
