"""Logs as datasets: one content under every convention, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import navplan as nv

LENGTHS = (4, 1, 6)


def episodes(seed: int = 0) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    return [
        {
            "observations": rng.random((steps + 1, 3)).astype(np.float32),
            "actions": rng.random((steps, 2)).astype(np.float32),
            "costs": rng.random(steps).astype(np.float32),
        }
        for steps in LENGTHS
    ]


def padded(name: str) -> np.ndarray:
    """(R, …) all trajectories' rows, something meaningless after the last step of each."""
    return np.concatenate([np.concatenate([e[name], np.full((1, *e[name].shape[1:]), 7, np.float32)]) for e in episodes()])


def ends(rows: list[int]) -> np.ndarray:
    marks = np.zeros(sum(rows), np.float32)
    marks[np.cumsum(rows) - 1] = 1
    return marks


def ogbench() -> dict[str, np.ndarray]:
    seen = np.concatenate([e["observations"] for e in episodes()])
    return {"observations": seen, "actions": padded("actions"), "costs": padded("costs"), "terminals": ends([5, 2, 7])}


def compact() -> dict[str, np.ndarray]:
    arrays = ogbench()
    valids = 1 - arrays.pop("terminals")
    return {**arrays, "valids": valids, "terminals": np.minimum(1, 1 - valids + np.append(1 - valids[1:], 1))}


def d4rl() -> dict[str, np.ndarray]:
    parts = episodes()
    marks = ends(list(LENGTHS))
    return {
        "observations": np.concatenate([e["observations"][:-1] for e in parts]),
        "next_observations": np.concatenate([e["observations"][1:] for e in parts]),
        "actions": np.concatenate([e["actions"] for e in parts]),
        "costs": np.concatenate([e["costs"] for e in parts])[:, None],
        "terminals": np.where(np.arange(11) == 3, marks, 0),
        "timeouts": np.where(np.arange(11) == 3, 0, marks),
    }


def bare_d4rl() -> dict[str, np.ndarray]:
    arrays = ogbench()
    marks = arrays.pop("terminals")
    return {**arrays, "terminals": np.where(np.arange(14) == 4, marks, 0), "timeouts": np.where(np.arange(14) == 4, 0, marks)}


def numbered() -> dict[str, np.ndarray]:
    arrays = ogbench()
    del arrays["terminals"]
    return {**arrays, "episode": np.repeat([4, 9, 2], [5, 2, 7])}


def steps_of(data: nv.Dataset) -> list[np.ndarray]:
    """Observation, action, next observation and cost of every step."""
    rows = data.rows(np.arange(data.num_transitions))
    assert data.costs is not None
    return [data.observations[rows], data.actions[rows], data.observations[rows + 1], data.costs[rows]]


