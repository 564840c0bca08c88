"""Learned modules: one file each, found by name.

Other distributions add theirs in the entry-point group ``navplan.modules`` (name = "module:Class").
"""

from __future__ import annotations

from typing import Any

from navplan.errors import UnknownName
from navplan.system.names import Registry

MODULES: dict[str, str] = {
    "disagreement": "navplan.learned.curriculum.disagreement:Disagreement",
    "navplan": "navplan.learned.recipes.navplan.recipe:NavplanRecipe",
    "paper": "navplan.learned.recipes.paper.recipe:PaperRecipe",
    "uniform": "navplan.learned.curriculum.uniform:Uniform",
}
"""Name -> "module:Class" of the modules that navplan ships; imported when asked for."""


_REGISTRY: Registry[type[Any]] = Registry("module", MODULES, "navplan.modules")


def names(slot: str | None = None) -> list[str]:
    """Names of the registered modules, sorted; with `slot` of those that fill it, for which all are imported."""
    found = _REGISTRY.names()
    return found if slot is None else [name for name in found if _REGISTRY.get(name).slot == slot]


def get(name: str, slot: str | None = None) -> type[Any]:
    """The class registered as `name`; ``_`` is taken for ``-``.

    Raises:
        UnknownName: there is none, or with `slot` none that fills it; the message suggests the nearest.

    Example:
        >>> get("disagreement").slot
        'curriculum'
    """
    canonical = name.replace("_", "-")
    if canonical in _REGISTRY.names():
        found = _REGISTRY.get(canonical)
        if slot is None or found.slot == slot:
            return found
    raise UnknownName(slot or "module", name, names(slot))
