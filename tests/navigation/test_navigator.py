"""The navigator moves on from any node, gets there, and never turns in circles."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

import navplan as nv
from navplan.errors import InvalidInput


class Exact:
    """The shortest distances of a random graph whose nodes are numbers; nodes apart at random."""

    horizon = np.inf

    def __init__(self, seed, nodes=30, ties=False):
        rng = np.random.default_rng(seed)
        around = (np.arange(nodes), (np.arange(nodes) + 1) % nodes)
        more = rng.integers(nodes, size=(2, 2 * nodes))
        tails, heads = np.concatenate([around, more], axis=1)
        keep = tails != heads
        steps = np.ones(keep.sum()) * 6 if ties else rng.uniform(0.5, 12.0, keep.sum())
        self.matrix = csr_matrix((nodes, nodes))
        table = np.full((nodes, nodes), np.inf)
        np.minimum.at(table, (tails[keep], heads[keep]), steps)
        self.table = table
        self.matrix = csr_matrix(np.where(np.isfinite(table), table, 0))
        self.far = dijkstra(self.matrix)

    def graph(self):
        nodes = len(self.far)
        tails, heads = np.nonzero(np.isfinite(self.table))
        return nv.StateGraph(
            states=np.arange(nodes, dtype=np.float32)[:, None],
            indptr=np.concatenate([[0], np.cumsum(np.bincount(tails, minlength=nodes))]).astype(np.int32),
            indices=heads.astype(np.int32),
            distance=self.table[tails, heads],
            risk=np.zeros(len(tails)),
            wait_risk=np.zeros(nodes),
        )

    def evaluate(self, observations, goals):
        a, b = (np.asarray(x)[:, 0].astype(int) for x in (observations, goals))
        return self.far[a, b].astype(np.float32), np.zeros(len(a), np.float32)


class Remember:
    """Keeps the waypoints that it is given."""

    def act(self, observations, goals):
        self.goals = goals.copy()
        return goals - observations


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("reach", [3.0, 8.0, 20.0])
def test_it_moves_from_every_node_and_gets_there(seed, ties, reach):
    critics = Exact(seed, ties=ties)
    graph, follower = critics.graph(), Remember()
    navigator = nv.Navigator(graph, critics, follower, reach=reach, replan=1)
    starts, goals = (axis.ravel() for axis in np.indices(critics.far.shape))
    apart = starts != goals
    at, goals = starts[apart].astype(np.float32)[:, None], goals[apart].astype(np.float32)[:, None]
    left = critics.evaluate(at, goals)[0]
    hops = np.zeros(len(at), int)
    for _ in range(len(critics.far) + 1):
        moving = (at != goals)[:, 0]
        navigator.act(at, goals)
        at = np.where(moving[:, None], follower.goals, at)
        now = critics.evaluate(at, goals)[0]
        assert (now < left)[moving].all()  # progress falls strictly: no circles
        left, hops = now, hops + moving
    assert (at == goals).all()
    assert navigator.known.all()
    assert (hops <= _edges(critics)[apart] + 1).all()


def _edges(critics):
    """Edges of the shortest path between each two nodes."""
    before = dijkstra(critics.matrix, return_predecessors=True)[1]
    edges = np.zeros(before.shape, int)
    for start, goal in np.argwhere(before >= 0):
        at = goal
        while at != start:
            at, edges[start, goal] = before[start, at], edges[start, goal] + 1
    return edges.ravel()


def test_the_waypoint_is_never_the_node_that_it_stands_on():
    states = np.array([[0.0, 0.0], [0.0, 10.0], [0.0, 20.0]], np.float32)
    graph = nv.StateGraph.from_states(states, nv.EuclideanCritics(), max_distance=11)
    follower = Remember()
    nv.Navigator(graph, nv.EuclideanCritics(), follower, reach=8, arrive=2).act(states[:1], states[2:])
    np.testing.assert_array_equal(follower.goals, states[1:2])


def test_without_a_way_it_goes_straight_and_says_so():
    states = np.array([[0.0, 0.0], [0.0, 50.0]], np.float32)
    graph = nv.StateGraph.from_states(states, nv.EuclideanCritics(), max_distance=5)
    follower = Remember()
    navigator = nv.Navigator(graph, nv.EuclideanCritics(), follower, reach=4)
    navigator.act(states[:1], states[1:])
    assert not navigator.known[0]
    assert navigator.path(states[0], states[1]).size == 0
    np.testing.assert_array_equal(follower.goals, states[1:])


def test_a_new_goal_is_planned_for_at_once():
    states = np.array([[0.0, 0.0], [0.0, 3.0], [0.0, 6.0], [3.0, 0.0]], np.float32)
    graph = nv.StateGraph.from_states(states, nv.EuclideanCritics(), max_distance=4)
    follower = Remember()
    navigator = nv.Navigator(graph, nv.EuclideanCritics(), follower, reach=3.5, arrive=1, replan=100)
    navigator.act(states[:1], states[2:3])
    navigator.act(states[:1], states[3:4])
    np.testing.assert_array_equal(follower.goals, states[3:4])


@pytest.mark.parametrize(
    ("observations", "goals", "match"),
    [
        (np.zeros((2, 3)), np.zeros((2, 2)), "observations have shape"),
        (np.zeros((2, 2)), np.zeros((1, 2)), "goals have shape"),
        (np.full((1, 2), np.nan), np.zeros((1, 2)), "NaN"),
    ],
)
def test_what_does_not_fit_is_refused(observations, goals, match):
    graph = nv.StateGraph.from_states(np.array([[0.0, 0.0], [0.0, 1.0]]), nv.EuclideanCritics())
    navigator = nv.Navigator(graph, nv.EuclideanCritics(), Remember())
    with pytest.raises(InvalidInput, match=match):
        navigator.act(observations, goals)
    with pytest.raises(InvalidInput, match="arrive < reach"):
        nv.Navigator(graph, nv.EuclideanCritics(), Remember(), reach=1, arrive=2)
