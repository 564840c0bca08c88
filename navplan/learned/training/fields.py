"""Checked configurations: frozen dataclasses of plain values and modules, from TOML and JSON, with errors that name the key.

A field that is called as a slot holds a module. Files name it, ``advantage = "bnpo"``, or give it as a table with its options,
``advantage = {use = "bnpo", alpha = 2.0}``; where it is the field's default they need not speak of it, and those that navplan
writes do not.
"""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from navplan.errors import FileFormatError, InvalidInput, UnknownName, did_you_mean
from navplan.learned import registry
from navplan.learned.interface import SLOTS, Module
from navplan.system.bounds import MAX_SETTINGS
from navplan.system.files import read_bytes
from navplan.system.numbers import is_finite
from navplan.system.reading import decode_utf8, parse_toml, shown

T = TypeVar("T")


class TrainingSettings(Protocol):
    """What every recipe's configuration says; `Configuration` has the methods."""

    @property
    def recipe(self) -> str:
        """Its registered name."""
        ...

    @property
    def seed(self) -> int:
        """Of every random draw."""
        ...

    @property
    def threads(self) -> int:
        """Of PyTorch."""
        ...

    @property
    def steps(self) -> int:
        """Updates in all."""
        ...

    @property
    def checkpoint_interval(self) -> int:
        """Updates between checkpoints."""
        ...

    @property
    def log_interval(self) -> int:
        """Updates between rows of curves.csv."""
        ...

    @property
    def export_states(self) -> int:
        """States, thinned for coverage, that the exported policy carries."""
        ...

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, checked again."""
        ...

    def extended(self, steps: int) -> Self:
        """The same run made longer."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        ...


class Configuration:
    """The ways of a recipe's configuration, a frozen dataclass with a field ``scenario``, into files and out of them."""

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, checked again."""
        copy: Self = dataclasses.replace(self, **changes)  # type: ignore[type-var]
        return copy

    def extended(self, steps: int) -> Self:
        """The same run made longer: a first stage, where there is one, ends where it ended."""
        first = getattr(self, "stage1_steps", None)
        return self.replace(steps=steps, **({} if first is None else {"stage1_fraction": first / steps}))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as TOML and JSON hold them."""
        plain: dict[str, Any] = {}
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if field.name not in hosted(type(self)):
                plain[field.name] = value
            elif value != field.default:
                plain[field.name] = module_table(value)
        return json.loads(json.dumps(plain))  # type: ignore[no-any-return]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str | Path = "config") -> Self:
        """From plain values; every key must be known and of the field's type.

        Raises:
            FileFormatError: an unknown key, a wrong type or a value out of its range; the message names `source`.
        """
        try:
            fields = read_fields(cls, values)
            if "scenario" not in fields and any(f.name == "scenario" and f.default is MISSING for f in dataclasses.fields(cls)):  # type: ignore[arg-type]
                raise InvalidInput("key 'scenario' is missing, expected a scenario's name")
            return cls(**fields)
        except (InvalidInput, UnknownName) as error:
            raise FileFormatError(source, str(error)) from error


def hosted(config: type) -> tuple[str, ...]:
    """The slots that a configuration's recipe hosts, in the order of its fields; a recipe is no part of itself."""
    return tuple(field.name for field in dataclasses.fields(config) if field.name in SLOTS and field.name != "recipe")


# -- checks ---------------------------------------------------------------------------------------------------------------------


def check_fields(
    config: Any, *, positive: Sequence[str], most: Mapping[str, int], shares: Sequence[str], natural: Sequence[str] = ()
) -> None:
    """Check ranges of fields by name; those called `natural` may be 0.

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
    for name in natural:
        if getattr(config, name) < 0:
            raise InvalidInput(f"{name} is {getattr(config, name)}, expected at least 0")


def check_identity(config: TrainingSettings, recipe: str) -> None:
    """Check that a configuration is one of its own recipe, and its seed.

    Raises:
        UnknownName: there is no such recipe.
        InvalidInput: it is another one, whose configuration has other fields; or the seed is out of its range.
    """
    if config.recipe != recipe:
        registry.get(config.recipe, "recipe")
        raise InvalidInput(f"recipe is {config.recipe!r}, expected {recipe!r}: each recipe has a configuration of its own")
    if not 0 <= config.seed < 2**63:
        raise InvalidInput(f"seed is {config.seed}, expected an integer in [0, 2^63)")


# -- plain values ---------------------------------------------------------------------------------------------------------------


def read_toml(path: str | Path) -> dict[str, Any]:
    """The values of a TOML file.

    Raises:
        FileAccessError: it cannot be read.
        FileFormatError: it is no TOML.
    """
    data = read_bytes(path)
    if len(data) > MAX_SETTINGS:
        raise FileFormatError(path, f"has {len(data)} bytes, expected settings of at most {MAX_SETTINGS}")
    return parse_toml(path, decode_utf8(path, data, "TOML"))


def read_fields(cls: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values as the fields of a dataclass are typed.

    Raises:
        InvalidInput: an unknown key or a value of another type.
        UnknownName: a module that is not registered.
    """
    kinds, slots = field_types(cls), hosted(cls)
    read: dict[str, Any] = {}
    for key, value in values.items():
        if key not in kinds:
            raise InvalidInput(f"unknown key {key!r}{did_you_mean(key, kinds)}, known: {', '.join(kinds)}")
        read[key] = read_module(key, value) if key in slots else _checked(key, value, kinds[key])
    return read


def field_types(cls: type) -> dict[str, Any]:
    """The types of a dataclass' fields by name."""
    kinds = typing.get_type_hints(cls)
    return {field.name: kinds[field.name] for field in dataclasses.fields(cls)}


def module_table(module: Module) -> dict[str, Any]:
    """A module as files hold it."""
    return {"use": module.name, **dataclasses.asdict(module)}  # type: ignore[call-overload]


def read_module(slot: str, value: Any) -> Module:
    """A module of a slot from its name, or from a table ``{use = NAME, OPTION = VALUE, …}``.

    Raises:
        InvalidInput: neither of the two, an unknown option, or an option's value of another type or out of its range.
        UnknownName: there is no such module.
    """
    table = {"use": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping) or not isinstance(table.get("use"), str):
        raise InvalidInput(f"{slot} is {shown(value)}, expected a module's name or a table {{use = NAME, OPTION = VALUE, …}}")
    options = {key: option for key, option in table.items() if key != "use"}
    cls = registry.get(table["use"], slot)
    kinds = field_types(cls)
    for key in options:
        if key not in kinds:
            known = f"known: {', '.join(kinds)}" if kinds else "it has none"
            raise InvalidInput(f"{slot} {cls.name!r} has no option {key!r}{did_you_mean(key, kinds)}, {known}")
    module: Module = cls(**{key: _checked(key, option, kinds[key]) for key, option in options.items()})
    return module


def _checked(key: str, value: Any, kind: Any) -> Any:
    """`value` as the field type `kind` (str, bool, int, float or a tuple of one of these)."""
    if kind is float and is_finite(value):
        return float(value)
    if kind in (int, str, bool) and type(value) is kind:
        return value
    if typing.get_origin(kind) is tuple and isinstance(value, list):
        return tuple(_checked(key, item, typing.get_args(kind)[0]) for item in value)
    expected = kind.__name__
    if typing.get_origin(kind) is tuple:
        expected = "a list of " + ("texts" if typing.get_args(kind)[0] is str else "numbers")
    raise InvalidInput(f"{key} is {shown(value)}, expected {expected}")
