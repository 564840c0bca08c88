"""The README's library example runs as it stands and ends well."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import navplan as nv

README = Path(__file__).resolve().parent.parent / "README.md"


def examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.S)


def test_the_library_example() -> None:
    code, _ = examples()
    names: dict[str, object] = {}
    exec(compile(code, str(README), "exec"), names)
    assert names["plan"].status in ("optimal", "bounded")
    assert names["trajectory"].success
    assert len([line for line in code.splitlines() if line]) <= 16


def test_the_example_of_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With logs of walks in the open, and hardly any learning."""
    _, code = examples()
    rng = np.random.default_rng(0)
    moves = rng.uniform(-1, 1, (200, 20, 2))
    places = np.cumsum(np.concatenate([rng.uniform(0, 9, (200, 1, 2)), moves], axis=1), axis=1)
    walks = [{"observations": seen, "actions": moved} for seen, moved in zip(places, moves, strict=True)]
    monkeypatch.chdir(tmp_path)
    nv.Dataset.from_episodes(walks).save("logs.npz")
    monkeypatch.setattr(nv, "fit", functools.partial(nv.fit, steps=20))
    exec(compile(code, str(README), "exec"), {"nv": nv, "env": Walk()})


class Walk:
    """One robot in the open, as Gymnasium has environments."""

    def reset(self, *, seed: int | None = None, options: object = None) -> tuple[np.ndarray, dict[str, Any]]:
        self.at = np.zeros(2)
        return self.at, {"goal": np.array([2.0, 2.0])}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.at = self.at + action
        return self.at, -1.0, bool(np.abs(self.at - 2).max() < 1), False, {}


def test_what_it_points_to_is_there() -> None:
    text = README.read_text(encoding="utf-8")
    links = [target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target]
    assert links
    assert [target for target in links if not (README.parent / target).exists()] == []
