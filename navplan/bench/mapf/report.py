"""Tables of a run: the summary, the growth of runtime, and navplan beside its peers."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from navplan.bench.mapf.plots import draw_all
from navplan.bench.mapf.results import TeamRuns, groups
from navplan.bench.mapf.targets import PEER_MACHINE, TARGETS, Target
from navplan.bench.tables import Record
from navplan.errors import FileFormatError, MissingExtra
from navplan.system.files import read_bytes, write_text
from navplan.system.reading import decode_utf8

BEGIN = "<!-- mapf table: begin -->"
END = "<!-- mapf table: end -->"
# Shorter times are overhead of the call, not of the search.
LEAST_S = 1e-3


def summary_table(rows: Sequence[Record]) -> str:
    """Planner, map, agents, solved, seconds, costs: one line for each group of runs."""
    header = ("planner", "map", "agents", "solved", "runtime", "sum of costs", "/ bound", "memory")
    table = [header] + [
        (
            group.planner,
            group.map_name,
            str(group.agents),
            f"{group.solved}/{group.runs}",
            seconds(group.solved_s),
            "-" if group.cost is None else f"{group.cost:.10g}",
            "-" if group.ratio is None else f"{group.ratio:.3f}",
            "-" if group.memory_mb is None else f"{group.memory_mb:.0f} MB",
        )
        for group in groups(rows)
    ]
    widths = [max(len(line[k]) for line in table) for k in range(len(header))]
    right = (False, False, *[True] * 6)
    return "\n".join(
        "  ".join(cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(line, widths, right)).rstrip() for line in table
    )


def seconds(value: float | None) -> str:
    """Three significant digits and a unit."""
    if value is None:
        return "-"
    return f"{1e3 * value:.3g} ms" if value < 1 else f"{value:.3g} s"


@dataclass(frozen=True)
class Growth:
    """runtime ~ agents ** `agents` (* cells ** `cells`), by least squares in logarithms.

    Attributes:
        map_name: empty for a fit over several maps.
        cells: None for one map.
        r2: share of the variance that the fit explains.
        points: how many medians went in.
    """

    planner: str
    map_name: str
    agents: float
    cells: float | None
    r2: float
    points: int


def growth(rows: Sequence[Record]) -> list[Growth]:
    """Exponents of the runtime, for each planner on each map and over all maps.

    Only teams that were solved on every scenario count, so that a time limit does not bend the curve, and only medians
    of at least a millisecond. A map needs three team sizes that span a factor of two; all maps together need two maps.
    """
    usable = [g for g in groups(rows) if g.solved == g.runs and g.solved_s is not None and g.solved_s >= LEAST_S and g.cells]
    found = []
    for planner in sorted({g.planner for g in usable}):
        mine = [g for g in usable if g.planner == planner]
        kept: list[TeamRuns] = []
        for name in sorted({g.map_name for g in mine}):
            points = [g for g in mine if g.map_name == name]
            teams = [g.agents for g in points]
            if len(set(teams)) >= 3 and max(teams) >= 2 * min(teams):
                found.append(_fit(planner, name, points))
                kept += points
        if len({g.cells for g in kept}) >= 2:
            found.append(_fit(planner, "", kept))
    return found


def _fit(planner: str, name: str, points: Sequence[TeamRuns]) -> Growth:
    columns = [np.ones(len(points)), np.log([p.agents for p in points])]
    if not name:
        columns.append(np.log([float(p.cells or 1) for p in points]))
    matrix = np.stack(columns, axis=1)
    values = np.log([p.solved_s or math.nan for p in points])
    found, *_ = np.linalg.lstsq(matrix, values)
    spread = float(((values - values.mean()) ** 2).sum())
    left = float(((values - matrix @ found) ** 2).sum())
    r2 = 1.0 if spread == 0 else 1.0 - left / spread
    return Growth(planner, name, float(found[1]), None if name else float(found[2]), r2, len(points))


def growth_table(rows: Sequence[Record]) -> str:
    """Markdown; a sentence where nothing can be fitted."""
    fits = growth(rows)
    if not fits:
        return "No planner was solved on every scenario with three team sizes and more than a millisecond: no exponent.\n"
    lines = ["| planner | map | agents | cells | R² | points |", "|---|---|---|---|---|---|"]
    for fit in fits:
        cells = "-" if fit.cells is None else f"{fit.cells:.2f}"
        name = fit.map_name or "all of the above"
        lines.append(f"| {fit.planner} | {name} | {fit.agents:.2f} | {cells} | {fit.r2:.2f} | {fit.points} |")
    return "\n".join(lines) + "\n"


def peers_table(rows: Sequence[Record]) -> str:
    """Markdown: every line of `TARGETS`, with what the rows say, beside the peer; lines that were not run say so."""
    measured = once([row for row in rows if row["type_id"] in (1, 2, 3)])
    found = {(g.planner, g.map_name, g.agents, g.time_limit): g for g in groups(measured)}
    lines: list[str] = []
    section = ""
    for target in TARGETS:
        if target.section != section:
            section = target.section
            lines += ["", f"**{section}**", "", *_header(target)]
        lines.append(_line(target, found.get((target.planner, target.map_name, target.agents, float(target.time_limit)))))
    return "\n".join(lines[1:]) + "\n"


def once(rows: Sequence[Record]) -> list[Record]:
    """The first run of each planner on each team of a scenario: one that was run for two purposes counts once."""
    found: dict[tuple[object, ...], Record] = {}
    for row in rows:
        work = (row["map_name"], row["scen_type"], row["type_id"], row["agents"])
        found.setdefault((*work, row["planner"], row["time_limit"], row["seed"]), row)
    return list(found.values())


def _header(target: Target) -> tuple[str, str]:
    names: tuple[str, ...]
    if target.cost is not None:
        names = ("planner", "map", "agents", "solved", "sum of costs", "processor s")
        names += ("peer", "peer's sum of costs", "ratio", "reached")
    else:
        names = ("planner", "map", "agents", "solved", "seconds", "processor s")
        names += ("peer", "peer solved", "peer's seconds", "ratio", "reached")
    return "| " + " | ".join(names) + " |", "|" + "---|" * len(names)


def _line(target: Target, group: TeamRuns | None) -> str:
    cells = [f"`{target.planner}`", target.map_name, str(target.agents), *_ours(target, group), target.peer or "none measured"]
    if target.cost is not None:
        ratio = "-" if group is None or group.cost is None else f"{group.cost / target.cost:.3f}"
        cells += [f"{target.cost:,g}", ratio]
    else:
        known = group is not None and group.solved_s is not None and target.peer_s is not None
        ratio = f"{group.solved_s / target.peer_s:.2g}" if known and group and group.solved_s and target.peer_s else "-"
        cells += [target.peer_solved or "-", "-" if target.peer_s is None else f"{target.peer_s:.3g}", ratio]
    return "| " + " | ".join([*cells, reached(target, group)]) + " |"


def _ours(target: Target, group: TeamRuns | None) -> tuple[str, ...]:
    """Solved, then the sum of costs or wall seconds, then processor seconds."""
    if group is None:
        return ("not run", "-", "-")
    first = _figure(group.solved_s, ".3g") if target.cost is None else _figure(group.cost, ",.10g")
    return (f"{group.solved}/{group.runs}", first, _figure(group.cpu_s, ".3g"))


def _figure(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def reached(target: Target, group: TeamRuns | None) -> str:
    """Yes, or what is missing: success rate first, then cost, then time (twice the peer's)."""
    if group is None or group.runs < 3:
        return "not measured"
    if group.solved < target.solved:
        return f"no: {group.solved} of {target.solved} solved"
    if target.cost is not None:
        return "yes" if group.cost is not None and group.cost <= target.cost else "no: costs more"
    if target.peer_s is not None and group.solved_s is not None and group.solved_s > 2 * target.peer_s:
        return "solved, slower"
    return "yes"


def report_text(rows: Sequence[Record], pictures: Sequence[Path]) -> str:
    """The whole report, Markdown."""
    codes = sorted({row["code"] for row in rows})
    limits = ", ".join(f"{limit:g}" for limit in sorted({row["time_limit"] for row in rows}))
    planned = [row for row in rows if row["status"] != "skipped"]
    bad = [row for row in planned if row["status"] in ("invalid", "crashed", "killed", "refused")]
    parts = [
        "# Multi-agent path finding\n",
        f"{len(rows)} runs, {sum(bool(r['solved']) for r in rows)} solved, {len(rows) - len(planned)} not run because a smaller "
        f"team was not solved (they count as unsolved). Time limit {limits} s, wall time after loading and compiling. "
        f"navplan {', '.join(sorted({row['version'] for row in rows}))}, sources {', '.join(codes)}.\n",
    ]
    if len(codes) > 1:
        parts.append("The rows were not all measured with the same sources: run with --fresh before comparing them.\n")
    if bad:
        parts.append("Runs that went wrong:\n")
        parts += [f"- {r['planner']}, {r['map_name']} {r['type_id']}, {r['agents']} agents: {r['reason']}" for r in bad]
        parts.append("")
    parts += [
        "## Summary\n",
        "Seconds, costs and memory of the whole process: medians over solved runs.\n",
        f"```\n{summary_table(rows)}\n```\n",
    ]
    parts += [
        "## Growth\n",
        "runtime ~ agents^a · cells^c, by least squares in logarithms, over the medians of team sizes that were solved on every "
        "scenario and took at least a millisecond:\n",
        growth_table(rows),
    ]
    if pictures:
        parts += ["## Pictures\n", *[f"![{p.stem}]({p.parent.name}/{p.name})\n" for p in pictures if p.suffix == ".png"]]
    return "\n".join(parts)


def write_report(folder: Path, rows: Sequence[Record]) -> tuple[Path, ...]:
    """Write report.md, and the plots where matplotlib is installed; the files written.

    Raises:
        FileAccessError: the folder cannot be written.
    """
    pictures: list[Path] = []
    if rows:
        try:
            pictures = draw_all(folder / "plots", rows)
        except MissingExtra:
            pictures = []
    report = folder / "report.md"
    text = report_text(rows, pictures) if rows else "# Multi-agent path finding\n\nNo run is done.\n"
    write_text(report, text.rstrip() + "\n")
    return (report, *pictures)


def fill_readme(path: Path, rows: Sequence[Record]) -> None:
    """Put the peers' table, its conditions and the exponents of growth between the markers of `path`.

    Raises:
        FileAccessError: it cannot be read or written.
        FileFormatError: it lacks the markers.
    """
    write_text(path, filled(path, rows))


def filled(path: Path, rows: Sequence[Record]) -> str:
    """What `fill_readme` writes."""
    text = decode_utf8(path, read_bytes(path), "a page of text")
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise FileFormatError(path, f"expected the lines {BEGIN} and {END}, once each and in this order")
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    exponents = f"**Growth**: runtime ~ agents^a · cells^c\n\n{growth_table(rows)}"
    return f"{head}{BEGIN}\n\n{peers_table(rows)}\n{exponents}\n{conditions(rows)}\n\n{END}{tail}"


def conditions(rows: Sequence[Record]) -> str:
    """How the rows were measured, as far as they tell."""
    shares: dict[str, list[float]] = {}
    for row in rows:
        if row.get("cpu_s") and row.get("wall_s"):
            shares.setdefault(row["planner"].split(":")[0], []).append(row["cpu_s"] / row["wall_s"])
    if not shares:
        return f"Peers ran on {PEER_MACHINE}."
    used = ", ".join(f"`{name}` {statistics.median(found):.2f}" for name, found in sorted(shares.items()))
    return (
        f"Peers ran on {PEER_MACHINE}, alone, with limits in processor time; navplan's limits are wall time on two cores. "
        f"Processors that navplan's {sum(map(len, shares.values()))} runs kept busy, medians: {used}. More than 1 is more than "
        "the peers had, less was taken by other work. "
        f"Sources of kernels and planners: {', '.join(sorted({row['code'] for row in rows}))}."
    )
