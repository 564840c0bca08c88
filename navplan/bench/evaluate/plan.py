"""From a suite to its shards: problems, checkpoints and settings put together, everything checked before anything is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from navplan.bench.evaluate.cells import Cell, cells_of
from navplan.bench.evaluate.checkpoints import Given, TrainedRun, run_of
from navplan.bench.evaluate.perturbations import NO_PERTURBATION, Perturbation
from navplan.bench.evaluate.shards import CalibrationShard, FrontShard, ProblemsShard
from navplan.bench.evaluate.suite import Setting, Suite
from navplan.bench.shards import Chain, Shard
from navplan.control.disturbance import CALM


class Arm(NamedTuple):
    """What each training seed runs in a cell: a setting, under a perturbation if the suite has any, on the first problems."""

    setting: Setting
    perturbation: Perturbation | None
    problems: int


def arms_of(suite: Suite, agents: int) -> list[Arm]:
    """The arms of cells of so many agents.

    Under what execution could not be told of, settings that it is not told in are those that it is: they are left out.
    """
    most = min(suite.problems, suite.fewer.get(agents, suite.problems))
    return [
        Arm(setting, perturbation, min(most, setting.problems or most))
        for perturbation in suite.perturbations or (None,)
        for setting in suite.settings
        if (setting.prepared or (perturbation is not None and perturbation.disturbance != CALM))
        and (perturbation is None or not perturbation.agents or agents in perturbation.agents)
    ]


@dataclass(frozen=True)
class EvaluationPlan:
    """The shards of an evaluation, by kind, in the order of the rows of its tables."""

    problems: tuple[ProblemsShard, ...]
    fronts: tuple[FrontShard, ...]
    calibrations: tuple[CalibrationShard, ...]

    def __len__(self) -> int:
        return len(self.problems) + len(self.fronts) + len(self.calibrations)

    def chains(self) -> list[Chain[Shard]]:
        """Every shard by itself, those of a group together."""
        shards: list[Shard] = [*self.problems, *self.fronts, *self.calibrations]
        return [Chain((shard,)) for shard in sorted(shards, key=lambda shard: shard.group)]


def plan_of(suite: Suite, given: Given) -> EvaluationPlan:
    """What there is to do for a suite.

    Args:
        given: runs in place of the suite's; only their maps and training seeds are run then.

    Raises:
        InvalidInput: as `cells_of`.
        FileAccessError: as `run_of`.
    """
    cells = [cell for cell in cells_of(suite) if not given or any(scenario == cell.map for scenario, _ in given)]
    problems = [
        ProblemsShard(
            suite.name,
            cell.first(arm.problems),
            arm.setting,
            run,
            _kept(suite, cell, arm.setting, run) if arm.perturbation in (None, NO_PERTURBATION) else None,
            arm.perturbation,
        )
        for cell in cells
        for arm in arms_of(suite, cell.agents)
        for run in _runs(suite, arm.setting, cell.map, given)
    ]
    return EvaluationPlan(tuple(problems), _fronts(suite, cells), _calibrations(suite, cells, given))


def _runs(suite: Suite, setting: Setting, scenario: str, given: Given) -> list[TrainedRun]:
    seeds = sorted(seed for name, seed in given if name == scenario) if given else suite.train_seeds
    return [run_of(setting, scenario, seed, given) for seed in seeds]


def _kept(suite: Suite, cell: Cell, setting: Setting, run: TrainedRun) -> int | None:
    """The problem whose trajectory the pictures show, of the settings that stand for their methods."""
    shown = suite.figures
    if shown is None or shown.where != cell.where or not setting.headline or run.train_seed != 0:
        return None
    return shown.problem if shown.problem < len(cell.starts) else None


def _fronts(suite: Suite, cells: Sequence[Cell]) -> tuple[FrontShard, ...]:
    """The oracle's front on the cell that the pictures show, as finely as the oracle's columns of its problems."""
    from navplan.scenarios.problems.oracle import RESOLUTION
    from navplan.scenarios.problems.suites import SUITES

    shown = suite.figures
    if shown is None:
        return ()
    resolution = SUITES[suite.problem_set].resolution if suite.problem_set in SUITES else RESOLUTION
    return tuple(FrontShard(cell, shown.step_weights, resolution) for cell in cells if cell.where == shown.where)


def _calibrations(suite: Suite, cells: Sequence[Cell], given: Given) -> tuple[CalibrationShard, ...]:
    """The critics that navplan plans with: one shard for each map and training seed."""
    setting = next((one for one in suite.settings if one.method == "navplan" and one.headline), None)
    if setting is None or suite.figures is None:
        return ()
    maps = dict.fromkeys((cell.map, cell.map_sha256) for cell in cells)
    return tuple(CalibrationShard(name, digest, run) for name, digest in maps for run in _runs(suite, setting, name, given))
