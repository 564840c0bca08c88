"""The shards of an evaluation: problems of one setting, the oracle's front, the calibration of critics."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from navplan.bench.evaluate.cells import Cell
from navplan.bench.evaluate.checkpoints import TrainedRun, load_run
from navplan.bench.evaluate.drive import Conditions, drive_problem
from navplan.bench.evaluate.options import options_from, options_text
from navplan.bench.evaluate.perturbations import Perturbation
from navplan.bench.evaluate.results import CALIBRATION_BINS, KEYS, PERTURBED
from navplan.bench.evaluate.suite import Setting
from navplan.bench.provenance import code_hash, version
from navplan.bench.shards import Document, Shard, Workspace, key_of
from navplan.bench.tables import Record

# Whose sources decide what comes out of a run; rows of one table should agree in them.
_ROOMS = ("control", "execution", "graph", "kernels", "learned", "navigation", "plan", "planners", "scenarios", "system")
# Columns that a row has from its shard's identity.
_OWN = (*(name for name in KEYS if name != "problem"), "checkpoint_sha256")
PAIRS = 4000
"""Pairs of points that a calibration drives."""


def sources() -> str:
    """Hash of the sources that results depend on."""
    return code_hash(*_ROOMS)


@dataclass(frozen=True, eq=False)
class ProblemsShard(Shard):
    """The problems of a cell, driven by one setting with the networks of one training seed.

    Attributes:
        suite: its name.
        keep: the problem whose trajectory is kept under OUT/trajectories for the pictures, if one is.
        perturbation: what is otherwise than in training, in suites that have perturbations.
    """

    kind: ClassVar[str] = "problems"
    suite: str
    cell: Cell
    setting: Setting
    run: TrainedRun
    keep: int | None = None
    perturbation: Perturbation | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """See `navplan.bench.shards.Shard`."""
        disturbed = self.perturbation
        perturbed = {} if disturbed is None else {"perturbation": disturbed.name, "level": disturbed.level}
        unprepared = {} if self.setting.prepared else {"prepared": False}
        return {
            **perturbed,
            **unprepared,
            "kind": self.kind,
            "suite": self.suite,
            "map": self.cell.map,
            "map_sha256": self.cell.map_sha256,
            "difficulty": self.cell.difficulty,
            "agents": self.cell.agents,
            "method": self.setting.method,
            "setting": self.setting.name,
            "train_seed": self.run.train_seed,
            "options": options_text(self.setting.options),
            "ensemble": self.setting.ensemble,
            "problems": self.cell.digest(),
            "checkpoint_sha256": self.run.sha256,
            "version": version(),
        }

    @property
    def label(self) -> str:
        """Cell, perturbation, setting, training seed."""
        under = "" if self.perturbation is None else f" {self.perturbation.label}"
        return f"{self.cell.label}{under} {self.setting.label} seed {self.run.train_seed}"

    @property
    def group(self) -> str:
        """Those that share a roadmap."""
        setting = self.setting
        return json.dumps([self.cell.map, setting.method, options_text(setting.options), setting.ensemble, self.run.sha256])

    def work(self, workspace: Workspace) -> Document:
        """Rows of results and times, one a problem."""
        from navplan.navigation.methods import method_named
        from navplan.navigation.navigate import build_roadmap
        from navplan.scenarios.registry import load_scenario

        scenario, cell, setting = load_scenario(self.cell.map), self.cell, self.setting
        critics = workspace.cache.get(f"{self.run.sha256} {setting.ensemble}", lambda: load_run(self.run, setting.ensemble))
        options = options_from(setting.options)
        how = options.applied(method_named(setting.method))
        began = time.perf_counter()
        roadmap = workspace.cache.get(self.group, lambda: build_roadmap(scenario, critics, how, options)) if how.plans else None
        roadmap_s = time.perf_counter() - began if how.plans else 0.0
        rows, times = [], []
        for problem in range(len(cell.starts)):
            drive = drive_problem(scenario, critics, setting.method, options, roadmap, cell, problem, self._conditions(problem))
            rows.append(drive.row)
            times.append({**drive.seconds, "roadmap_s": 0.0 if problem else roadmap_s})
            if problem == self.keep:
                drive.trajectory.save(self.trajectory_file(workspace.out))
        return _document(self, {"rows": rows, "times": times})

    def accepts(self, document: Document, out: Path) -> bool:
        """See `navplan.bench.shards.Shard`."""
        return _is_of(self, document) and (self.keep is None or self.trajectory_file(out).is_file())

    def trajectory_file(self, out: Path) -> Path:
        """Where the trajectory lies that is kept."""
        return out / "trajectories" / f"{key_of(self)}.npz"

    def rows(self, document: Document) -> list[Record]:
        """Its rows of results.csv."""
        return [{**self._columns(), **row} for row in document["result"]["rows"]]

    def times(self, document: Document) -> list[Record]:
        """Its rows of timings.csv."""
        return [{**self._columns(), "code": document["code"], **row} for row in document["result"]["times"]]

    def _columns(self) -> Record:
        identity = self.identity
        return {name: identity[name] for name in (*_OWN, *PERTURBED) if name in identity}

    def _conditions(self, problem: int) -> Conditions:
        """What goes wrong with a problem: the same for every method."""
        if self.perturbation is None:
            return Conditions()
        cell = self.cell
        noise = self.perturbation.noise(self.suite, *cell.where, problem, self.run.train_seed)
        return Conditions(self.perturbation, noise, self.setting.prepared)


@dataclass(frozen=True, eq=False)
class FrontShard(Shard):
    """The oracle's front of mean steps and mean cost over all agents of all problems of a cell, each alone on the map.

    Attributes:
        step_weights: prices of a step.
        resolution: of the oracle's search, as `navplan.scenarios.problems.oracle.pareto` takes it.
    """

    kind: ClassVar[str] = "pareto"
    cell: Cell
    step_weights: tuple[float, ...]
    resolution: float

    @property
    def identity(self) -> dict[str, Any]:
        """See `navplan.bench.shards.Shard`."""
        return {
            "kind": self.kind,
            "map_sha256": self.cell.map_sha256,
            "points": hashlib.sha256(self.cell.starts.tobytes() + self.cell.goals.tobytes()).hexdigest(),
            "version": version(),
            "step_weights": list(self.step_weights),
            "resolution": self.resolution,
        }

    @property
    def label(self) -> str:
        """Cell, and what."""
        return f"{self.cell.label} oracle's front"

    @property
    def group(self) -> str:
        """Its own."""
        return self.kind

    def work(self, workspace: Workspace) -> Document:
        """Points of the front: price of a step, mean steps, mean cost."""
        from navplan.scenarios.problems.oracle import pareto
        from navplan.scenarios.registry import load_scenario

        scenario = load_scenario(self.cell.map)
        starts, goals = self.cell.starts.reshape(-1, 2), self.cell.goals.reshape(-1, 2)
        how: dict[str, Any] = {"tolerance": scenario.goal_tolerance, "resolution": self.resolution}
        front = pareto(scenario.world, starts, goals, list(self.step_weights), **how)
        points = zip(front.step_weights, front.steps.mean(axis=1), front.cost.mean(axis=1), strict=True)
        return _document(self, {"front": [[float(value) for value in point] for point in points]})

    def accepts(self, document: Document, out: Path) -> bool:
        """See `navplan.bench.shards.Shard`."""
        return _is_of(self, document)

    def front(self, document: Document) -> list[list[float]]:
        """The points."""
        points: list[list[float]] = document["result"]["front"]
        return points


@dataclass(frozen=True, eq=False)
class CalibrationShard(Shard):
    """Whether critics mean what they say: predicted against realised steps and cost over pairs that a graph would join."""

    kind: ClassVar[str] = "calibration"
    map: str
    map_sha256: str
    run: TrainedRun
    pairs: int = PAIRS

    @property
    def identity(self) -> dict[str, Any]:
        """See `navplan.bench.shards.Shard`."""
        return {
            "kind": self.kind,
            "map_sha256": self.map_sha256,
            "checkpoint_sha256": self.run.sha256,
            "pairs": self.pairs,
            "version": version(),
        }

    @property
    def label(self) -> str:
        """Map, what, training seed."""
        return f"{self.map} calibration seed {self.run.train_seed}"

    @property
    def group(self) -> str:
        """Those of a map."""
        return f"~{self.map}"

    def work(self, workspace: Workspace) -> Document:
        """Bins of predictions with what came of them."""
        from navplan.learned.evaluation.calibration import calibration, near_pairs
        from navplan.scenarios.registry import load_scenario

        scenario = load_scenario(self.map)
        pairs = near_pairs(scenario.world, self.pairs, np.random.default_rng(0))
        found = calibration(load_run(self.run, None), scenario.world, *pairs, tolerance=scenario.goal_tolerance)
        return _document(self, found.to_dict())

    def accepts(self, document: Document, out: Path) -> bool:
        """See `navplan.bench.shards.Shard`."""
        return _is_of(self, document)

    def rows(self, document: Document) -> list[Record]:
        """Its rows of calibration.csv: one for each bin of each quantity."""
        rows: list[Record] = []
        own = {"map": self.map, "train_seed": self.run.train_seed, "arrived_share": document["result"]["reached"]}
        for quantity in ("steps", "cost"):
            found = document["result"][quantity]
            numbers = {name: found[name] for name in ("mae", "bias", "error")}
            bins = zip(*(found[name] for name in CALIBRATION_BINS), strict=True)
            rows += [{**own, "quantity": quantity, **numbers, **dict(zip(CALIBRATION_BINS, one, strict=True))} for one in bins]
        return rows


def _document(shard: ProblemsShard | FrontShard | CalibrationShard, result: dict[str, Any]) -> Document:
    identity = {name: value for name, value in shard.identity.items() if name != "kind"}
    return {"key": key_of(shard), "kind": shard.kind, "identity": identity, "code": sources(), "result": result}


def _is_of(shard: ProblemsShard | FrontShard | CalibrationShard, document: Document) -> bool:
    return document.get("key") == key_of(shard) and "result" in document
