"""What the checks raise, and how they ask."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any, TypeVar

from navplan.errors import InvalidInput, NavplanError

T = TypeVar("T")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Faulty(InvalidInput, AssertionError):
    """A part is not what navplan needs; the message is one line and names part and fault."""


def require(condition: object, message: str) -> None:
    """Raise Faulty with `message` unless `condition` holds."""
    if not condition:
        raise Faulty(message)


def asked(what: str, call: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """What the part's own code returns; what it raises instead becomes Faulty."""
    try:
        return call(*arguments, **named)
    except Faulty:
        raise
    except NavplanError as error:
        raise Faulty(f"{what}: {error}") from error
    except Exception as error:  # the code of others
        raise Faulty(f"{what} raises {type(error).__name__}: {' '.join(str(error).split())}") from error


def check_options(kind: type[Any], what: str) -> None:
    """A name as names are written, and a dataclass whose options all have defaults."""
    name = getattr(kind, "name", None)
    require(isinstance(name, str) and _NAME.fullmatch(name), f"{what}: name is {name!r}, expected lower case with hyphens")
    require(dataclasses.is_dataclass(kind), f"{what} is no dataclass, expected its options as fields")
    for option in dataclasses.fields(kind):
        given = option.default is not dataclasses.MISSING or option.default_factory is not dataclasses.MISSING
        require(given, f"{what}: option {option.name} has no default")
