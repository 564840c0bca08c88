"""Learning from logs in one call, and what comes out of it."""

import numpy as np
import pytest

pytest.importorskip("torch")

import navplan as nv
from navplan.errors import InvalidInput, UnknownName
from navplan.learned.fit import columns_of

QUICK = {"steps": 30, "hidden": 8, "batch_size": 16, "log_interval": 10, "checkpoint_interval": 10, "progress": False}


def _data(costs=False, **views):
    rng = np.random.default_rng(0)
    trips = []
    for _ in range(8):
        moves = rng.uniform(-1, 1, (25, 2))
        seen = np.hstack([np.cumsum(np.vstack([rng.uniform(0, 9, 2), moves]), 0), rng.normal(size=(26, 3))])
        trips.append({"observations": seen, "actions": 3 * moves} | ({"costs": np.ones(25)} if costs else {}))
    return nv.Dataset.from_episodes(trips, **views)


PLACES = {"goal": lambda o: o[..., :2], "position": lambda o: o[..., [1, 0]]}


def test_a_run_knows_what_it_learned_from(tmp_path):
    data = _data(costs=True, **PLACES)
    critics = nv.load_checkpoint(nv.fit(data, tmp_path / "run", critic="temporal:width=8", policy="gcbc:ahead=4", **QUICK))
    assert (critics.config.goal, critics.config.position) == ((0, 1), (1, 0))
    assert critics.policies["gcbc"].ahead == 4
    seen, goals = data.observations[:5], data.goals(np.arange(5, 10))
    actions = critics.policy.act(seen, goals)
    assert actions.shape == (5, 2)
    assert (np.abs(actions) <= 3 + 1e-5).all()
    distance, risk = critics.evaluate(seen, goals)
    assert (distance >= 0).all()
    assert risk.shape == (5,)
    graph = nv.StateGraph.from_dataset(data, critics, nodes=20, max_risk=100.0)
    navigator = nv.Navigator(graph, critics, critics.policies["gcbc"])
    assert navigator.act(seen, goals).shape == (5, 2)
    assert navigator.reach <= 6


@pytest.mark.parametrize("policy", ["knn:rows=50", "awr"])
@pytest.mark.parametrize("critic", ["gcivl", "quasimetric:head=iqe"])
def test_parts_go_together(tmp_path, critic, policy):
    data = _data(**PLACES)
    critics = nv.load_checkpoint(nv.fit(data, tmp_path / "run", critic=critic, policy=policy, **QUICK))
    graph = nv.StateGraph.from_dataset(data, critics, nodes=20)
    assert nv.Navigator(graph, critics, critics.policy).act(data.observations[:3], data.goals([4, 5, 6])).shape == (3, 2)


def test_images_are_learned_from(tmp_path):
    rng = np.random.default_rng(0)
    trips = [
        {"observations": rng.integers(0, 255, (12, 8, 8, 3), np.uint8), "actions": rng.normal(size=(11, 2))} for _ in range(4)
    ]
    data = nv.Dataset.from_episodes(trips)
    critics = nv.load_checkpoint(nv.fit(data, tmp_path / "run", **QUICK))
    graph = nv.StateGraph.from_dataset(data, critics, nodes=10)
    assert graph.observations.shape == (10, 8, 8, 3)
    assert critics.policy.act(data.observations[:2], data.observations[3:5]).shape == (2, 2)


def test_a_run_goes_on_with_the_same_logs_only(tmp_path):
    from navplan.errors import CheckpointError

    data = _data()
    nv.fit(data, tmp_path / "run", **QUICK)
    nv.fit(data, tmp_path / "run", resume=True, **QUICK)
    with pytest.raises(InvalidInput, match="other settings"):
        nv.fit(data, tmp_path / "run", resume=True, seed=3, **QUICK)
    with pytest.raises(CheckpointError, match="other logs"):
        nv.fit(data.take([0, 1, 2, 4]), tmp_path / "run", resume=True, **QUICK)


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"critic": "tempral"}, UnknownName, "temporal"),
        ({"policy": "gcbc:far=3"}, InvalidInput, "no option 'far'"),
        ({"hiden": 3}, InvalidInput, "settings do not fit"),
        ({"members": 0}, InvalidInput, "members is 0"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, change, error, match):
    with pytest.raises(error, match=match):
        nv.fit(_data(), tmp_path / "run", **(QUICK | change))
    assert not (tmp_path / "run").exists()


def test_views_that_are_no_columns_are_refused(tmp_path):
    with pytest.raises(InvalidInput, match="no choice of columns"):
        nv.fit(_data(goal=lambda o: o[..., :2] / 2), tmp_path / "run", **QUICK)
    assert columns_of(_data(goal=lambda o: o[..., ::2]), "goal") == (0, 2, 4)
    assert columns_of(_data(), "goal") == ()


@pytest.mark.parametrize("bad", [np.zeros((2, 4)), np.full((2, 5), np.nan)])
def test_other_observations_than_the_logs_are_refused(tmp_path, bad):
    critics = nv.load_checkpoint(nv.fit(_data(), tmp_path / "run", **QUICK))
    with pytest.raises(InvalidInput, match=r"expected \(B, 5\)|NaN"):
        critics.policy.act(bad, np.zeros((2, 5)))
    with pytest.raises(InvalidInput, match=r"expected \(B, 5\)|NaN"):
        critics.evaluate(bad, np.zeros((2, 5)))
