"""Options in suite files: fields of `navplan.navigation.methods.Options` and `navplan.execution.synchronised.Settings`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from navplan.scenarios.formats.toml_table import TomlTable
from navplan.system.numbers import is_number

if TYPE_CHECKING:
    from navplan.execution.synchronised import Settings


def merged(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Own options before those of all, and likewise for the settings of the execution among them."""
    settings = {**common.get("settings", {}), **own.get("settings", {})}
    return {**common, **own, **({"settings": settings} if settings else {})}


def read_options(table: TomlTable) -> dict[str, Any]:
    """Fields of `Options` from a table, those of its `settings` in one of their own.

    Raises:
        FileFormatError: an unknown key, or a value of another type.
    """
    from navplan.execution.synchronised import Settings
    from navplan.navigation.methods import Options

    inner = _fields(table.take_table("settings"), Settings) if "settings" in table else {}
    values = _fields(table, Options)
    return {**values, "settings": inner} if inner else values


def _fields(table: TomlTable, kind: type) -> dict[str, Any]:
    """Values for fields of a dataclass, of the types that it declares."""
    hints = get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind) if field.name not in ("settings", "expects")]
    found: dict[str, Any] = {}
    for key in table.keys():  # noqa: SIM118 - no dict, and it shrinks
        if key not in names:
            break
        value = table.take(key)
        if not _fits(value, hints[key]):
            raise table.error(f"{table.label(key)} is {value!r}, expected {_words(hints[key])}", key)
        found[key] = value
    table.finish(names)
    return found


def _kinds(hint: Any) -> tuple[Any, ...]:
    """Types and literal values that a hint allows."""
    parts = get_args(hint)
    return tuple(kind for part in parts for kind in _kinds(part)) if parts else (hint,)


def _fits(value: object, hint: Any) -> bool:
    kinds = _kinds(hint)
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, str):
        return str in kinds or value in kinds
    return (int in kinds and isinstance(value, int)) or (float in kinds and is_number(value))


def _words(hint: Any) -> str:
    names = {bool: "true or false", int: "an integer", float: "a number", str: "a string"}
    return " or ".join(names.get(kind, repr(kind)) for kind in _kinds(hint) if kind is not NoneType)


def options_from(values: Mapping[str, Any]) -> Any:
    """The `Options` of a setting's table."""
    from navplan.execution.synchronised import Settings
    from navplan.navigation.methods import Options

    own = {name: value for name, value in values.items() if name != "settings"}
    return Options(**own, settings=Settings(**values.get("settings", {})))


# The order in which keys of shards name the options.
_NAMED = (
    *("low_level", "planner", "suboptimality", "beta", "graph_nodes", "max_distance", "max_risk", "spare", "time_limit"),
    *("max_expansions", "seed", "settings", "prune", "weight", "lane", "nodes", "execution"),
)
# Later ones are named where they are given, so that results from before them are still found; the paper's body is what was then.
_LATER = ("environment", "filter")
# Those whose default is one for all methods, and part of the key.
_COMMON = ("low_level", "suboptimality", "beta", "spare", "time_limit")


class _Text(str):
    """Text that stands for itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _settings_text(settings: Settings) -> str:
    """The settings of the execution as they were named before `expects` and `command`, which are named where they are given."""
    from navplan.execution.synchronised import Settings

    late = {name: getattr(Settings(), name) for name in ("expects", "command")}
    shown = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}
    return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items() if late.get(name, ...) != value)})"


def options_text(values: Mapping[str, Any]) -> str:
    """All that a setting's table decides, on one line: defaults included, so that a changed default is another shard."""
    from navplan.navigation.methods import DrivingChoice, PlanningChoice

    defaults = {**dataclasses.asdict(DrivingChoice()), **dataclasses.asdict(PlanningChoice())}
    options = options_from(values)
    given = {name: getattr(options, name) for name in _NAMED}
    if options.settings is not None:
        given["settings"] = _Text(_settings_text(options.settings))
    shown = {name: defaults[name] if value is None and name in _COMMON else value for name, value in given.items()}
    shown |= {name: value for name in _LATER if (value := getattr(options, name)) is not None}
    body = options.body or DrivingChoice().body
    if body != "point":
        shown["body"] = body
    return f"Options({', '.join(f'{name}={value!r}' for name, value in shown.items())})"
