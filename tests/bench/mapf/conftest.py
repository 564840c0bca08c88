from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from navplan.bench.mapf.generated import write_instances
from navplan.system.names import entry_points_in

# Planners that misbehave, as another distribution would register them.
BAD = """
import os, time
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
from navplan.plan.plan import make_plan

class Base:
    guarantee = "none"; max_agents = None; graphs = "grids"; about = "for tests"; time_limit = None
    def prepare(self, graph):
        return None
    def plan(self, problem, state, *, deadline, rng):
        return self.work(problem)

@dataclass(frozen=True)
class Abort(Base):
    name: ClassVar[str] = "abort"
    def work(self, problem):
        os.abort()

@dataclass(frozen=True)
class Hang(Base):
    name: ClassVar[str] = "hang"
    def work(self, problem):
        while True:
            time.sleep(1)

@dataclass(frozen=True)
class Hog(Base):
    name: ClassVar[str] = "hog"
    def work(self, problem):
        return [np.empty(1 << 23) for _ in range(1 << 20)]

@dataclass(frozen=True)
class Liar(Base):
    name: ClassVar[str] = "liar"
    def work(self, problem):
        print("noise on standard output")
        here = [[int(s)] for s in problem.starts]
        return make_plan(problem, self.name, "feasible", here)
"""


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    folder = tmp_path / "maps"
    write_instances(folder, 2, 12, ("random",))
    return folder


@pytest.fixture
def bad_planners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    place = tmp_path / "site"
    info = place / "bad_planners-1.0.dist-info"
    info.mkdir(parents=True)
    (place / "bad_planners.py").write_text(BAD)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bad-planners\nVersion: 1.0\n")
    lines = [f"{name.lower()} = bad_planners:{name}" for name in ("Abort", "Hang", "Hog", "Liar")]
    (info / "entry_points.txt").write_text("[navplan.planners]\n" + "\n".join(lines) + "\n")
    monkeypatch.setenv("PYTHONPATH", str(place))
    monkeypatch.syspath_prepend(str(place))
    entry_points_in.cache_clear()
    yield
    entry_points_in.cache_clear()
    sys.modules.pop("bad_planners", None)
