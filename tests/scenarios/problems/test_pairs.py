from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import label

from navplan.graph.state_graph import StateGraph
from navplan.scenarios.problems.pairs import draw_pairs


@given(st.integers(0, 2**24 - 1), st.integers(1, 24), st.integers(0, 99))
def test_drawn_pairs_are_distinct_and_connected(bits: int, agents: int, seed: int) -> None:
    walls = np.array([(bits >> k) & 1 for k in range(24)], bool).reshape(4, 6)
    graph = StateGraph.from_grid(walls)
    if agents > graph.num_nodes:
        return
    starts, goals = draw_pairs(graph, agents, np.random.default_rng(seed))
    assert len(set(starts.tolist())) == len(set(goals.tolist())) == agents
    regions = label(~walls)[0][~walls]
    assert (regions[starts] == regions[goals]).all()
    sizes = np.bincount(regions)[regions]
    assert ((starts != goals) | (sizes[starts] == 1)).all()
    if (sizes > 1).sum() >= agents:
        assert (sizes[starts] > 1).all()  # nobody is walled in without need


def test_drawn_pairs_on_a_directed_graph_can_be_reached() -> None:
    # 0 -> 1 -> 2 -> 0 is strongly connected; 3 is only left, 4 only entered
    graph = StateGraph(
        states=np.arange(10, dtype=np.float32).reshape(5, 2),
        indptr=np.array([0, 1, 2, 4, 5, 5]),
        indices=np.array([1, 2, 0, 4, 0]),
        distance=np.ones(5),
        risk=np.zeros(5),
        wait_risk=np.zeros(5),
    )
    for seed in range(20):
        starts, goals = draw_pairs(graph, 2, np.random.default_rng(seed))
        assert set(starts.tolist()) | set(goals.tolist()) <= {0, 1, 2}
