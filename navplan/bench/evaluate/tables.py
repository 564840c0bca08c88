"""The tables of an evaluation, as header and lines of cells; rendered as Markdown or as text."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from navplan.bench.evaluate.paper import FALLBACK, PaperScore, paper_score, published
from navplan.bench.evaluate.suite import Suite
from navplan.bench.evaluate.summary import (
    Bootstrap,
    Estimate,
    SettingRuns,
    Where,
    groups,
    headline,
    median_times,
    on_shared_problems,
    paired,
)
from navplan.bench.tables import Record

NAMES = {
    "policy": "policy",
    "sorb": "SoRB + CBS",
    "constrained-policy": "constrained policy",
    "constrained-search": "constrained search",
    "navplan": "navplan",
    "policy+filter": "policy + filter",
    "sorb+filter": "SoRB + CBS + filter",
    "constrained-policy+filter": "constrained policy + filter",
    "constrained-search+filter": "constrained search + filter",
    "sorb+synchronised": "SoRB + CBS, synchronised",
    "constrained-search+synchronised": "constrained search, synchronised",
}


@dataclass(frozen=True)
class Table:
    """Cells of text; all lines as long as the header."""

    header: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """A pipe table."""
        rows = [self.header, ("---",) * len(self.header), *self.lines]
        return "\n".join("| " + " | ".join(cells) + " |" for cells in rows) + "\n"

    def text(self) -> str:
        """Columns of equal width for a terminal."""
        rows = [self.header, *self.lines]
        plain = [[cell.replace("**", "").replace("`", "") for cell in cells] for cells in rows]
        widths = [max(len(cells[k]) for cells in plain) for k in range(len(self.header))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() for cells in plain
        )


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a report is made from.

    Attributes:
        suite: that the rows are of.
        rows, times: of results.csv and timings.csv.
        complete: every task of the suite is done.
        trajectories: files of the problem that the pictures show, by ``method/setting``.
        calibration: rows of calibration.csv.
        front: (price of a step, steps, cost) of the oracle, means over agents and problems; None: not computed.
    """

    suite: Suite
    rows: list[Record]
    times: list[Record] = field(default_factory=list)
    complete: bool = True
    trajectories: dict[str, Path] = field(default_factory=dict)
    front: list[list[float]] | None = None
    calibration: list[Record] = field(default_factory=list)

    @property
    def bootstrap(self) -> Bootstrap:
        """How the suite's intervals are drawn."""
        return Bootstrap(self.suite.draws, self.suite.bootstrap_seed, self.suite.confidence)

    @cached_property
    def groups(self) -> list[SettingRuns]:
        """The rows put together."""
        return groups(self.rows)

    @cached_property
    def places(self) -> list[Where]:
        """The cells, in order."""
        return list(dict.fromkeys(group.where for group in self.groups))

    @property
    def codes(self) -> list[str]:
        """Hashes of the sources that the rows were made with."""
        return sorted({str(row["code"]) for row in self.times})

    def at(self, where: Where) -> list[SettingRuns]:
        """The groups of a cell."""
        return [group for group in self.groups if group.where == where]


CONTACTS = ("contacts", "wall contacts", "bumps")


def _contacts(group: SettingRuns) -> tuple[str, ...]:
    """Mean counts of a run: pairs and steps, agents and half-steps, moves that walls stopped; a dash where not measured."""
    return tuple(number(headline(group.values(column))) for column in ("agent_contacts", "wall_contacts", "bumps"))


def number(value: float, digits: int = 2) -> str:
    """A rounded number; a dash where it is not known."""
    if math.isnan(value):
        return "-"
    rounded = round(value, 9)  # the last bits depend on the order of sums
    return f"{round(rounded, digits) + 0.0:.{digits}f}"


def percent(value: float) -> str:
    """A share in percent, with a decimal where it needs one."""
    if math.isnan(value):
        return "-"
    shown = round(100 * value, 6)
    return f"{shown:.0f} %" if shown == round(shown) else f"{shown:.1f} %"


def spread(figure: Estimate, digits: int = 2) -> str:
    """A number with its interval."""
    if math.isnan(figure.low):
        return number(figure.value, digits)
    return f"{number(figure.value, digits)} [{number(figure.low, digits)}, {number(figure.high, digits)}]"


def share(figure: Estimate) -> str:
    """A share with its interval, in percent."""
    low, high = number(100 * figure.low, 0), number(100 * figure.high, 0)
    return percent(figure.value) if low == high else f"{percent(figure.value)} [{low}, {high}]"


