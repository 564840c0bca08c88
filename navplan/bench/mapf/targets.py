"""The peers' figures, and the work on which navplan is measured beside them.

Peers ran on one core of a 2-core Xeon machine, on the same scenario files, one seed each, as their authors run them: CBSH2-RTC
(0c1d5ed) with its defaults (WDG, rectangle, corridor and target reasoning, bypass, prioritised conflicts); EECBS (ae3c594) with
its defaults and the suboptimality given; lacam3 (1a269b7) on one thread, first solution with its scatter; MAPF-LNS2 (6da11e6)
with no limit on iterations. CBSH2-RTC's, EECBS's and MAPF-LNS2's seconds leave out their heuristic tables (on den520d 1.4 s for
500 agents, 2.8 s for 1000), navplan's and lacam3's include them. Medians over the solved runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from navplan.planners import names as registered

PEER_MACHINE = "one core of a 2-core Xeon"


@dataclass(frozen=True)
class Target:
    """One line of the table.

    Attributes:
        section: title of the block.
        planner: as `navplan bench run mapf --planners` takes it.
        solved: how many of the three scenarios must be solved.
        peer: name; empty without a measured peer.
        peer_solved: "solved/runs" of the peer.
        peer_s: its median seconds; None where the time limit is used up by design.
        cost: largest median sum of costs that counts as reached, None where only time counts.
        note: what else to know.
    """

    section: str
    planner: str
    map_name: str
    agents: int
    time_limit: float
    solved: int
    peer: str = ""
    peer_solved: str = ""
    peer_s: float | None = None
    cost: float | None = None
    note: str = ""


OPTIMAL = "Optimal, 30 s"
BOUNDED = "Bounded by 1.2, 30 s"
FIRST = "First solution, 30 s"
ANYTIME = "Sum of costs after 10 s"
SCALE = "Ten thousand agents, 120 s"
_RTC, _EECBS, _LACAM, _LNS = "CBSH2-RTC", "EECBS", "lacam3", "MAPF-LNS2"
_BOUNDED = "eecbs:suboptimality=1.2"

TARGETS: tuple[Target, ...] = (
    Target(OPTIMAL, "cbs", "random-32-32-20", 50, 30, 2, _RTC, "4/5", 0.219),
    Target(OPTIMAL, "cbs", "maze-32-32-4", 10, 30, 3),
    Target(OPTIMAL, "cbs", "den520d", 100, 30, 3, _RTC, "3/3", 1.85),
    Target(OPTIMAL, "cbs", "warehouse-10-20-10-2-1", 100, 30, 3, _RTC, "3/3", 0.523),
    Target(OPTIMAL, "cbs", "room-32-32-4", 20, 30, 3, _RTC, "3/3", 0.00518),
    Target(OPTIMAL, "cbs", "empty-16-16", 40, 30, 3, _RTC, "3/3", 0.0168),
    Target(BOUNDED, _BOUNDED, "random-32-32-20", 150, 30, 3, _EECBS, "3/3", 0.219),
    Target(BOUNDED, _BOUNDED, "room-32-32-4", 50, 30, 3, _EECBS, "3/3", 0.0549),
    Target(BOUNDED, _BOUNDED, "warehouse-10-20-10-2-1", 300, 30, 3, _EECBS, "3/3", 1.22),
    Target(BOUNDED, _BOUNDED, "den520d", 500, 30, 3, _EECBS, "3/3", 3.76),
    Target(FIRST, "lacam", "random-32-32-20", 400, 30, 3, _LACAM, "3/3", 0.255),
    Target(FIRST, "lacam", "random-64-64-20", 1000, 30, 3, _LACAM, "3/3", 1.8),
    Target(FIRST, "lacam", "den520d", 1000, 30, 3, _LACAM, "3/3", 4.69),
    Target(FIRST, "lacam", "warehouse-20-40-10-2-2", 1000, 30, 3, _LACAM, "3/3", 5.87),
    Target(ANYTIME, "anytime", "random-32-32-20", 200, 10, 3, _LNS, "3/3", None, 5216),
    Target(ANYTIME, "anytime", "random-32-32-20", 400, 10, 3, _LNS, "3/3", None, 20965),
    Target(ANYTIME, "anytime", "random-64-64-20", 500, 10, 3, _LNS, "3/3", None, 25408),
    Target(ANYTIME, "anytime", "random-64-64-20", 1000, 10, 3, _LACAM, "3/3", None, 85843),
    Target(ANYTIME, "anytime", "den520d", 500, 10, 3, _LACAM, "3/3", None, 90255),
    Target(ANYTIME, "anytime", "den520d", 1000, 10, 3, _LACAM, "3/3", None, 184155),
    Target(SCALE, "lacam", "warehouse-20-40-10-2-2", 10000, 120, 3),
)


def target_work(
    planners: Iterable[str] | None = None, only: Iterable[str] | None = None, first: int | None = None
) -> tuple[tuple[str, str, int, float], ...]:
    """(planner, map, agents, time limit) of every line whose planner is registered, for `navplan.bench.mapf.config.Config.work`.

    Args:
        planners: names to keep, without options; None for all.
        only: maps to keep; None for all.
        first: keep so many lines of each block; None for all.
    """
    names = None if planners is None else {spec.split(":")[0] for spec in planners}
    maps = None if only is None else set(only)
    kept: dict[str, int] = {}
    work = []
    for target in TARGETS:
        if target.planner.split(":")[0] not in registered():
            continue
        if names is not None and target.planner.split(":")[0] not in names:
            continue
        if maps is not None and target.map_name not in maps:
            continue
        kept[target.section] = kept.get(target.section, 0) + 1
        if first is None or kept[target.section] <= first:
            work.append((target.planner, target.map_name, target.agents, target.time_limit))
    return tuple(work)
