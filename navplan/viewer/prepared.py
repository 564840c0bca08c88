"""What is computed once for a scene, whatever the size of its pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from navplan.graph.state_graph import StateGraph
from navplan.viewer.edges import EdgeTable, drawn_edges, edge_table, mesh_keys, pruned_table
from navplan.viewer.raster import Raster, rasterise
from navplan.viewer.scene import Scene


@dataclass(frozen=True, eq=False)
class PreparedScene:
    """Rasters and edge tables of one scene.

    Attributes:
        raster: the world, finely sampled.
        table: the graph's edges, both directions folded; None without a graph.
        gone: the edges that pruning took away; None where unknown.
        peak: upper end of the risk scale; 0 where no edge has any risk.
        counts: rows of the panel about the graph.
    """

    raster: Raster
    table: EdgeTable | None
    gone: EdgeTable | None
    peak: float
    counts: dict[str, str]

    @classmethod
    def of(cls, scene: Scene) -> PreparedScene:
        """Compute everything for `scene`."""
        table = gone = None
        if scene.graph is not None:
            table = edge_table(scene.graph)
            if scene.pruned is not None:
                gone = pruned_table(scene.graph, table, scene.pruned)
        return cls(rasterise(scene.world), table, gone, _risk_peak(scene.graph, table), _counts(scene, gone))


def _risk_peak(graph: StateGraph | None, table: EdgeTable | None) -> float:
    """The 98th percentile of the risks of the edges that pictures show, so that a few long ones do not bleach the rest."""
    if graph is None or table is None or not len(table.risk) or table.risk.max() <= 0:
        return 0.0
    nodes = np.arange(graph.num_nodes)
    shown = drawn_edges(table, graph.places, nodes, mesh_keys(graph.places, nodes))
    high = float(np.quantile(table.risk[shown], 0.98)) if len(shown) else 0.0
    return high if high > 0 else float(table.risk.max())


def _counts(scene: Scene, gone: EdgeTable | None) -> dict[str, str]:
    if scene.graph is None or scene.graph.is_grid:
        return {}
    rows = {"nodes": f"{scene.graph.num_nodes:,}", "edges": f"{scene.graph.num_edges:,}"}
    if gone is not None:
        rows["pairs pruned"] = f"{len(gone.key):,}"
    return rows
