from __future__ import annotations

import numpy as np

from navplan.execution.following import Stalls


def counted(stalls: Stalls, at: int, gap: float, *, held: bool = False, yielded: bool = False) -> Stalls:
    flags = {"wished": np.array([not held]), "held": np.array([held]), "yielded": np.array([yielded])}
    stalls.count(np.array([at], np.int32), np.array([gap]), **flags)
    return stalls


def test_an_agent_that_gets_no_nearer_is_stuck_and_one_that_does_is_not() -> None:
    stalls = Stalls.none(1)
    for gap in (3.0, 2.9, 2.8):
        assert counted(stalls, 0, gap).stuck(1) == []
    for _ in range(3):
        counted(stalls, 0, 2.79)
    assert stalls.stuck(3) == [0]
    assert stalls.stuck(4) == []
    assert counted(stalls, 1, 9.0).stuck(1) == []  # another waypoint


def test_who_is_held_by_the_order_does_not_stall() -> None:
    stalls = counted(Stalls.none(1), 0, 2.0)
    for _ in range(5):
        counted(stalls, 0, 2.0, held=True)
    assert stalls.stuck(1) == []


def test_stalls_by_yielding_are_told_from_the_low_levels_own() -> None:
    own, pushed = (counted(Stalls.none(1), 0, 2.0) for _ in range(2))
    for _ in range(4):
        counted(own, 0, 2.0)
        counted(pushed, 0, 2.0, yielded=True)
    assert own.by_themselves([0]) == [0]
    assert pushed.by_themselves([0]) == []
    assert (own.waited[0], pushed.waited[0]) == (0, 4)
    own.forgive()
    assert own.stuck(1) == []
