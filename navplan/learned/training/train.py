"""The training loop: rounds of collection and updates, logged, saved and resumed without a trace.

A run directory holds ``config.json``, ``curves.csv``, ``checkpoint.safetensors`` (the whole run), and when it is done
``policy.safetensors`` and ``stage1.safetensors`` (networks and states). Checkpoints are taken between rounds only.
The loop is the same for all recipes; what a round is belongs to their runs.
"""

from __future__ import annotations

import csv
import io
import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from navplan.errors import InvalidInput
from navplan.learned.recipes.navplan.config import TrainConfig
from navplan.learned.recipes.navplan.run import COLUMNS, Run, versions
from navplan.learned.recipes.paper.config import PaperConfig
from navplan.learned.recipes.paper.run import PaperRun
from navplan.learned.training import tensors as files
from navplan.learned.training.run_config import read_run_config
from navplan.system.files import write_text

Progress = Callable[[int, dict[str, float]], None]


def train(config: TrainConfig | PaperConfig, out: str | Path, *, resume: bool = False, progress: Progress | None = None) -> Path:
    """Train both stages; returns the run directory.

    Args:
        config: what to train. With `resume` it must be the one that the run was started with.
        out: a new folder, or with `resume` the folder of a run that was interrupted.
        progress: called after each round with the updates made and the latest row of the curves.

    Raises:
        InvalidInput: `out` exists already (without `resume`) or holds no run (with it).
        CheckpointError: the checkpoint in `out` is damaged or belongs to another configuration.
        KeyboardInterrupt: Ctrl-C; the run is saved first.
    """
    folder = Path(out)
    with fixed_numerics(config), _interrupt() as interrupted:
        run = _open(config, folder, resume)
        row: dict[str, float] = {}
        while run.agent.updates < config.steps:
            before = run.agent.updates
            run.round()
            stop = interrupted.is_set()
            done = run.agent.updates >= config.steps
            if done or _passed(before, run.agent.updates, config.log_interval):
                row = run.log()
                _write_curves(folder, run.rows)
            if done or stop or _passed(before, run.agent.updates, config.checkpoint_interval):
                run.save(folder)
            if progress is not None:
                progress(run.agent.updates, row)
            if stop:
                raise KeyboardInterrupt
        _write_curves(folder, run.rows)
        run.export(folder)
    return folder


def _new(config: TrainConfig | PaperConfig) -> Run | PaperRun:
    return PaperRun(config) if isinstance(config, PaperConfig) else Run(config)


def _open(config: TrainConfig | PaperConfig, folder: Path, resume: bool) -> Run | PaperRun:
    if not resume:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InvalidInput(f"{folder}: exists already; choose another folder, or continue the run in it with --resume")
        run = _new(config)
        write_text(folder / "config.json", json.dumps({"config": config.to_dict(), "versions": versions()}, indent=2) + "\n")
        run.warm_up()
        return run
    if read_run_config(folder) != config:
        raise InvalidInput(f"{folder}: was started with another configuration than the one asked for")
    path = folder / files.CHECKPOINT
    if not path.is_file() and (folder / files.POLICY).is_file():
        raise InvalidInput(f"{folder}: was exported for use only, expected a run that still has its {files.CHECKPOINT}")
    run = _new(config)
    if path.is_file():
        run.restore(path)
    else:
        run.warm_up()  # it was stopped before its first checkpoint: from the beginning, with the same result
    return run


def _passed(before: int, after: int, interval: int) -> bool:
    return before // interval != after // interval


def _write_curves(folder: Path, rows: list[list[float]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([*(int(value) for value in row[:3]), *(f"{value:.5g}" for value in row[3:])])
    write_text(folder / "curves.csv", text.getvalue())


@contextmanager
def fixed_numerics(config: TrainConfig | PaperConfig) -> Iterator[None]:
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
    """Turn Ctrl-C into an event, so that a round is finished and saved first; only the main thread may do so."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before = signal.signal(signal.SIGINT, lambda *_: event.set())
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)
