"""The registered planners: navplan's own by name, those of other distributions, and objects written without the base class."""

from __future__ import annotations

import dataclasses
import inspect
from typing import TYPE_CHECKING, Any, cast

from navplan.errors import InvalidInput
from navplan.system.names import Registry

if TYPE_CHECKING:
    from navplan.planners.base import Planner

PLANNERS: dict[str, str] = {
    "anytime": "navplan.planners.anytime:Anytime",
    "astar": "navplan.planners.single.astar:AStar",
    "cbs": "navplan.planners.cbs.cbs:CBS",
    "dijkstra": "navplan.planners.single.dijkstra:Dijkstra",
    "ecbs": "navplan.planners.cbs.ecbs:ECBS",
    "eecbs": "navplan.planners.cbs.eecbs:EECBS",
    "lacam": "navplan.planners.lacam.lacam:LaCAM",
    "lns": "navplan.planners.priority.lns:LNS",
    "pbs": "navplan.planners.priority.pbs:PBS",
    "pibt": "navplan.planners.lacam.pibt:PIBT",
    "prioritized": "navplan.planners.priority.prioritized:Prioritized",
    "risk": "navplan.planners.risk.planner:Risk",
}
"""Name -> "module:Class" of the planners that navplan ships; imported when asked for."""

_REGISTRY: Registry[type[Any]] = Registry("planner", PLANNERS, "navplan.planners")
_ADOPTED: dict[type[Any], type[Planner]] = {}


def names() -> list[str]:
    """Names of every registered planner, sorted."""
    return _REGISTRY.names()


def broken() -> dict[str, str]:
    """Names of registered planners of other distributions that cannot be used, and why."""
    return _REGISTRY.broken(get)


def usable() -> list[str]:
    """Names of the registered planners that can be used, sorted; those of other distributions are imported."""
    return sorted(set(names()) - set(broken()))


def get(name: str) -> type[Planner]:
    """The planner class registered as `name`.

    Raises:
        UnknownName: there is none; the message suggests the nearest.
        BrokenPlugin: another distribution's cannot be imported.
        InvalidInput: what another distribution registered is no planner.

    Example:
        >>> get("cbs").guarantee
        'optimal'
    """
    return adopted(_REGISTRY.get(name))


def option_names(planner: str | type[Planner]) -> tuple[str, ...]:
    """Names of a planner's options, in order.

    Args:
        planner: its registered name, or its class.

    Raises:
        UnknownName: there is none of this name.

    Example:
        >>> option_names("ecbs")
        ('suboptimality', 'time_limit', 'max_nodes', 'team', 'team_after')
    """
    kind: Any = get(planner) if isinstance(planner, str) else planner
    return tuple(field.name for field in dataclasses.fields(kind))


def adopted(kind: type[Any]) -> type[Planner]:
    """`kind` itself where it derives from Planner, else a class that derives from both, always the same.

    Planners need not know the base class: a dataclass with `name` and `plan` is enough, and what it does not say of itself comes
    from the base.

    Raises:
        InvalidInput: it has no `plan`, or is no dataclass.
    """
    from navplan.planners.base import Planner

    has_options = isinstance(kind, type) and dataclasses.is_dataclass(kind)
    if has_options and issubclass(kind, Planner):
        return kind
    if has_options and kind not in _ADOPTED:
        namespace = {"__slots__": (), "__module__": kind.__module__, "__doc__": kind.__doc__}
        _ADOPTED[kind] = cast("type[Planner]", type(kind.__name__, (kind, Planner), namespace))
    if not has_options or inspect.isabstract(_ADOPTED[kind]):
        raise InvalidInput(f"{getattr(kind, '__name__', kind)} is no planner, expected a dataclass with `plan`")
    return _ADOPTED[kind]
