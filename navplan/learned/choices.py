"""Which learned parts a run is made of: ``--set SLOT=NAME[:OPTION=VALUE,…]``, and where a run's configuration comes from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from navplan.errors import InvalidInput, UnknownName
from navplan.learned.interface import SLOTS
from navplan.learned.training.fields import TrainingSettings, hosted, read_module
from navplan.learned.training.run_config import FIRST_RECIPE, LOGS_RECIPE, read_config, read_run_config, recipe_named

Choices = Mapping[str, dict[str, Any]]
"""Slot -> table of a module, as TOML would hold it."""


class Wanted(NamedTuple):
    """What a user says of a run; None where nothing is said."""

    scenario: str | None = None
    recipe: str | None = None
    seed: int | None = None
    steps: int | None = None
    choices: Choices = MappingProxyType({})
    logs: Mapping[str, Any] = MappingProxyType({})
    """Of learning from logs: ``data``, ``goal``, ``position`` and ``cost``, what is said of them."""


def parse_choices(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """``SLOT=NAME[:OPTION=VALUE,…]`` each, as tables by slot; ``_`` is taken for ``-`` in names and ``-`` for ``_`` in options.

    Raises:
        InvalidInput: not of that form, or a slot or an option is chosen twice.
        UnknownName: there is no such slot.

    Example:
        >>> parse_choices(["curriculum=disagreement:spread=2", "recipe=navplan"])
        {'curriculum': {'use': 'disagreement', 'spread': 2}, 'recipe': {'use': 'navplan'}}
    """
    choices: dict[str, dict[str, Any]] = {}
    for text in texts:
        slot, _, module = text.partition("=")
        name, colon, options = module.partition(":")
        pairs = [option.partition("=") for option in options.split(",")] if colon else []
        if not slot or not name or not all(key and equals and value for key, equals, value in pairs):
            raise InvalidInput(f"--set is {text!r}, expected SLOT=NAME or SLOT=NAME:OPTION=VALUE,…")
        slot = slot.replace("_", "-")
        if slot not in SLOTS:
            raise UnknownName("slot", slot, SLOTS)
        if slot in choices:
            raise InvalidInput(f"--set {slot} is given twice, expected one choice for a slot")
        table: dict[str, Any] = {"use": name}
        for key, _, value in pairs:
            key = key.replace("-", "_")
            if key in table:
                raise InvalidInput(f"--set is {text!r}: {key} is given twice")
            table[key] = _value(value)
        choices[slot] = table
    return choices


def chosen(settings: TrainingSettings, choices: Choices) -> TrainingSettings:
    """A configuration with other modules in some of its slots.

    Raises:
        InvalidInput: its recipe does not host a slot; or an unknown option, a value of another type or out of its range.
        UnknownName: there is no such module.
    """
    slots = hosted(type(settings))
    modules: dict[str, Any] = {}
    for slot, table in choices.items():
        if slot not in slots:
            known = f"expected {' or '.join(slots)}" if slots else "it has none"
            raise InvalidInput(f"--set {slot}: recipe {settings.recipe!r} has no such slot, {known}")
        try:
            modules[slot] = read_module(slot, table)
        except InvalidInput as error:
            raise InvalidInput(f"--set {slot}={table['use']}: {error}") from error
    return settings.replace(**modules)


def new_settings(wanted: Wanted, config: Path | None = None) -> TrainingSettings:
    """The configuration of a new run: a TOML file's, the scenario's, or that of learning from logs, with what else is wanted.

    Raises:
        InvalidInput, UnknownName, FileAccessError: what is wanted contradicts itself, or does not exist.
    """
    name = _recipe(wanted)
    if wanted.scenario is not None and wanted.logs.get("data"):
        raise InvalidInput("--scenario and --data are both given, expected one of them: logs say where they were driven")
    if config is not None:
        base = read_config(config)
        if name not in (None, base.recipe):
            raise InvalidInput(f"--config is for new runs of its own recipe: {config} is one of {base.recipe!r}, not {name!r}")
    elif wanted.logs.get("data"):
        base = recipe_named(name or LOGS_RECIPE).settings("")
    elif wanted.scenario is None:
        raise InvalidInput("--scenario is missing, expected the name of a scenario or the path of a scenario file, or --data")
    else:
        base = recipe_named(name or FIRST_RECIPE).settings(wanted.scenario)
    return _changed(base, wanted)


def resumed_settings(wanted: Wanted, out: str | Path) -> TrainingSettings:
    """The configuration of the run in `out`, if it is what is wanted; `train` refuses another one.

    Raises:
        InvalidInput, UnknownName, FileFormatError: there is no run, or one of another recipe.
    """
    base, name = read_run_config(out), _recipe(wanted)
    if name not in (None, base.recipe):
        raise InvalidInput(f"{out}: was started with recipe {base.recipe!r}, not {name!r}")
    if wanted.steps is not None and wanted.steps > base.steps:
        base = base.extended(wanted.steps)
    return _changed(base, wanted)


def _recipe(wanted: Wanted) -> str | None:
    """The registered name of the recipe that is asked for."""
    table = wanted.choices.get("recipe", {})
    if len(table) > 1:
        options = ", ".join(key for key in table if key != "use")
        raise InvalidInput(f"--set recipe={table['use']}: has no option {options}; a TOML file (--config) says the rest of a run")
    names = {recipe_named(name).name for name in (wanted.recipe, table.get("use")) if name is not None}
    if len(names) > 1:
        raise InvalidInput(f"--recipe {wanted.recipe} and --set recipe={table['use']} differ, expected one of them")
    return names.pop() if names else None


def _changed(base: TrainingSettings, wanted: Wanted) -> TrainingSettings:
    asked: dict[str, Any] = {"scenario": wanted.scenario, "seed": wanted.seed, "steps": wanted.steps, **wanted.logs}
    known = {field.name for field in dataclasses.fields(base)}  # type: ignore[arg-type]
    for name in wanted.logs:
        if name not in known:
            raise InvalidInput(f"--{name} is for learning from logs, which recipe {base.recipe!r} does not do")
    settings = base.replace(**{name: value for name, value in asked.items() if value is not None})
    return chosen(settings, {slot: table for slot, table in wanted.choices.items() if slot != "recipe"})


def _value(text: str) -> Any:
    """A number, true, false, or else the text itself."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
