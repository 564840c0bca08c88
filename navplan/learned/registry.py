"""Learned modules: one file each, found by name.

Other distributions add theirs in the entry-point group ``navplan.modules`` (name = "module:Class").
"""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from navplan.errors import UnknownName

MODULES: dict[str, str] = {
    "disagreement": "navplan.learned.curriculum.disagreement:Disagreement",
    "navplan": "navplan.learned.recipes.navplan.recipe:NavplanRecipe",
    "paper": "navplan.learned.recipes.paper.recipe:PaperRecipe",
    "uniform": "navplan.learned.curriculum.uniform:Uniform",
}
"""Name -> "module:Class" of the modules that navplan ships; imported when asked for."""


@cache
def _third_party() -> dict[str, EntryPoint]:
    """Modules of other distributions; navplan's own names win."""
    return {point.name: point for point in entry_points(group="navplan.modules")}


def names(slot: str | None = None) -> list[str]:
    """Names of the registered modules, sorted; with `slot` of those that fill it, for which all are imported."""
    found = sorted({*MODULES, *_third_party()})
    return found if slot is None else [name for name in found if _load(name).slot == slot]


def get(name: str, slot: str | None = None) -> type[Any]:
    """The class registered as `name`; ``_`` is taken for ``-``.

    Raises:
        UnknownName: there is none, or with `slot` none that fills it; the message suggests the nearest.

    Example:
        >>> get("disagreement").slot
        'curriculum'
    """
    canonical = name.replace("_", "-")
    if canonical in MODULES or canonical in _third_party():
        found = _load(canonical)
        if slot is None or found.slot == slot:
            return found
    raise UnknownName(slot or "module", name, names(slot))


def _load(name: str) -> type[Any]:
    if name not in MODULES:
        return cast("type[Any]", _third_party()[name].load())
    module, attribute = MODULES[name].split(":")
    return cast("type[Any]", getattr(importlib.import_module(module), attribute))