@pytest.mark.parametrize("write", [ogbench, compact, d4rl, bare_d4rl, numbered])
@pytest.mark.parametrize("compressed", [False, True])
def test_one_content_under_every_convention(write: Callable[[], dict[str, Any]], compressed: bool, tmp_path: Path) -> None:
    (np.savez_compressed if compressed else np.savez)(tmp_path / "logs.npz", **write())
    data, expected = nv.Dataset.load(tmp_path / "logs.npz"), nv.Dataset.from_episodes(episodes())
    assert (data.num_episodes, data.num_transitions, data.shape) == (3, 11, (3,))
    for mine, theirs in zip(steps_of(data), steps_of(expected), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert data.convention
    assert isinstance(data.observations, np.memmap) == (not compressed and write is not d4rl)


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    data = nv.Dataset.from_episodes(episodes())
    data.save(tmp_path / "a.npz")
    again = nv.Dataset.load(tmp_path / "a.npz")
    for mine, theirs in zip(steps_of(again), steps_of(data), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_several_files_are_one_dataset(tmp_path: Path) -> None:
    for number in range(3):
        nv.Dataset.from_episodes(episodes(number)).save(tmp_path / f"part{number}.npz")
    data = nv.Dataset.load(str(tmp_path / "part*.npz"))
    assert (data.num_episodes, data.num_transitions) == (9, 33)
    np.testing.assert_array_equal(data.observations[14:19], episodes(1)[0]["observations"])
    assert data.episodes([0, 4, 5, 14]).tolist() == [0, 0, 1, 3]
    assert data.last([0, 5]).tolist() == [4, 6]


def test_a_file_that_ends_without_a_mark_has_a_last_trajectory(tmp_path: Path) -> None:
    arrays = ogbench()
    arrays["terminals"][-1] = 0
    np.savez(tmp_path / "a.npz", **arrays)
    assert nv.Dataset.load(tmp_path / "a.npz").num_transitions == 11


def test_where_the_next_row_is_not_the_next_observation_a_trajectory_ends(tmp_path: Path) -> None:
    arrays = d4rl()
    arrays["timeouts"][:] = 0
    np.savez(tmp_path / "a.npz", **arrays)
    data = nv.Dataset.load(tmp_path / "a.npz")
    assert data.num_episodes == 3
    assert "1 ends were not marked" in data.convention


def test_splitting_keeps_every_trajectory_once() -> None:
    data = nv.Dataset.from_episodes([{"observations": np.full((3, 1), k), "actions": np.zeros((2, 1))} for k in range(10)])
    train, held = data.split(0.3, seed=4)
    assert sorted([*train.observations[::3, 0], *held.observations[::3, 0]]) == list(range(10))
    assert held.num_episodes == 3
    assert [part.observations.tolist() for part in data.split(0.3, seed=4)] == [
        train.observations.tolist(),
        held.observations.tolist(),
    ]


def test_goals_and_positions_are_what_is_said() -> None:
    data = nv.Dataset.from_episodes(episodes(), goal=lambda o: o[..., :2], position=lambda o: o[..., 1:])
    assert data.goals([0, 3]).shape == (2, 2)
    np.testing.assert_allclose(data.positions([1]), data.observations[[1], 1:])
    assert nv.Dataset.from_episodes(episodes()).goals([0]).shape == (1, 3)


def test_images_are_observations() -> None:
    data = nv.Dataset.from_episodes([{"observations": np.zeros((4, 8, 8, 3), np.uint8), "actions": np.zeros((3, 2))}])
    assert data.shape == (8, 8, 3)
    assert data.observations.dtype == np.uint8


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"terminals": None}, "no end of a trajectory is marked"),
        ({"terminals": np.zeros(14)}, "no row of terminals is 1"),
        ({"observations": None}, "observations is missing"),
        ({"actions": np.zeros(14)}, "actions have shape (14,)"),
        ({"actions": np.zeros((13, 2))}, "14 observations but 13 actions"),
        ({"observations": np.full((14, 3), "x")}, "observations have shape (14, 3) of <U1"),
        ({"terminals": np.zeros(3)}, "terminals has shape (3,)"),
        ({"costs": np.zeros(2)}, "costs has shape (2,)"),
    ],
)
def test_files_that_are_no_logs_are_refused(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    arrays = {name: array for name, array in {**ogbench(), **change}.items() if array is not None}
    np.savez(tmp_path / "logs.npz", **arrays)
    with pytest.raises(nv.FileFormatError, match=r"^[^\n]*logs\.npz[^\n]*$") as error:
        nv.Dataset.load(tmp_path / "logs.npz")
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: nv.Dataset.from_episodes([]), "there are no episodes"),
        (lambda: nv.Dataset.from_episodes([{"observations": np.zeros((3, 2)), "actions": np.zeros((3, 1))}]), "episode 0: obs"),
        (lambda: nv.Dataset.from_episodes([{"observations": [[0, 1], [2]], "actions": [[0]]}]), "episode 0: obs"),
        (
            lambda: nv.Dataset.from_episodes([*episodes(), {"observations": np.zeros((2, 4)), "actions": np.zeros((1, 2))}]),
            "episode 3",
        ),
        (lambda: nv.Dataset.from_episodes([3]), "episode 0 is 3"),
        (lambda: nv.Dataset.from_episodes(episodes(), goal=lambda o: o[..., 0]), "goal of observations"),
        (
            lambda: nv.Dataset.from_episodes(episodes(), position=lambda o: o),
            "position of observations of shape (2, 3) has shape",
        ),
        (lambda: nv.Dataset.from_episodes(episodes()).positions([0]), "the data has no positions"),
        (lambda: nv.Dataset.from_episodes(episodes()).split(0.01), "a share of 0.01"),
        (lambda: nv.Dataset.load([]), "no file is named"),
        (lambda: nv.Dataset.load("/nowhere/*.npz"), "fits no file"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(call: Callable[[], object], says: str) -> None:
    with pytest.raises(nv.NavplanError, match=r"^[^\n]*$") as error:
        call()
    assert says in str(error.value)


def test_broken_archives_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "logs.npz"
    np.savez(path, **ogbench())
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = []
    for _ in range(300):
        data = bytearray(whole)
        for at in rng.integers(len(data), size=rng.integers(1, 6)):
            data[at] = rng.integers(256)
        path.write_bytes(bytes(data[: rng.integers(1, len(data) + 1)] if rng.random() < 0.3 else data))
        try:
            nv.Dataset.load(path)
        except nv.NavplanError as error:
            refused.append(str(error))
    assert len(refused) > 100
    assert not any("\n" in line for line in refused)
