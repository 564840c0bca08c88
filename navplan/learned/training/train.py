"""The training loop: rounds of a run, logged, saved and resumed without a trace.

A run directory holds ``config.json``, ``curves.csv``, ``checkpoint.safetensors`` (the whole run), and when it is done
``policy.safetensors`` and ``stage1.safetensors`` (networks and states). Checkpoints are taken between rounds only.
"""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from navplan.errors import InvalidInput
from navplan.learned.training import tensors as files
from navplan.learned.training.fields import TrainingSettings
from navplan.learned.training.run import CURVES, Run, new_run, versions
from navplan.learned.training.run_config import read_run_config
from navplan.system.files import is_temporary, locked, write_text
from navplan.system.progress import Progress, told
from navplan.system.signals import handled


def train(
    config: TrainingSettings, out: str | Path, *, resume: bool = False, data: object = None, progress: Progress = None
) -> Path:
    """Train to the end; returns the run directory.

    Args:
        config: what to train. With `resume` it must be the one that the run was started with, or that `extended` to more steps:
            the run goes on where it ended, by the schedules of the longer one. Where nothing is scheduled over the whole run
            (recipe paper) that is what one long run would have been; where rates fall towards the end (recipe navplan) it is not.
        out: a new folder, or with `resume` the folder of a run that was interrupted, or that is to be made longer.
        data: a dataset to learn from that the configuration cannot name, for recipes that learn from logs.
        progress: who is told after each round of the updates made and the latest row of the curves; see
            `navplan.system.progress.Progress`.

    Raises:
        InvalidInput: `out` exists already (without `resume`) or holds no run (with it).
        FileAccessError: another process is at work in `out`.
        CheckpointError: the checkpoint in `out` is damaged or belongs to another configuration.
        KeyboardInterrupt: Ctrl-C; the run is saved first.
    """
    folder = Path(out)
    _check_folder(folder, resume)
    with told(progress) as listener, locked(folder), fixed_numerics(config), _interrupt() as interrupted:
        about = f"{out}: recipe {config.recipe}, seed {config.seed}, {config.steps} updates"
        listener.stage(f"preparing {about}")
        run = _open(config, folder, resume, data)
        listener.stage(f"training {about}")
        figures = ""
        while run.learner.updates < config.steps:
            before = run.learner.updates
            run.round()
            stop = interrupted.is_set()
            done = run.learner.updates >= config.steps
            if done or _passed(before, run.learner.updates, config.log_interval):
                figures = _figures(run.log())
                run.write_curves(folder)
            if done or stop or _passed(before, run.learner.updates, config.checkpoint_interval):
                run.save(folder)
            listener.show(run.learner.updates, config.steps, figures)
            if stop:
                raise KeyboardInterrupt
        run.write_curves(folder)
        run.export(folder)
    return folder


def _figures(row: dict[str, float]) -> str:
    """A row of the curves in words."""
    return ", ".join(f"{name} {value:.3g}" for name, value in row.items() if name not in ("updates", "seconds"))


def latest(folder: Path) -> dict[str, float]:
    """The last row of a run's curves; empty where there is none yet."""
    path = folder / CURVES
    rows = list(csv.DictReader(path.read_text("utf-8").splitlines())) if path.is_file() else []
    return {name: float(value) for name, value in rows[-1].items()} if rows else {}


def _open(config: TrainingSettings, folder: Path, resume: bool, data: object) -> Run[Any]:
    if not resume:
        _check_folder(folder, resume)
        run = new_run(config, data)
        _write_config(config, folder)
        run.warm_up()
        return run
    started = read_run_config(folder)
    longer = started.steps < config.steps and started.extended(config.steps) == config
    if started != config and not longer:
        raise InvalidInput(f"{folder}: was started with another configuration than the one asked for")
    path = folder / files.CHECKPOINT
    if not path.is_file() and (folder / files.POLICY).is_file():
        raise InvalidInput(f"{folder}: was exported for use only, expected a run that still has its {files.CHECKPOINT}")
    run = new_run(config, data)
    if path.is_file():
        run.restore(path)
    else:
        run.warm_up()  # it was stopped before its first checkpoint: from the beginning, with the same result
    if longer:
        _write_config(config, folder)
    return run


def _check_folder(folder: Path, resume: bool) -> None:
    """Refuse what is there already, or is not; what a process that was killed at once has left is nothing."""
    if resume:
        read_run_config(folder)
    elif folder.exists() and (not folder.is_dir() or any(not is_temporary(path) for path in folder.iterdir())):
        raise InvalidInput(f"{folder}: exists already; choose another folder, or continue the run in it with --resume")


def _write_config(config: TrainingSettings, folder: Path) -> None:
    write_text(folder / "config.json", json.dumps({"config": config.to_dict(), "versions": versions()}, indent=2) + "\n")


def _passed(before: int, after: int, interval: int) -> bool:
    return before // interval != after // interval


@contextmanager
def fixed_numerics(config: TrainingSettings) -> Iterator[None]:
    """Fixed threads (sums are split over them), no denormals (they slow the late, small gradients), a seeded generator."""
    before = torch.get_num_threads()
    torch.set_num_threads(config.threads)
    torch.set_flush_denormal(True)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(before)


@contextmanager
def _interrupt() -> Iterator[threading.Event]:
    """Turn Ctrl-C and SIGTERM into an event, so that a round is finished and saved first; only the main thread may do so."""
    event = threading.Event()
    with handled(lambda *_: event.set()):
        yield event
