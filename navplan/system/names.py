"""Things found by name: a table of navplan's own, and what other distributions add through entry points."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar, cast

from navplan.errors import BrokenPlugin, InvalidInput, NavplanError, UnknownName
from navplan.system.words import said

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
            BrokenPlugin: it is another distribution's and cannot be imported.
            InvalidInput: no name.
        """
        if not isinstance(name, str):
            raise InvalidInput(f"{self._kind} is {said(name)}, expected a name")
        if name in self._table:
            module, attribute = self._table[name].split(":")
            return cast(T, getattr(importlib.import_module(module), attribute))
        if name in self._others():
            try:
                return cast(T, self._others()[name].load())
            except Exception as error:  # whatever the other distribution's code raises while it is imported
                text = " ".join(f"{type(error).__name__}: {error}".split())
                raise BrokenPlugin(self._kind, name, self._from(name), text[:200]) from error
        raise UnknownName(self._kind, name, self.names())

    def made(self, name: str) -> Any:
        """What the class or function registered as `name` makes without arguments.

        Raises:
            UnknownName, BrokenPlugin: as `get`; or another distribution's cannot be made.
        """
        make: Any = self.get(name)
        if self.is_own(name):
            return make()
        try:
            return make()
        except Exception as error:
            text = " ".join(f"{type(error).__name__}: {error}".split())
            raise BrokenPlugin(self._kind, name, self._from(name), text[:200]) from error

    def summary(self, name: str) -> str:
        """One line on `name`: its summary, empty without one; of an entry point, which distribution it comes from.

        Raises:
            UnknownName: nothing is registered as `name`.
        """
        if name in self._table:
            return self._summaries.get(name, "")
        if name in self._others():
            return f"from {self._from(name)}"
        raise UnknownName(self._kind, name, self.names())

    def is_own(self, name: str) -> bool:
        """Whether `name` is navplan's own."""
        return name in self._table

    def broken(self, check: Callable[[str], object] | None = None) -> dict[str, str]:
        """Names of other distributions that cannot be used, and why; all of those distributions are imported.

        Args:
            check: asked with each name beside importing it; raises a NavplanError where the thing is not what it should be.
        """
        reasons: dict[str, str] = {}
        for name in sorted(set(self._others()) - set(self._table)):
            try:
                (check or self.get)(name)
            except BrokenPlugin as error:
                reasons[name] = f"{error.reason} (from {self._from(name)})"
            except NavplanError as error:
                reasons[name] = f"{error} (from {self._from(name)})"
        return reasons

    def _from(self, name: str) -> str:
        distribution = self._others()[name].dist
        return distribution.name if distribution is not None else "another distribution"

    def _others(self) -> Mapping[str, EntryPoint]:
        return entry_points_in(self._group) if self._group is not None else {}


@cache
def entry_points_in(group: str) -> dict[str, EntryPoint]:
    """Looked up once: that reads the metadata of every installed distribution."""
    return {point.name: point for point in entry_points(group=group)}
