"""State graphs of logged observations."""

import numpy as np
import pytest

import navplan as nv
from navplan.errors import InvalidInput
from navplan.graph.critics import norm_of


class Straight:
    """Steps along straight lines between places, which are the first two numbers of an observation."""

    horizon = 50.0
    lower_bound = "l2"

    def embed(self, observations):
        return np.asarray(observations, np.float32)[:, :2]

    def evaluate(self, observations, goals):
        far = np.linalg.norm(np.asarray(observations)[:, :2] - np.asarray(goals)[:, :2], axis=1)
        return far.astype(np.float32), np.zeros(len(far), np.float32)


class Bare:
    """`evaluate` only."""

    evaluate = Straight.evaluate


def _walks(seed=0, extra=3, episodes=40, steps=60):
    rng = np.random.default_rng(seed)
    trips = []
    for _ in range(episodes):
        moves = np.cumsum(rng.normal(0, 0.25, (steps, 2)), axis=0) * 0.3
        moves = np.clip(np.diff(moves, axis=0, prepend=0) + rng.normal(0, 0.7, 2), -1, 1)
        places = np.cumsum(np.concatenate([rng.uniform(0, 20, (1, 2)), moves]), axis=0)
        trips.append({"observations": np.hstack([places, rng.normal(size=(steps + 1, extra))]), "actions": moves})
    return nv.Dataset.from_episodes(trips, goal=lambda o: o[..., :2], position=lambda o: o[..., :2])


@pytest.fixture(scope="module")
def data():
    return _walks()


def test_nodes_are_logged_rows(data):
    graph = nv.StateGraph.from_dataset(data, Straight(), nodes=60, seed=1)
    assert graph.num_nodes == 60
    assert graph.num_edges > 60
    np.testing.assert_array_equal(graph.observations, data.observations[graph.rows])
    np.testing.assert_array_equal(graph.goals, data.goals(graph.rows))
    np.testing.assert_array_equal(graph.positions, data.positions(graph.rows))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_the_screen_leaves_out_no_edge(data, seed, norm):
    critics = Straight()
    critics.lower_bound = norm
    graph = nv.StateGraph.from_dataset(
        data, critics, nodes=50, edges="critic", max_distance=4, support=0, both_ways=False, seed=seed
    )
    whole = Straight().evaluate(np.repeat(graph.observations, 50, 0), np.tile(graph.goals, (50, 1)))[0].reshape(50, 50)
    wanted = (whole < 4) & ~np.eye(50, dtype=bool)
    found = np.zeros_like(wanted)
    found[np.repeat(np.arange(50), np.diff(graph.indptr)), graph.indices] = True
    np.testing.assert_array_equal(found, wanted)


def test_critics_that_only_evaluate_give_the_same_edges(data):
    how = {"nodes": 50, "edges": "critic", "max_distance": 4, "support": 0, "seed": 2}
    a, b = nv.StateGraph.from_dataset(data, Straight(), **how), nv.StateGraph.from_dataset(data, Bare(), **how)
    np.testing.assert_array_equal(a.indices, b.indices)
    np.testing.assert_array_equal(a.distance, b.distance)
    assert norm_of(Bare()) is None


def test_the_order_of_trajectories_does_not_matter_to_edges(data):
    swapped = data.take(np.arange(data.num_episodes)[::-1])
    graph = nv.StateGraph.from_dataset(data, None, nodes=30, edges="data", seed=0)
    from navplan.graph.arcs import arcs, windows

    def by_place(data):
        near = np.linalg.norm(data.goals(np.arange(data.num_rows))[:, None] - graph.goals[None], axis=2).argmin(axis=1)
        found = arcs(near, np.zeros(data.num_rows, bool), windows(data.starts, (2, 3)))
        return found.tails, found.heads, found.steps

    for mine, theirs in zip(by_place(data), by_place(swapped), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_driven_edges_are_never_shorter_than_the_critics_say(data):
    graph = nv.StateGraph.from_dataset(data, Straight(), nodes=60, edges="data", seed=1)
    tails = np.repeat(np.arange(60), np.diff(graph.indptr))
    far = Straight().evaluate(graph.observations[tails], graph.goals[graph.indices])[0]
    assert graph.num_edges > 0
    assert (graph.distance >= far - 1e-6).all()


def test_files_keep_observations(data, tmp_path):
    graph = nv.StateGraph.from_dataset(data, Straight(), nodes=40, seed=1)
    graph.save(tmp_path / "graph.npz")
    again = nv.StateGraph.load(tmp_path / "graph.npz")
    for name in ("rows", "observations", "goals", "states", "distance"):
        np.testing.assert_array_equal(getattr(again, name), getattr(graph, name))
    pruned = again.prune(max_distance=3)
    np.testing.assert_array_equal(pruned.rows, graph.rows)


def test_attached_observations_have_no_row(data):
    graph = nv.StateGraph.from_dataset(data, Straight(), nodes=60, seed=1)
    fresh = data.observations[[5, 77]]
    with pytest.raises(InvalidInput, match="give goals="):
        graph.attach(fresh, Straight(), position=fresh[:, :2])
    with pytest.raises(InvalidInput, match=r"expected observations \(P, 5\)"):
        graph.attach(fresh[:, :2], Straight())
    larger, ids = graph.attach(fresh, Straight(), position=fresh[:, :2], goals=fresh[:, :2])
    assert larger.rows[ids].tolist() == [-1, -1]
    np.testing.assert_array_equal(larger.observations[ids], fresh)
    plan = nv.solve(nv.Problem(larger, ids[:1], ids[1:]), planner="astar", progress=False)
    assert plan.status in ("optimal", "infeasible")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"edges": "lidar"}, "edges"),
        ({"max_risk": 1.0}, "no costs"),
        ({"nodes": 10**6}, "nodes wanted"),
        ({"quantile": 0.1}, "0.5 to 1"),
        ({"critics": None}, "asks critics"),
        ({"steps": (0,)}, "steps"),
    ],
)
def test_what_makes_no_sense_is_refused(data, change, match):
    arguments = {"critics": Straight(), "nodes": 20} | change
    with pytest.raises(InvalidInput, match=match):
        nv.StateGraph.from_dataset(data, **arguments)


def test_images_are_nodes_too():
    rng = np.random.default_rng(0)
    trips = [
        {"observations": rng.integers(0, 255, (20, 6, 6, 3), np.uint8), "actions": rng.normal(size=(19, 2))} for _ in range(4)
    ]
    graph = nv.StateGraph.from_dataset(nv.Dataset.from_episodes(trips), None, nodes=15, edges="data")
    assert graph.observations.shape == (15, 6, 6, 3)
    assert graph.positions is None
