from __future__ import annotations

import numpy as np
import pytest

from navplan.errors import InvalidInput
from navplan.graph.cut_off import disconnection_report
from navplan.graph.state_graph import StateGraph


def line(n: int, risk: list[float]) -> StateGraph:
    """A chain 0 <-> 1 <-> … of n nodes; `risk` per link."""
    tails = [t for i in range(n - 1) for t in (i, i + 1)]
    heads = [h for i in range(n - 1) for h in (i + 1, i)]
    order = np.lexsort((heads, tails))
    return StateGraph(
        states=np.stack([np.arange(n), np.zeros(n)], axis=1),
        indptr=np.concatenate([[0], np.cumsum(np.bincount(tails, minlength=n))]).astype(np.int32),
        indices=np.array(heads, np.int32)[order],
        distance=np.ones(len(heads)),
        risk=np.repeat(risk, 2)[order],
        wait_risk=np.zeros(n),
    )


def test_report_names_the_agents_that_pruning_cut_off() -> None:
    before = line(6, [0.1, 0.1, 9.0, 0.1, 9.0])
    after = before.prune(max_risk=1.0)
    report = disconnection_report(before, after, starts=[0, 0, 3], goals=[2, 4, 5])
    assert report.edges_removed == 4
    assert report.isolated.tolist() == [5]
    assert (report.components_before, report.components_after) == (1, 3)
    assert (report.largest_before, report.largest_after) == (6, 3)
    assert report.reachable_before.tolist() == [True, True, True]
    assert report.reachable_after.tolist() == [True, False, False]
    assert report.cut_off == report.unreachable == [1, 2]
    assert report.messages() == ["agent 1: goal cut off by pruning", "agent 2: goal cut off by pruning"]
    assert "4 of 10 edges" in report.summary()
    assert "agents cut off: 1, 2" in report.summary()


def test_report_tells_never_reachable_from_cut_off_and_sees_direction() -> None:
    one_way = StateGraph([[0, 0], [1, 0]], [0, 1, 1], [1], [1.0], [0.0], [0.0, 0.0])  # type: ignore[arg-type]
    report = disconnection_report(one_way, one_way.prune(max_risk=1.0), [0, 1, 1], [1, 0, 1])
    assert report.reachable_after.tolist() == [True, False, True]
    assert report.cut_off == []
    assert report.messages() == ["agent 1: goal unreachable"]
    assert report.components_after == 2


def test_report_refuses_other_nodes_and_bad_ids() -> None:
    graph = line(4, [0.0] * 3)
    with pytest.raises(InvalidInput, match="different nodes"):
        disconnection_report(graph, line(3, [0.0] * 2))
    with pytest.raises(InvalidInput, match="node ids"):
        disconnection_report(graph, graph, [0], [4])
    with pytest.raises(InvalidInput, match="same length"):
        disconnection_report(graph, graph, [0, 1], [2])
    assert disconnection_report(graph, graph).messages() == []
