"""Things found by name: a table of navplan's own, and what other distributions add through entry points."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar, cast

from navplan.errors import UnknownName

T = TypeVar("T")


class Registry(Generic[T]):
    """Names of classes or functions, each imported when it is asked for and not before.

    Args:
        kind: what the things are, in one or two words, for messages: "planner".
        table: name -> "module:attribute".
        group: entry points by which other distributions add theirs (name = "module:attribute"); None for none. A name of the
            table wins.
        summaries: name -> one line, for names that are listed without being imported.

    Example:
        >>> roots = Registry("root", {"square": "math:sqrt", "cube": "math:cbrt"})
        >>> roots.names(), roots.get("square")(9.0)
        (['cube', 'square'], 3.0)
    """

    def __init__(
        self, kind: str, table: Mapping[str, str], group: str | None = None, summaries: Mapping[str, str] | None = None
    ) -> None:
        self._kind = kind
        self._table = table
        self._group = group
        self._summaries = summaries or {}

    def names(self) -> list[str]:
        """Every name, sorted."""
        return sorted({*self._table, *self._others()})

    def get(self, name: str) -> T:
        """What is registered as `name`.

        Raises:
            UnknownName: nothing is; the message suggests the nearest.
        """
        if name in self._table:
            module, attribute = self._table[name].split(":")
            return cast(T, getattr(importlib.import_module(module), attribute))
        if name in self._others():
            return cast(T, self._others()[name].load())
        raise UnknownName(self._kind, name, self.names())

    def summary(self, name: str) -> str:
        """One line on `name`: its summary, empty without one; of an entry point, which distribution it comes from.

        Raises:
            UnknownName: nothing is registered as `name`.
        """
        if name in self._table:
            return self._summaries.get(name, "")
        if name in self._others():
            distribution = self._others()[name].dist
            return f"from {distribution.name}" if distribution is not None else "from another distribution"
        raise UnknownName(self._kind, name, self.names())

    def _others(self) -> Mapping[str, EntryPoint]:
        return entry_points_in(self._group) if self._group is not None else {}


@cache
def entry_points_in(group: str) -> dict[str, EntryPoint]:
    """Looked up once: that reads the metadata of every installed distribution."""
    return {point.name: point for point in entry_points(group=group)}
