"""Configurations out of files, whichever recipe they name; readable without PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from navplan.errors import CheckpointError, FileFormatError, InvalidInput, UnknownName
from navplan.learned import registry
from navplan.learned.interface import Recipe
from navplan.learned.training.fields import TrainingSettings, read_toml
from navplan.system.files import read_bytes
from navplan.system.reading import parse_json

FIRST_RECIPE = "navplan"
"""What files mean that name none."""
LOGS_RECIPE = "offline"
"""What learning from logs means where none is named."""


def recipe_named(name: object) -> Recipe[Any, Any]:
    """The recipe called `name`.

    Raises:
        UnknownName: there is none.
    """
    recipe: Recipe[Any, Any] = registry.get(str(name), "recipe")()
    return recipe


def read_config(path: str | Path) -> TrainingSettings:
    """A TOML file of a configuration's fields; without ``recipe`` it is one of recipe navplan.

    Raises:
        FileAccessError: it cannot be read.
        FileFormatError: it is no TOML or does not fit.
    """
    recipe, values = _by_recipe(read_toml(path), path)
    settings: TrainingSettings = recipe.read(values, path)
    return settings


def read_run_config(out: str | Path) -> TrainingSettings:
    """The configuration that a run directory was started with.

    Raises:
        InvalidInput: there is no run in it.
        FileFormatError: its config.json is damaged.
    """
    path = Path(out) / "config.json"
    if not path.is_file():
        raise InvalidInput(f"{out}: holds no run to resume (no config.json)")
    expected = "the configuration of a run, JSON with a 'config' object"
    values = parse_json(path, read_bytes(path), expected, CheckpointError)
    config = values.get("config") if isinstance(values, dict) else None
    if not isinstance(config, dict):
        raise CheckpointError(path, f"is something else, expected {expected}")
    return config_from(config, path)


def config_from(values: Mapping[str, Any], source: str | Path) -> TrainingSettings:
    """The configuration that a run's own file holds, however old it is.

    Raises:
        FileFormatError: it does not fit.
    """
    recipe, values = _by_recipe(values, source)
    settings: TrainingSettings = recipe.recall(values, source)
    return settings


def _by_recipe(values: Mapping[str, Any], source: str | Path) -> tuple[Recipe[Any, Any], dict[str, Any]]:
    """The recipe that the values name, and the values with its registered name."""
    try:
        recipe = recipe_named(values.get("recipe", FIRST_RECIPE))
    except UnknownName as error:
        raise FileFormatError(source, str(error)) from error
    return recipe, {**values, "recipe": recipe.name}
