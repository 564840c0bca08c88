"""What perturbations do to each method: a table for each number of agents, and a paragraph that says it in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from navplan.bench.evaluate.perturbations import KINDS, Perturbation
from navplan.bench.evaluate.suite import Setting
from navplan.bench.evaluate.summary import SettingRuns, Where, headline, on_shared_problems
from navplan.bench.evaluate.tables import NAMES, Evidence, Table, number, percent, place_cells, share

LEGEND = (
    "A cell has the share of runs that succeed with its interval; contacts between agents / with walls a run; and the cost, "
    "maximum over agents, of the runs that succeed. *Unprepared*: execution is told nothing of what goes wrong; where it could "
    "not be told (a dash) both are the same. All other settings are told.\n"
)
PLAIN = "none"


def perturbed_tables(evidence: Evidence) -> list[tuple[Where, Table]]:
    """For each cell, a line for each perturbation and a column for each setting."""
    return [(where, _table(evidence, where)) for where in evidence.places]


def perturbed_text(evidence: Evidence) -> str:
    """The tables with headings, what a cell says, what the perturbations are, and the paragraph."""
    suite = evidence.suite
    parts = [LEGEND]
    for where, table in perturbed_tables(evidence):
        heading = f"### {where[0]}, {where[1]}, {where[2]} agents\n"
        parts.append("\n".join((heading, table.markdown(), _runs(evidence, where), in_words(evidence, where))))
    kinds = dict.fromkeys(one.name for one in suite.perturbations)
    parts.append("\n".join(f"- **{name}**: {KINDS[name]}" for name in kinds) + "\n")
    return "\n".join(parts)


def perturbed_table(evidence: Evidence) -> Table:
    """All cells in one table, for a terminal."""
    tables = perturbed_tables(evidence)
    lines = [(*place_cells(where), *line) for where, table in tables for line in table.lines]
    return Table(("map", "difficulty", "agents", *tables[0][1].header), tuple(lines))


def in_words(evidence: Evidence, where: Where) -> str:
    """What the cell's table says: navplan with and without preparation, and the best of the others."""
    under = {one: _groups(evidence, where, one) for one in evidence.suite.perturbations}
    ours, others = _ours(evidence.suite.settings), [s for s in evidence.suite.settings if s.method != "navplan"]
    said = []
    for one, groups in under.items():
        told, untold = (None if s is None else groups.get(s.label) for s in ours)
        if told is None:
            continue
        words = f"{one.label}: {_rate(told)}"
        words += f" (unprepared {_rate(untold)})" if untold is not None else ""
        rivals = [groups[s.label] for s in others if s.label in groups]
        if rivals:
            best = max(rivals, key=lambda group: (_success(group), -_cost_or(group, math.inf)))
            words += f", {NAMES[best.method]} {_rate(best)}"
            if _success(best) > 0 and _success(told) > 0:
                costs = [_cost_or(group, math.nan) for group in on_shared_problems([best, told])]
                words += f" at {_times(*costs)}navplan's cost" if costs else ""
        said.append(words)
    if not said:
        return ""
    beside = " and the best of the others" if others else ""
    return f"Success of navplan{beside}, {where[2]} agents: {'; '.join(said)}.\n"


def _table(evidence: Evidence, where: Where) -> Table:
    settings, lines = _shown(evidence, where), []
    for one in evidence.suite.perturbations:
        groups = _groups(evidence, where, one)
        if groups:
            level = "" if one.name == PLAIN else f"{one.level:g}"
            lines.append((one.name, level, *(_cell(evidence, groups.get(setting.label)) for setting in settings)))
    return Table(("perturbation", "level", *map(_name, settings)), tuple(lines))


def _runs(evidence: Evidence, where: Where) -> str:
    """How many runs a cell of the table is made from, by setting."""
    counts: dict[int, list[str]] = {}
    for setting in _shown(evidence, where):
        runs = max(group.runs for group in evidence.at(where) if group.label == setting.label)
        counts.setdefault(runs, []).append(_name(setting))
    return "Runs in a cell: " + "; ".join(f"{runs} of {', '.join(names)}" for runs, names in counts.items()) + ".\n"


def _shown(evidence: Evidence, where: Where) -> list[Setting]:
    """The settings that were run in a cell."""
    return [s for s in evidence.suite.settings if any(group.label == s.label for group in evidence.at(where))]


def _name(setting: Setting) -> str:
    """Its method's name, and its own where it is not the default."""
    return NAMES[setting.method] if setting.name == "default" else f"{NAMES[setting.method]} {setting.name}"


def _groups(evidence: Evidence, where: Where, one: Perturbation) -> dict[str, SettingRuns]:
    """What was run in a cell under a perturbation, by ``method/setting``."""
    here = [group for group in evidence.at(where) if (group.perturbation, group.level) == (one.name, one.level)]
    return {group.label: group for group in here}


def _cell(evidence: Evidence, group: SettingRuns | None) -> str:
    if group is None:
        return "-"
    contacts = " / ".join(number(headline(group.values(column))) for column in ("agent_contacts", "wall_contacts"))
    return f"{share(evidence.bootstrap.of(group.values('success')))}; {contacts}; {number(_cost_or(group, math.nan))}"


def _ours(settings: Sequence[Setting]) -> tuple[Setting | None, Setting | None]:
    """The settings of navplan that are told, and that are not."""
    mine = [s for s in settings if s.method == "navplan"]
    return next((s for s in mine if s.prepared), None), next((s for s in mine if not s.prepared), None)


def _success(group: SettingRuns) -> float:
    return headline(group.values("success"))


def _rate(group: SettingRuns) -> str:
    return percent(round(_success(group), 3))


def _cost_or(group: SettingRuns, otherwise: float) -> float:
    """Mean cost, maximum over agents, of the runs that succeed."""
    succeeds = group.values("success")
    cost = headline(group.values("cost_max") * succeeds, succeeds)
    return otherwise if math.isnan(cost) else cost


def _times(cost: float, base: float) -> str:
    return f"{number(cost / base, 1)} times " if base > 0 else "more than "
