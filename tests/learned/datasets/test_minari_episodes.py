"""Minari's data sets, by a module of its form, and by itself where it is installed."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import navplan as nv
from navplan.errors import FileAccessError, InvalidInput, MissingExtra

SEEN = np.arange(8.0).reshape(4, 2)


def fake(monkeypatch: pytest.MonkeyPatch, observations: Any, infos: Any = None) -> None:
    minari = ModuleType("minari")
    episode = SimpleNamespace(observations=observations, actions=np.ones((3, 1), np.float32), infos=infos)

    def load_dataset(name: str) -> Any:
        if name != "own/data-v0":
            raise FileNotFoundError(f"no dataset {name}")
        return SimpleNamespace(iterate_episodes=lambda: iter([episode, episode]))

    minari.load_dataset = load_dataset  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "minari", minari)


@pytest.mark.parametrize("observations", [SEEN, {"observation": SEEN, "desired_goal": SEEN}])
def test_episodes_become_trajectories(observations: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, observations, {"cost": np.array([9.0, 1.0, 2.0, 3.0])})
    data = nv.Dataset.from_minari("own/data-v0", position=lambda seen: seen)
    assert (data.num_episodes, data.num_transitions, data.position is not None) == (2, 6, True)
    np.testing.assert_array_equal(data.observations[:4], SEEN)
    assert data.costs is not None
    np.testing.assert_array_equal(data.costs, [1, 2, 3, 0] * 2)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, {"image": SEEN})
    with pytest.raises(InvalidInput, match="own/data-v0, episode 0: observations are a dict of image, expected '"):
        nv.Dataset.from_minari("own/data-v0")
    with pytest.raises(FileAccessError, match="Minari data set other: no dataset other; minari download other fetches"):
        nv.Dataset.from_minari("other")
    with pytest.raises(InvalidInput, match="the name of a Minari data set is 3"):
        nv.Dataset.from_minari(3)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "minari", None)
    with pytest.raises(MissingExtra, match=r"a Minari data set needs Minari: pip install 'navplan\[minari\]'"):
        nv.Dataset.from_minari("own/data-v0")


def test_minari_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    minari = pytest.importorskip("minari")
    spaces = pytest.importorskip("gymnasium").spaces
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    steps = np.ones(3)
    buffer = minari.data_collector.EpisodeBuffer(
        observations=SEEN.astype(np.float32), actions=np.ones((3, 1), np.float32), rewards=steps, terminations=steps == 0,
        truncations=np.array([False, False, True]),
    )  # fmt: skip
    box = [spaces.Box(-np.inf, np.inf, (width,), np.float32) for width in (2, 1)]
    with warnings.catch_warnings():  # that nobody has signed it
        warnings.simplefilter("ignore")
        minari.create_dataset_from_buffers("own/data-v0", [buffer], observation_space=box[0], action_space=box[1])
    data = nv.Dataset.from_minari("own/data-v0")
    assert (data.num_episodes, data.num_transitions, data.costs) == (1, 3, None)
    np.testing.assert_array_equal(data.observations, SEEN)
    with pytest.raises(FileAccessError, match="Minari data set own/other-v0: "):
        nv.Dataset.from_minari("own/other-v0")