def name_of(suite: Suite, group: SettingRuns) -> str:
    """What a setting is called in tables: its method, and its own name where the method has several."""
    several = sum(setting.method == group.method for setting in suite.settings) > 1
    return f"{NAMES[group.method]}, {group.setting}" if several else NAMES[group.method]


def paper_table(evidence: Evidence) -> Table:
    """The paper's table beside ours: published, what its scoring says of our runs, and how we score them."""
    boot = evidence.bootstrap
    beside = any(published(*where, method) for where in evidence.places for method in NAMES)
    lines = []
    for where in evidence.places:
        for group in evidence.at(where):
            if group.label not in evidence.suite.headlines:
                continue
            cost = boot.of(group.values("cost_max"))
            lines.append(
                (
                    *place_cells(where),
                    name_of(evidence.suite, group),
                    *((_published(where, group.method),) if beside else ()),
                    _paper_cell(evidence.suite, scored_by_paper(evidence, where, group.method, boot)),
                    share(boot.of(group.values("success"))),
                    percent(headline(group.values("reached"))),
                    *_contacts(group),
                    spread(cost),
                    number(headline(group.values("oracle_cost_max"))),
                    f"{number(group.steps_ratio)}×" if not math.isnan(group.steps_ratio) else "-",
                )
            )
    header = ("map", "difficulty", "agents", "method", *(("published",) if beside else ()), "the paper's scoring of our runs")
    return Table(
        (*header, "success", "reached", *CONTACTS, "cost, maximum over agents", "oracle's", "steps / oracle's"), tuple(lines)
    )


def scored_by_paper(evidence: Evidence, where: Where, method: str, boot: Bootstrap) -> PaperScore | None:
    """The paper's scoring of all settings of a method in a cell."""
    here = evidence.at(where)
    fallback = next((group for group in here if group.method == FALLBACK.get(method)), None)
    return paper_score([group for group in here if group.method == method], fallback, boot)


def _published(where: Where, method: str) -> str:
    found = published(*where, method)
    if found is None:
        return "-"
    success = "" if found.success is None else f" ({found.success} %)"
    cost = f"{number(found.cost)} (notebook)" if found.spread is None else f"{found.cost:.2f} ± {found.spread:.2f}"
    return f"{cost}{success}"


def _paper_cell(suite: Suite, found: PaperScore | None) -> str:
    if found is None:
        return "-"
    words = f"{number(found.cost.value)} ({percent(found.success)})"
    several = len({setting.name for setting in suite.settings if setting.name != "default"}) > 1
    if several and found.setting != "default":
        words += f", {found.setting}"
    return words + (f", {percent(found.replaced)} replaced" if found.replaced else "")


def place_cells(where: Where) -> tuple[str, str, str]:
    """Map, difficulty and agents as text."""
    return where[0], where[1], str(where[2])


def settings_table(evidence: Evidence) -> Table:
    """Every setting, scored our way, with its times."""
    boot, times = evidence.bootstrap, median_times(evidence.times)
    lines = []
    for where in evidence.places:
        for group in evidence.at(where):
            seconds = times.get((where, group.label), {})
            lines.append(
                (
                    *place_cells(where),
                    f"`{group.label}`",
                    str(group.runs),
                    share(boot.of(group.values("success"))),
                    percent(headline(group.values("reached"))),
                    *_contacts(group),
                    *(spread(boot.of(group.values(column))) for column in ("cost_max", "cost_mean", "cost_total")),
                    spread(boot.of(group.values("steps_mean")), 1),
                    number(headline(group.values("steps_max")), 1),
                    number(1e3 * seconds.get("plan_s", math.nan), 0),
                    number(seconds.get("decisions_per_s", math.nan), 0),
                )
            )
    header = ("map", "difficulty", "agents", "setting", "runs", "success", "reached", *CONTACTS, "cost max", "cost mean")
    return Table((*header, "cost total", "steps mean", "steps max", "planning, ms", "decisions / s"), tuple(lines))


def regret_table(evidence: Evidence) -> Table:
    """What each method pays and takes beyond the oracle, each agent alone on the map."""
    boot = evidence.bootstrap
    lines = []
    for where in evidence.places:
        for group in evidence.at(where):
            if group.label not in evidence.suite.headlines:
                continue
            worst = group.values("cost_max") - group.values("oracle_cost_max")
            mean = group.values("cost_mean") - group.values("oracle_cost_mean")
            steps = group.values("steps_mean") - group.values("oracle_steps_mean")
            lines.append(
                (
                    *place_cells(where),
                    name_of(evidence.suite, group),
                    *(spread(boot.of(regret)) for regret in (worst, mean, steps)),
                    f"{number(group.cost_ratio)}×" if not math.isnan(group.cost_ratio) else "-",
                    f"{number(group.steps_ratio)}×" if not math.isnan(group.steps_ratio) else "-",
                )
            )
    header = ("map", "difficulty", "agents", "method", "cost max, regret", "cost mean, regret", "steps mean, regret")
    return Table((*header, "cost max / oracle's", "steps mean / oracle's"), tuple(lines))


