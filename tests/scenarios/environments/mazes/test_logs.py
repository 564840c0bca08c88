from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import navplan as nv
from navplan.errors import InvalidInput
from navplan.scenarios.environments.mazes import MAZES, make_logs
from navplan.scenarios.environments.mazes.layouts import layout
from navplan.scenarios.environments.mazes.scrambled import scrambling

SEEN = [name for name, each in MAZES.items() if each.kind != "scrambled"]


def trajectories(logs: dict[str, np.ndarray], name: str) -> np.ndarray:
    return logs[name].reshape(int(logs["terminals"].sum()), -1, logs[name].shape[1])


@pytest.mark.parametrize("name", SEEN)
def test_no_logged_state_is_in_a_wall(name: str) -> None:
    places = make_logs(name, 20_000)["observations"][:, :2].astype(np.float64)
    centres = np.argwhere(layout(MAZES[name].layout).walls)[:, ::-1] * 4.0 - 4.0
    least = np.inf
    for centre in centres:
        gaps = np.maximum(np.abs(places - centre) - 2.0, 0.0)
        least = min(least, float(np.sqrt((gaps**2).sum(axis=1)).min()))
    assert 0.7 - 1e-5 <= least < 0.71


@pytest.mark.parametrize("name", sorted(MAZES))
def test_trajectories_have_the_lengths_of_their_kind(name: str) -> None:
    rows = {"navigate": 2001 if MAZES[name].layout == "giant" else 1001}.get(str(MAZES[name].logs), 201)
    logs = make_logs(name, 2 * rows, seed=5)
    np.testing.assert_array_equal(np.flatnonzero(logs["terminals"]), rows * np.arange(1, 4) - 1)
    assert len(logs["observations"]) == len(logs["actions"]) == 3 * rows
    assert {array.dtype for array in logs.values()} == {np.dtype(np.float32)}
    assert np.abs(logs["actions"]).max() == 1.0
    assert np.isfinite(logs["observations"]).all()


@pytest.mark.parametrize("name", ["pointmaze-teleport-navigate", "carmaze-large-mixed", "scrambled-medium-stitch"])
def test_same_seed_same_logs_and_more_begin_alike(name: str) -> None:
    first, again, other = make_logs(name, 3000, 7), make_logs(name, 3000, 7), make_logs(name, 3000, 8)
    longer = make_logs(name, 90_000, 7)
    for key in first:
        np.testing.assert_array_equal(first[key], again[key])
        if key != "terminals":
            assert not np.array_equal(first[key], other[key])
            np.testing.assert_array_equal(first[key], longer[key][: len(first[key])])


def test_stitching_goes_four_cells_and_stays() -> None:
    maze = layout("large")
    seen = trajectories(make_logs("pointmaze-large-stitch", 150_000), "observations")
    cells = ((seen[:, [0, -1]] + 6) // 4).astype(int)[..., ::-1]
    apart = maze.hops[maze.number(cells[:, 0]), maze.number(cells[:, 1])]
    assert (apart == 4).mean() > 0.95
    assert len(np.unique(maze.number(cells[:, 0]))) == len(maze.cells)


def test_navigating_goes_on_from_goal_to_goal() -> None:
    maze = layout("medium")
    seen = trajectories(make_logs("pointmaze-medium-navigate", 20_000), "observations")
    cells = maze.number(((seen + 6) // 4).astype(int)[..., ::-1])
    assert min(len(np.unique(row)) for row in cells) > 8


def test_the_noise_of_a_point_is_a_half() -> None:
    """At its goal the driver goes to the middle of the cell; the rest of the action is noise, clipped."""
    logs = make_logs("pointmaze-large-stitch", 100_000)
    seen, actions = (trajectories(logs, name)[:, -40:] for name in ("observations", "actions"))
    gap = np.floor((seen + 6) / 4) * 4 - 4 - seen
    wished = gap / (np.linalg.norm(gap, axis=2, keepdims=True) + 1e-6)
    small = np.abs(wished) < 0.1
    noise = (actions - wished)[small]
    assert np.median(np.abs(noise)) == pytest.approx(0.337, abs=0.02)
    assert np.mean(np.abs(actions[small]) == 1.0) == pytest.approx(0.046, abs=0.01)
    assert np.mean(noise) == pytest.approx(0.0, abs=0.02)


def test_a_fifth_of_mixed_logs_is_driven() -> None:
    seen = trajectories(make_logs("carmaze-large-mixed", 40_000), "observations")
    actions = trajectories(make_logs("carmaze-large-mixed", 40_000), "actions")
    far = np.linalg.norm(seen[:, -1, :2] - seen[:, 0, :2], axis=1)
    assert far[::5].mean() > 2 * np.delete(far, slice(None, None, 5)).mean()
    random = np.delete(actions, slice(None, None, 5), axis=0)
    assert random.mean() == pytest.approx(0.0, abs=0.02)
    assert random.std() == pytest.approx(1 / np.sqrt(3), abs=0.01)
    lagged = np.corrcoef(random[:, 1:, 0].ravel(), random[:, :-1, 0].ravel())[0, 1]
    assert abs(lagged) < 0.02


def test_teleporters_are_in_the_logs() -> None:
    seen = trajectories(make_logs("pointmaze-teleport-navigate", 100_000), "observations")
    jumps = np.linalg.norm(np.diff(seen, axis=1), axis=2) > 2.0
    before, after = seen[:, :-1][jumps], seen[:, 1:][jumps]
    maze = layout("teleport")
    assert jumps.sum() > 30
    assert np.linalg.norm(before[:, None] - maze.ground.into, axis=2).min(axis=1).max() <= 1.5 + 1e-4
    gaps = np.linalg.norm(after[:, None] - maze.ground.out, axis=2)
    assert gaps.min(axis=1).max() <= 0.2 * np.sqrt(2) + 1e-4
    assert len(set(gaps.argmin(axis=1).tolist())) == 3


def test_scrambled_logs_show_noise_that_has_nothing_to_do_with_places() -> None:
    seen = trajectories(make_logs("scrambled-large-stitch", 40_000), "observations").astype(np.float64)
    mixed = seen @ scrambling("large").rotation.T
    noise = mixed[..., 24:]
    assert noise.mean() == pytest.approx(0.0, abs=0.05)
    assert noise.std() == pytest.approx(1.0, abs=0.03)
    for lag in (1, 5, 20):
        assert np.mean(noise[:, lag:] * noise[:, :-lag]) == pytest.approx(0.95**lag, abs=0.04)
    np.testing.assert_array_less(np.abs(mixed[..., :24]), 1.0 + 1e-5)


def test_a_dataset_reads_them(tmp_path: Path) -> None:
    np.savez(tmp_path / "logs.npz", **make_logs("carmaze-medium-stitch", 2000))
    data = nv.Dataset.load(tmp_path / "logs.npz", position=lambda seen: seen[..., :2])
    assert (data.num_episodes, data.num_transitions) == (10, 2000)
    assert data.summary().mistakes == ()


@pytest.mark.parametrize(("count", "seed"), [(0, 0), (1 << 31, 0), (1.5, 0), (10, -1)])
def test_what_is_refused(count: int, seed: int) -> None:
    with pytest.raises(InvalidInput):
        make_logs("pointmaze-medium-stitch", count, seed)
