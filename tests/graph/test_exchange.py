"""networkx graphs of other programs: multigraphs, names, other attributes."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import navplan as nv
from navplan.scenarios.formats.geojson import read_graph_geojson, write_graph_geojson
from tests.support.critics import FieldCritics


def streets() -> nx.MultiDiGraph:
    """As osmnx makes them: x and y, lengths, parallel streets."""
    graph = nx.MultiDiGraph()
    for name, (x, y) in {"dock": (0, 0), "hall": (5, 0), "gate": (5, 4)}.items():
        graph.add_node(name, x=x, y=y)
    graph.add_edge("dock", "hall", length=9.0, risk=0.0)
    graph.add_edge("dock", "hall", length=5.0, risk=2.0)
    graph.add_edge("dock", "hall", length=5.0, risk=1.0)
    graph.add_edge("hall", "gate", length=4.0)
    return graph


def test_of_parallel_edges_the_least_is_taken_and_names_are_kept() -> None:
    ours = nv.StateGraph.from_networkx(streets(), weight="length")
    assert ours.names == ("dock", "hall", "gate")
    assert ours.states.tolist() == [[0, 0], [0, 5], [4, 5]]
    assert (ours.indices.tolist(), ours.distance.tolist(), ours.risk.tolist()) == ([1, 2], [5.0, 4.0], [1.0, 0.0])
    plan = nv.solve(nv.Problem(ours, [ours.node("dock")], [ours.node("gate")]), "astar")
    assert plan.sum_of_costs == 9.0
    with pytest.raises(nv.UnknownName, match="unknown node 'hal': did you mean 'hall'"):
        ours.node("hal")
    with pytest.raises(nv.InvalidInput, match="edge 'dock' -> 'hall' has neither 'distance' nor 'weight'"):
        nv.StateGraph.from_networkx(streets())
    with pytest.raises(nv.InvalidInput, match="edge 'dock' -> 'hall' has no 'time'"):
        nv.StateGraph.from_networkx(streets(), weight="time")


def test_an_undirected_multigraph_goes_both_ways() -> None:
    graph = nx.MultiGraph()
    graph.add_nodes_from([(0, {"pos": (0, 0)}), (1, {"pos": (0, 1)})])
    graph.add_edge(0, 1, weight=3.0)
    graph.add_edge(1, 0, weight=2.0)
    ours = nv.StateGraph.from_networkx(graph)
    assert (ours.names, ours.distance.tolist()) == (None, [2.0, 2.0])


def test_names_survive_files_networkx_pruning_and_attaching(tmp_path: Path) -> None:
    ours = nv.StateGraph.from_networkx(streets(), weight="length")
    ours.save(tmp_path / "g.npz")
    write_graph_geojson(tmp_path / "g.geojson", ours)
    for other in (
        nv.StateGraph.load(tmp_path / "g.npz"),
        read_graph_geojson(tmp_path / "g.geojson"),
        nv.StateGraph.from_networkx(ours.to_networkx()),
        ours.prune(max_risk=9),
    ):
        assert other.names == ours.names
    larger, ids = ours.attach([[1, 1], [2, 2]], FieldCritics(), max_distance=2)
    assert larger.names == ("dock", "hall", "gate", None, None)
    assert larger.node("gate") == 2
    assert ids.tolist() == [3, 4]


def test_tuples_are_names_too(tmp_path: Path) -> None:
    graph = nx.grid_2d_graph(2, 2)
    for label in graph.nodes:
        graph.nodes[label]["pos"] = label
    nx.set_edge_attributes(graph, 1.0, "weight")
    ours = nv.StateGraph.from_networkx(graph)
    ours.save(tmp_path / "g.npz")
    assert nv.StateGraph.load(tmp_path / "g.npz").node((1, 0)) == ours.node((1, 0)) == 2


@pytest.mark.parametrize("names", [("a", "a", "b"), ("a",), (["a"], "b", "c")])
def test_names_that_are_none(names: object) -> None:
    ours = nv.StateGraph.from_networkx(streets(), weight="length")
    with pytest.raises(nv.InvalidInput, match="names"):
        nv.StateGraph(*(np.array(part) for part in ours.parts[:6]), names=names)  # type: ignore[arg-type, call-arg]
