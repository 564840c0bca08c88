"""Checked configurations: frozen dataclasses of plain values, read from TOML and JSON with errors that name the key."""

from __future__ import annotations

import dataclasses
import json
import math
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from navplan.errors import FileFormatError, InvalidInput, UnknownName

RECIPES = ("navplan", "paper")

T = TypeVar("T")


def check_fields(config: Any, *, positive: Sequence[str], most: Mapping[str, int], shares: Sequence[str]) -> None:
    """Check ranges of fields by name.

    Raises:
        InvalidInput: one is out of its range.
    """
    for name in positive:
        if getattr(config, name) <= 0:
            raise InvalidInput(f"{name} is {getattr(config, name)}, expected a positive number")
    for name, limit in most.items():
        if getattr(config, name) > limit:
            raise InvalidInput(f"{name} is {getattr(config, name)}, expected at most {limit}")
    for name in shares:
        if not 0 <= getattr(config, name) <= 1:
            raise InvalidInput(f"{name} is {getattr(config, name)}, expected a share in [0, 1]")


def check_recipe(name: str, expected: str) -> None:
    """Check that a configuration is one of its own recipe.

    Raises:
        UnknownName: there is no such recipe.
        InvalidInput: it is the other one, whose configuration has other fields.
    """
    if name not in RECIPES:
        raise UnknownName("recipe", name, RECIPES)
    if name != expected:
        raise InvalidInput(f"recipe is {name!r}, expected {expected!r}: each recipe has a configuration of its own")


def plain_values(config: Any) -> dict[str, Any]:
    """A dataclass as TOML and JSON hold it."""
    return json.loads(json.dumps(dataclasses.asdict(config)))  # type: ignore[no-any-return]


def read_fields(cls: type[T], values: Mapping[str, Any], source: str | Path) -> T:
    """A `cls` from plain values; every key must be known and of the field's type.

    Raises:
        FileFormatError: an unknown key, a wrong type or a value out of its range; the message names `source`.
    """
    kinds = typing.get_type_hints(cls)
    checked: dict[str, Any] = {}
    for key, value in values.items():
        if key not in kinds:
            raise FileFormatError(source, f"unknown key {key!r}, known: {', '.join(kinds)}")
        checked[key] = _checked(key, value, kinds[key], source)
    if "scenario" not in checked:
        raise FileFormatError(source, "key 'scenario' is missing, expected a scenario's name")
    try:
        return cls(**checked)
    except (InvalidInput, UnknownName) as error:
        raise FileFormatError(source, str(error)) from error


def _checked(key: str, value: Any, kind: Any, source: str | Path) -> Any:
    """`value` as the field type `kind` (str, int, float or a tuple of floats)."""
    if kind is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if kind in (int, str) and type(value) is kind:
        return value
    if typing.get_origin(kind) is tuple and isinstance(value, list):
        return tuple(_checked(key, item, float, source) for item in value)
    expected = "a list of numbers" if typing.get_origin(kind) is tuple else f"{kind.__name__}"
    raise FileFormatError(source, f"{key} is {value!r}, expected {expected}")
