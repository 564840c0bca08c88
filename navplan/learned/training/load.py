"""Finished runs back from their files, by path or by the name of a bundled one."""

from __future__ import annotations

import importlib
import math
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from navplan.errors import CheckpointError, FileAccessError, FileFormatError, InvalidInput, MissingExtra, UnknownName
from navplan.learned.interface import Arrays, Exported, Recipe
from navplan.learned.training.run_config import config_from, recipe_named
from navplan.learned.training.tensors import CHECKPOINT, EXPORTS, POLICY, read_tensors
from navplan.system.names import Registry
from navplan.system.paths import as_path, exists
from navplan.system.words import said

if TYPE_CHECKING:
    from navplan.learned.trained import Critics


CRITICS: Registry[Critics] = Registry("critics", {}, "navplan.critics")
"""Critics of other distributions, by entry point: a class or function that makes them without arguments."""


def bundled_checkpoints() -> tuple[str, ...]:
    """Names of the checkpoints that come with navplan."""
    folder = resources.files("navplan.learned") / "checkpoints"
    if not folder.is_dir():
        return ()
    return tuple(sorted(entry.name for entry in folder.iterdir() if (entry / POLICY).is_file()))


def checkpoint_folder(path_or_name: str | Path) -> Path:
    """The run directory behind a bundled name, or the path itself.

    Raises:
        UnknownName: a bare word that is neither bundled nor a path.
        FileAccessError: a path without a run in it.
    """
    names, path, bare = bundled_checkpoints(), as_path(path_or_name), not isinstance(path_or_name, Path)
    if bare and str(path) in names:
        return Path(str(resources.files("navplan.learned") / "checkpoints" / path))
    if exists(path):
        return path
    if bare and len(path.parts) <= 1 and not path.suffix:
        raise UnknownName("checkpoint", str(path), {*names, *CRITICS.names()})
    raise FileAccessError(f"{path}: no such run, expected a run directory or one of: {', '.join(names)}")


def load_checkpoint(path_or_name: str | Path, *, stage: int = 2) -> Critics:
    """Critics and policies of a finished run.

    Args:
        path_or_name: a run directory, a ``.safetensors`` file of one, the name of a bundled checkpoint, or one that another
            distribution registers for its critics (entry points `navplan.critics`), which are made then.
        stage: 2 for the final networks, 1 for those of the unconstrained policy that stage 2 started from.

    Raises:
        InvalidInput: another stage.
        MissingExtra: PyTorch is not installed.
        UnknownName, FileAccessError: there is no such run.
        CheckpointError: the file is truncated, foreign, or of another shape than its configuration.
    """
    if isinstance(path_or_name, str) and path_or_name in CRITICS.names() and path_or_name not in bundled_checkpoints():
        made: Critics = CRITICS.made(path_or_name)
        return made
    if not isinstance(stage, int) or stage not in EXPORTS:
        raise InvalidInput(f"stage is {said(stage)}, expected 1 or 2")
    folder = checkpoint_folder(path_or_name)
    path = folder / EXPORTS[stage] if folder.is_dir() else folder
    if folder.is_dir() and not path.is_file() and (folder / CHECKPOINT).is_file():
        raise FileAccessError(f"{path}: is missing, this run is not finished: continue it with navplan train --resume")
    try:
        importlib.import_module("torch")
    except ImportError as error:
        raise MissingExtra("a learned checkpoint", "PyTorch", "learned") from error
    return _critics(path, *read_tensors(path, "policy"))


def _critics(path: Path, arrays: Arrays, document: dict[str, Any]) -> Critics:
    """What the recipe that the file names makes of its contents.

    Raises:
        CheckpointError: contents and configuration do not fit.
    """
    try:
        values = document.get("config")
        if not isinstance(values, dict):
            raise CheckpointError(path, "has no configuration in its header")
        config = config_from(values, path)
    except FileFormatError as error:
        raise error if isinstance(error, CheckpointError) else CheckpointError(path, _without_path(path, error)) from error
    recipe: Recipe[Any, Critics] = recipe_named(config.recipe)
    return recipe.trained(config, _exported(path, arrays, document, getattr(recipe, "mapped", True)))


def _exported(path: Path, arrays: Arrays, document: dict[str, Any], mapped: bool) -> Exported:
    """The parts of a policy file that do not depend on the recipe, checked; `mapped`: it knows a map's size, and states in it."""
    wide = {name: array.astype(np.float32) if array.dtype == np.float16 else array for name, array in arrays.items()}
    size, stage = document.get("size") if mapped else [1, 1], document.get("stage")
    if not isinstance(size, list) or len(size) != 2 or not all(type(v) in (int, float) and 0 < v < math.inf for v in size):
        raise CheckpointError(path, f"map size is {size!r}, expected two positive numbers")
    states = wide.get("states")
    if states is None or states.ndim != 2 or (mapped and states.shape[1] != 2) or len(states) < 1 or states.dtype != np.float32:
        raise CheckpointError(path, f"tensor 'states' is missing or misshaped, expected float32 (K, {2 if mapped else 'D'})")
    if not isinstance(stage, int) or stage not in EXPORTS:
        raise CheckpointError(path, f"stage is {stage!r}, expected 1 or 2")
    return Exported(path, wide, (float(size[0]), float(size[1])), states, stage, document)


def _without_path(path: Path, error: Exception) -> str:
    return str(error).removeprefix(f"{path}: ")
