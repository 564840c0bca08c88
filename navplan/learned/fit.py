"""Learning from logs in one call."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from navplan.errors import InvalidInput
from navplan.learned.choices import chosen, parse_choices
from navplan.learned.datasets.columns import Columns
from navplan.learned.datasets.dataset import Dataset
from navplan.learned.training.run_config import LOGS_RECIPE, read_run_config, recipe_named
from navplan.system.numbers import check_whole
from navplan.system.paths import as_path
from navplan.system.progress import Progress


def fit(
    data: Dataset,
    out: str | os.PathLike[str],
    *,
    critic: str = "temporal",
    policy: str = "gcbc",
    steps: int | None = None,
    seed: int = 0,
    resume: bool = False,
    progress: Progress = None,
    **settings: Any,
) -> Path:
    """Learn a critic and a follower from logs; returns the run's folder, which `navplan.load_checkpoint` reads.

    Args:
        data: logs; their `goal` and `position` must be choices of columns, which a checkpoint can keep.
        out: a new folder, or with `resume` that of a run that was interrupted.
        critic, policy: modules by name, with options as ``"temporal:discount=0.995"``.
        steps: updates; None: 5,000.
        seed: of every random draw.
        resume: go on where the run in `out` was left, with the same data and settings.
        progress: who is told how far it is; see `navplan.system.progress.Progress`.
        settings: other fields of `navplan.learned.recipes.offline.config.OfflineConfig`.

    Raises:
        InvalidInput: `out` exists, a setting makes no sense, or `goal` or `position` are no choices of columns.
        UnknownName: there is no such module.
        MissingExtra: PyTorch is not installed.
    """
    from navplan.learned.training.train import train

    recipe = recipe_named(LOGS_RECIPE)
    fields = {"goal": columns_of(data, "goal"), "position": columns_of(data, "position"), "seed": seed, **settings}
    if steps is not None:
        check_whole(steps=steps)
        fields["steps"] = steps
    choices = parse_choices([f"critic={critic}", f"policy={policy}"])
    try:
        config = chosen(recipe.settings("").replace(**fields), choices)
    except TypeError as error:
        raise InvalidInput(f"settings do not fit: {error}") from error
    if resume and read_run_config(as_path(out)) != config:
        raise InvalidInput(f"{out}: was started with other settings than these")
    return train(config, as_path(out), resume=resume, data=data, progress=progress)


def columns_of(data: Dataset, name: str) -> tuple[int, ...]:
    """The columns of observations that `goal` or `position` choose; none where there is no such mapping.

    Raises:
        InvalidInput: it does something else.
    """
    import numpy as np

    view = getattr(data, name)
    if view is None:
        return ()
    if isinstance(view, Columns):
        return view.numbers
    if len(data.shape) == 1:
        # every column another number in every row, so that columns are told apart by what they hold
        probe = np.arange(4 * data.shape[0], dtype=np.float64).reshape(4, -1) ** 1.5
        shown = np.asarray(view(probe))
        found = [np.flatnonzero((probe == column[:, None]).all(axis=0)) for column in shown.T] if shown.ndim == 2 else []
        if found and all(len(each) == 1 for each in found):
            return tuple(int(each[0]) for each in found)
    raise InvalidInput(f"{name} is no choice of columns of observations, which is all that a run can keep: put it into columns")
