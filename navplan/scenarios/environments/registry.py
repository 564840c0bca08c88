"""Environments by name: navplan's own, and those of other distributions (entry points `navplan.environments`).

Each is a class made as `PointEnv` is, by the same keywords, and `bodies` where agents have bodies of their own; it can be reset,
stepped and asked where moves would end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from navplan.system.names import Registry

if TYPE_CHECKING:
    from navplan.scenarios.environments.point import PointEnv

ENVIRONMENTS: dict[str, str] = {
    "embodied": "navplan.scenarios.environments.embodied:EmbodiedEnv",
    "point": "navplan.scenarios.environments.point:PointEnv",
}
"""Name -> "module:Class" of the environments that navplan ships; imported when asked for."""

_REGISTRY: Registry[type[PointEnv]] = Registry("environment", ENVIRONMENTS, "navplan.environments")


def names() -> list[str]:
    """Names of all registered environments, sorted."""
    return _REGISTRY.names()


def broken() -> dict[str, str]:
    """Names of environments of other distributions that cannot be imported, and why."""
    return _REGISTRY.broken()


def get(name: str) -> type[Any]:
    """The class registered as `name`.

    Raises:
        UnknownName: there is none; the message suggests the nearest.
        BrokenPlugin: another distribution's cannot be imported.

    Example:
        >>> get("point").__name__
        'PointEnv'
    """
    return _REGISTRY.get(name)
