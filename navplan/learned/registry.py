"""Learned modules: one file each, found by name.

Other distributions add theirs in the entry-point group ``navplan.modules`` (name = "module:Class").
"""

from __future__ import annotations

from typing import Any

from navplan.errors import InvalidInput, UnknownName
from navplan.system.names import Registry

MODULES: dict[str, str] = {
    "awr": "navplan.learned.extraction.awr:Awr",
    "contrastive": "navplan.learned.critics.contrastive:Contrastive",
    "disagreement": "navplan.learned.curriculum.disagreement:Disagreement",
    "gcbc": "navplan.learned.extraction.gcbc:Gcbc",
    "gciql": "navplan.learned.critics.gciql:Gciql",
    "gcivl": "navplan.learned.critics.gcivl:Gcivl",
    "knn": "navplan.learned.extraction.knn:Knn",
    "navplan": "navplan.learned.recipes.navplan.recipe:NavplanRecipe",
    "offline": "navplan.learned.recipes.offline.recipe:OfflineRecipe",
    "paper": "navplan.learned.recipes.paper.recipe:PaperRecipe",
    "quasimetric": "navplan.learned.critics.quasimetric:Quasimetric",
    "temporal": "navplan.learned.critics.temporal:Temporal",
    "uniform": "navplan.learned.curriculum.uniform:Uniform",
}
"""Name -> "module:Class" of the modules that navplan ships; imported when asked for."""


_REGISTRY: Registry[type[Any]] = Registry("module", MODULES, "navplan.modules")


def names(slot: str | None = None) -> list[str]:
    """Names of the registered modules, sorted; with `slot` of those that fill it, for which all are imported."""
    found = _REGISTRY.names()
    if slot is None:
        return found
    unusable = broken()
    return [name for name in found if name not in unusable and _REGISTRY.get(name).slot == slot]


def broken() -> dict[str, str]:
    """Names of modules of other distributions that cannot be used, and why."""
    return _REGISTRY.broken(_checked)


def get(name: str, slot: str | None = None) -> type[Any]:
    """The class registered as `name`; ``_`` is taken for ``-``.

    Raises:
        BrokenPlugin: another distribution's cannot be imported.
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


def _checked(name: str) -> None:
    kind = _REGISTRY.get(name)
    missing = [part for part in ("name", "slot", "about", "paper", "source") if not hasattr(kind, part)]
    if missing:
        raise InvalidInput(f"{getattr(kind, '__name__', kind)} is no module: it has no {missing[0]}")
