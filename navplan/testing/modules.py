"""Is it a learned module: does it say what it is, and can it do what its slot asks?"""

from __future__ import annotations

from typing import Any

from navplan.learned.interface import SLOTS
from navplan.testing.faulty import asked, check_options, require


def check_module(kind: type[Any]) -> None:
    """Look at a learned module's class and at one made of its defaults.

    Raises:
        Faulty: a class variable is missing, an unknown slot, options that can be changed, or no function of its slot.
    """
    what = f"module {getattr(kind, 'name', kind)}"
    check_options(kind, what)
    for name, wanted in (("slot", str), ("about", str), ("paper", str | None), ("source", str)):
        require(hasattr(kind, name), f"{what} has no {name}")
        require(isinstance(getattr(kind, name), wanted), f"{what}: {name} is {getattr(kind, name)!r}, expected text")
    require(kind.slot in SLOTS, f"{what}: slot is {kind.slot!r}, expected one of {', '.join(SLOTS)}")
    frozen = getattr(kind, "__dataclass_params__").frozen  # noqa: B009 - no attribute that type checkers know
    require(frozen, f"{what} is not frozen, expected @dataclass(frozen=True)")
    module = asked(what, kind)
    needed = [name for name in dir(SLOTS[kind.slot]) if not name.startswith("_") and not hasattr(module, name)]
    require(not needed, f"{what} has no {needed[0] if needed else ''}, which slot {kind.slot} asks for")
