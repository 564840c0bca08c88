"""Which trained run drives: the suite's own by pattern or the user's by name, and what to do where one is missing."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from navplan.bench.evaluate.suite import Setting, Suite
from navplan.errors import FileAccessError, InvalidInput, UnknownName
from navplan.system.files import sha256

Given = dict[tuple[str, int], Path]
"""Run directories by scenario and training seed, where the user names them instead of the suite."""


@dataclass(frozen=True, eq=False)
class TrainedRun:
    """A run directory of one training seed: its name, and the file of the networks of a stage."""

    name: str
    file: Path
    sha256: str
    train_seed: int
    stage: int


def given_runs(paths: Sequence[str], suite: Suite) -> Given:
    """The user's run directories, by the scenario and the seed that they say they were trained with.

    Raises:
        InvalidInput: a run of a map that the suite does not have, or two of one seed.
        UnknownName, FileAccessError, CheckpointError: as `load_checkpoint`.
    """
    from navplan.learned.training.load import checkpoint_folder
    from navplan.learned.training.tensors import POLICY, read_tensors

    runs: Given = {}
    for path in paths:
        folder = checkpoint_folder(path)
        config = read_tensors(folder / POLICY, "policy")[1].get("config")
        config = config if isinstance(config, dict) else {}
        scenario, seed = str(config.get("scenario")), int(config.get("seed", 0))
        name = Path(scenario).stem
        if name not in suite.maps:
            raise InvalidInput(f"{path}: was trained on {scenario!r}, expected a map of the suite: {', '.join(suite.maps)}")
        if (name, seed) in runs:
            raise InvalidInput(f"{path} and {runs[name, seed]}: trained on {name} with seed {seed}, expected different seeds")
        runs[name, seed] = folder
    return runs


def run_of(setting: Setting, scenario: str, seed: int, given: Given) -> TrainedRun:
    """The run directory of a setting on a map.

    Raises:
        FileAccessError: there is none; the message has the command that trains it.
    """
    from navplan.learned.training.load import checkpoint_folder
    from navplan.learned.training.tensors import POLICY, STAGE1
    from navplan.navigation.methods import method_named

    stage = 2 if method_named(setting.method).constrained else 1
    if given:
        folder = given[scenario, seed]
    else:
        name = setting.checkpoints.of(scenario, seed)
        try:
            folder = checkpoint_folder(name)
        except (UnknownName, FileAccessError) as error:
            words = f"no such run, which {setting.label} needs; train it with: {training_command(setting, scenario, seed)}"
            raise FileAccessError(f"{name}: {words}") from error
    file = folder / (POLICY if stage == 2 else STAGE1)
    return TrainedRun(folder.name, file, _hash(file), seed, stage)


def training_command(setting: Setting, scenario: str, seed: int) -> str:
    """The command that trains the run of a setting on a map, to where it is looked for."""
    configs = Path(str(resources.files("navplan.learned") / "configs"))
    here = Path(os.path.relpath(configs))
    shown = configs if here.parts[:1] == ("..",) else here
    what = setting.checkpoints.train.format(scenario=scenario, configs=shown)
    where = shlex.quote(setting.checkpoints.of(scenario, seed))
    return f"navplan train {what} --seed {seed} --out {where}"


def load_run(run: TrainedRun, ensemble: int | None) -> Any:
    """Critics and policies of a run directory; with `ensemble`, only the first so many critics of each kind.

    Raises:
        InvalidInput: the checkpoint has fewer.
    """
    from navplan.learned.training.load import load_checkpoint

    critics = load_checkpoint(run.file.parent, stage=run.stage)
    if ensemble is None:
        return critics
    try:
        return critics.members_only(ensemble)
    except InvalidInput as error:
        raise InvalidInput(f"{run.name}: {error}") from error


@cache
def _hash(file: Path) -> str:
    return sha256(file)