def ablation_table(evidence: Evidence) -> Table:
    """Each setting beside the base, on the same problems and training seeds; intervals are of the paired differences."""
    boot, times = evidence.bootstrap, median_times(evidence.times)
    lines = []
    for where in evidence.places:
        here = evidence.at(where)
        base = next((group for group in here if group.label == evidence.suite.base), None)
        for group in here:
            cells = [*place_cells(where), f"**{group.setting}**" if group is base else group.setting]
            cells.append(share(boot.of(group.values("success"))))
            cells += _contacts(group)
            for column, digits in (("cost_max", 2), ("steps_mean", 1)):
                cells.append(number(headline(group.values(column)), digits))
                change = None if base is None or group is base else paired(group, base, column)
                cells.append("-" if change is None else signed(boot.of(change), digits))
            cells.append(number(1e3 * times.get((where, group.label), {}).get("plan_s", math.nan), 0))
            lines.append(tuple(cells))
    header = ("map", "difficulty", "agents", "setting", "success", *CONTACTS, "cost max", "change", "steps mean", "change")
    return Table((*header, "planning, ms"), tuple(lines))


def signed(figure: Estimate, digits: int = 2) -> str:
    """A difference with its interval, its sign always shown."""

    def one(value: float) -> str:
        text = number(value, digits)
        return text if text.startswith("-") or float(text) == 0 else f"+{text}"

    return f"{one(figure.value)} [{one(figure.low)}, {one(figure.high)}]" if not math.isnan(figure.low) else one(figure.value)


def short_table(evidence: Evidence) -> Table:
    """One line a cell, one column a method: success and cost, then what navplan pays for them in steps; what the README shows."""
    boot = evidence.bootstrap
    shown = [setting for setting in evidence.suite.settings if setting.headline and not setting.part]
    methods = [setting for setting in shown if any(group.label == setting.label for group in evidence.groups)]
    with_paper = any(published(*where, method) for where in evidence.places for method in NAMES)
    steps = ("navplan's steps / oracle's",) if any(group.label == "navplan/default" for group in evidence.groups) else ()
    lines = []
    for where in evidence.places:
        here = {group.label: group for group in evidence.at(where)}
        cells = list(place_cells(where))
        if with_paper:
            cells.append(_published(where, "constrained-search").split(" ±")[0])
        for setting in methods:
            group = here.get(setting.label)
            cells.append("-" if group is None else f"{percent(headline(group.values('success')))}, {_cost(boot, group)}")
        ours = here.get("navplan/default")
        best = ours or next(iter(here.values()))
        cells.append(number(headline(best.values("oracle_cost_max"))))
        if steps:
            cells.append("-" if ours is None else f"{number(ours.steps_ratio)}×")
        lines.append(tuple(cells))
    several = {setting.method for setting in methods}
    names = [NAMES[s.method] if len(several) == len(methods) else f"{NAMES[s.method]}, {s.name}" for s in methods]
    paper = ("paper's cost",) if with_paper else ()
    return Table(("map", "difficulty", "agents", *paper, *names, "oracle's cost", *steps), tuple(lines))


def parts_table(evidence: Evidence) -> Table:
    """One line a cell: the methods that drive with a part of navplan's execution, beside navplan: success, cost, steps.

    All on the problems that all of them were run on.
    """
    boot = evidence.bootstrap
    shown = [s for s in evidence.suite.settings if s.headline and (s.part or s.method == "navplan")]
    shown = [setting for setting in shown if any(group.label == setting.label for group in evidence.groups)]
    lines = []
    for where in evidence.places:
        labels = {setting.label for setting in shown}
        here = {group.label: group for group in on_shared_problems([g for g in evidence.at(where) if g.label in labels])}
        cells = list(place_cells(where))
        for setting in shown:
            group = here.get(setting.label)
            if group is None:
                cells.append("-")
                continue
            steps = "" if math.isnan(group.steps_ratio) else f", {number(group.steps_ratio)}×"
            cells.append(f"{percent(headline(group.values('success')))}, {_cost(boot, group)}{steps}")
        lines.append(tuple(cells))
    return Table(("map", "difficulty", "agents", *(NAMES[setting.method] for setting in shown)), tuple(lines))


def _cost(boot: Bootstrap, group: SettingRuns) -> str:
    return spread(boot.of(group.values("cost_max")))
