"""The figures that navplan is to reach on the committed suites, and plain words where it does not."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace

from navplan.bench.evaluate.summary import SettingRuns, headline
from navplan.bench.evaluate.tables import Evidence, Table, number, percent, place_cells

HARD_COST = {1: 2.0, 5: 4.0, 10: 5.0, 20: 6.0}
"""paper-2d, hard: largest mean cost_max by agents; where the oracle pays more than that, within a tenth of the oracle."""
NEAR_ORACLE = 1.10
HARD_COST_RATIO, STEPS_RATIO = 1.15, 1.5
"""paper-2d: largest cost (on hard problems) and steps beside the oracle's."""
LONG_SUCCESS = {1: 0.98, 5: 0.98, 10: 0.98, 20: 0.98, 50: 0.95}
LONG_COST_RATIO = 1.25

ROBUST = {("action-noise", 0.05), ("localisation-noise", 0.05), ("lost-moves", 0.1), ("late", 1.0)}
"""robust, twenty agents: each of these alone."""
ROBUST_SUCCESS, ROBUST_AGENTS = 0.98, 20


@dataclass(frozen=True)
class TargetCheck:
    """A figure beside what it was to be."""

    group: SettingRuns
    what: str
    found: str
    target: str
    reached: bool
    words: str


def target_checks(evidence: Evidence) -> list[TargetCheck]:
    """Every figure with a target, of navplan's headline setting; none for suites without targets."""
    suite = evidence.suite
    shown = {setting.label for setting in suite.settings if setting.method == "navplan" and setting.headline and setting.prepared}
    found = []
    for group in evidence.groups:
        if group.label not in shown:
            continue
        if suite.name == "paper-2d":
            found += _paper_2d(group)
        elif suite.name == "long-horizon":
            found += _long_horizon(group)
        elif suite.name == "robust":
            found += _robust(group)
    return found


def _paper_2d(group: SettingRuns) -> list[TargetCheck]:
    _, difficulty, agents = group.where
    found = [_success(group, 1.0), _contacts(group)]
    if difficulty == "hard" and agents in HARD_COST:
        found.append(_hard_cost(group, HARD_COST[agents]))
        found.append(_ratio(group, "cost_max / oracle's", group.cost_ratio, HARD_COST_RATIO))
    return [*found, _ratio(group, "steps_mean / oracle's", group.steps_ratio, STEPS_RATIO)]


def _long_horizon(group: SettingRuns) -> list[TargetCheck]:
    found = [_success(group, LONG_SUCCESS.get(group.where[2], 0.95)), _contacts(group)]
    return [*found, _ratio(group, "cost_max / oracle's", group.cost_ratio, LONG_COST_RATIO)]


def _robust(group: SettingRuns) -> list[TargetCheck]:
    if group.where[2] != ROBUST_AGENTS or (group.perturbation, group.level) not in ROBUST:
        return []
    under = f" under {group.perturbation} {group.level:g}"
    return [replace(check, what=check.what + under) for check in (_success(group, ROBUST_SUCCESS), _contacts(group))]


def _success(group: SettingRuns, least: float) -> TargetCheck:
    rate = headline(group.values("success"))
    sign = "" if least == 1.0 else "at least "
    return TargetCheck(group, "success", percent(rate), f"{sign}{percent(least)}", rate >= least - 1e-9, failures(group))


def _contacts(group: SettingRuns) -> TargetCheck:
    contacts = headline(group.values("agent_contacts"))
    total = group.count("agent_contacts")
    return TargetCheck(
        group, "contacts a problem", number(contacts), "0", contacts == 0, f"{total} contacts in {group.runs} runs"
    )


def _hard_cost(group: SettingRuns, most: float) -> TargetCheck:
    cost, oracle = headline(group.values("cost_max")), headline(group.values("oracle_cost_max"))
    limit, target = most, f"at most {most:.1f}"
    words = f"the oracle pays {number(oracle)}"
    if oracle > most:
        limit = NEAR_ORACLE * oracle
        target = f"{most:.1f} is below the oracle's {number(oracle)}: at most {number(limit)}"
    if not math.isnan(group.cost_ratio):
        words += f", this is {number(group.cost_ratio)} times as much"
    return TargetCheck(group, "cost_max", number(cost), target, cost <= limit + 1e-9, words)


def _ratio(group: SettingRuns, what: str, ratio: float, most: float) -> TargetCheck:
    reached = math.isnan(ratio) or ratio <= most + 1e-9
    words = "the oracle pays nothing" if math.isnan(ratio) else failures(group)
    return TargetCheck(group, what, number(ratio), f"at most {most:g}", reached, words)


def failures(group: SettingRuns) -> str:
    """What became of the runs that were no success."""
    names = {"contact": "with a contact", "not-reached": "not all at their goals"}
    counts = Counter(str(row["status"]) for line in group.rows for row in line if row["status"] != "success")
    if not counts:
        return f"all {group.runs} runs succeed"
    parts = [f"{count} {names.get(status, f'without a plan ({status})')}" for status, count in sorted(counts.items())]
    bad = {row["train_seed"] for line in group.rows for row in line if row["status"] != "success"}
    seeds = f"training seed{'s' if len(bad) > 1 else ''} {', '.join(map(str, sorted(bad)))}"
    return f"of {group.runs} runs, {', '.join(parts)} ({seeds})"


def targets_table(evidence: Evidence) -> Table:
    """Every target, what was found, and words."""
    lines = []
    for check in target_checks(evidence):
        notes = () if check.reached else evidence.suite.noted(check.group.where)
        words = ". ".join((check.words, *notes))
        answer = "yes" if check.reached else "**no**"
        lines.append((*place_cells(check.group.where), check.what, check.target, check.found, answer, words))
    return Table(("map", "difficulty", "agents", "figure", "to reach", "found", "reached", "in words"), tuple(lines))


def missed(evidence: Evidence) -> list[str]:
    """One sentence for the missed targets of one kind on one map, whatever the number of agents; each note once."""
    alike: dict[tuple[str, str, str, str], list[TargetCheck]] = {}
    for check in target_checks(evidence):
        if not check.reached:
            name, difficulty, _ = check.group.where
            alike.setdefault((name, difficulty, check.what, check.target), []).append(check)
    said: list[str] = []
    told: set[str] = set()
    for (name, difficulty, what, target), found in alike.items():
        agents = _listed([str(check.group.where[2]) for check in found])
        noun = "agent" if agents == "1" else "agents"
        words = f"; {found[0].words}" if len(found) == 1 else ""
        notes = dict.fromkeys(note for check in found for note in evidence.suite.noted(check.group.where) if note not in told)
        told.update(notes)
        figures = _listed([check.found for check in found])
        line = f"{name}, {difficulty}, {agents} {noun}: {what} is {figures}, to reach was {target}{words}"
        said.append(". ".join((line, *notes)))
    return said


def _listed(items: list[str]) -> str:
    """Items as in a sentence: "1, 2 and 3"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
