"""The report of an evaluation: what is printed, report.md with its figures, and the table in a README."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from navplan.bench.evaluate.perturbed import perturbed_table, perturbed_text
from navplan.bench.evaluate.plots import draw_all
from navplan.bench.evaluate.suite import Suite
from navplan.bench.evaluate.tables import (
    Evidence,
    Table,
    ablation_table,
    paper_table,
    parts_table,
    percent,
    regret_table,
    settings_table,
    short_table,
)
from navplan.bench.evaluate.targets import missed, targets_table
from navplan.errors import FileFormatError, MissingExtra
from navplan.system.files import read_bytes, write_text
from navplan.system.reading import decode_utf8

__all__ = ["Evidence", "console_text", "fill", "filled", "readme_text", "report_text", "write_report"]

_CAPTIONS = {
    "success": "Success (all agents at their goals within the budget, no contact) against the number of agents.",
    "success-same-execution": "The same, baselines with navplan's safety filter or its synchronised execution.",
    "cost-same-execution": "Cost of the baselines with navplan's safety filter or its synchronised execution.",
    "cost": "Cumulative cost, maximum over agents, over all problems, failures included. Dashed: the cheapest that the "
    "oracle finds, each agent alone on the map.",
    "pareto": "Steps and cost, means over agents and all problems. Line: what the oracle can do, each agent alone on the map. "
    "Pale marks: the method's other settings. In brackets: success.",
    "trajectories": "One problem, every method. Crosses: contacts.",
    "calibration": "Steps and cost that the critics predict for pairs a graph would join, and what the policy's own drives take; "
    "a line for each training seed, a mark for each tenth of the pairs; pairs that are predicted to cost nothing share one. "
    "Error: the mean distance of the marks from the diagonal.",
}


def main_table(evidence: Evidence) -> Table:
    """The first table of a suite."""
    if evidence.suite.perturbations:
        return perturbed_table(evidence)
    return ablation_table(evidence) if evidence.suite.base is not None else paper_table(evidence)


def console_text(evidence: Evidence) -> str:
    """The first table and what was missed, for a terminal."""
    lines = [main_table(evidence).text()]
    left = missed(evidence)
    if left:
        lines += ["", "not reached:", *[f"  {line}" for line in left]]
    return "\n".join(lines) + "\n"


def write_report(folder: Path, evidence: Evidence, *, keep: bool = False) -> tuple[Path, ...]:
    """Write report.md, and the figures where matplotlib is installed; the files written.

    Args:
        keep: the report shows figures that are there already, too.

    Raises:
        FileAccessError: the folder cannot be written.
    """
    pictures: list[Path] = []
    if evidence.rows and not evidence.suite.perturbations:
        try:
            pictures = draw_all(folder / "figures", evidence)
        except MissingExtra:
            pictures = []
    report = folder / "report.md"
    if keep:
        there = [folder / "figures" / f"{name}.png" for name in _CAPTIONS]
        pictures = [path for path in there if path.is_file()]
    write_text(report, report_text(evidence, pictures))
    return (report, *pictures)


def report_text(evidence: Evidence, pictures: Sequence[Path]) -> str:
    """The whole report, Markdown."""
    suite = evidence.suite
    if not evidence.rows:
        return f"# {suite.name}\n\nNo task is done.\n"
    parts = [f"# {suite.name}\n", _summary(evidence)]
    left = missed(evidence)
    if left:
        parts += ["## Not reached\n", "\n".join(f"- {line}" for line in left) + "\n"]
    if suite.perturbations:
        parts += ["## Under perturbation\n", perturbed_text(evidence)]
    elif suite.base is not None:
        parts += ["## Ablations\n", _ABLATIONS.format(base=suite.base), ablation_table(evidence).markdown()]
        parts += ["\n".join(f"- **{s.name}**: {s.about}" for s in suite.settings if s.about) + "\n"]
    else:
        table = paper_table(evidence)
        words = _PUBLISHED + _BESIDE if "published" in table.header else _BESIDE
        parts += ["## Beside the paper\n", words, table.markdown()]
        alike = parts_table(evidence)
        if len(alike.header) > _PLACE + 1:
            parts += ["## With the same execution\n", _alike(suite), alike.markdown()]
        parts += ["## Regret\n", _REGRET, regret_table(evidence).markdown()]
    targets = targets_table(evidence)
    if targets.lines:
        parts += ["## Targets\n", targets.markdown()]
    if not suite.perturbations:
        parts += ["## Every setting\n", _EVERY, settings_table(evidence).markdown()]
    drawn = [path for path in pictures if path.suffix == ".png"]
    if drawn:
        parts.append("## Figures\n")
        parts += [f"![{path.stem}]({path.parent.name}/{path.name})\n\n{_CAPTIONS.get(path.stem, '')}\n" for path in drawn]
    parts += ["## How it was scored\n", _SCORING.format(certainty=certainty(suite))]
    return "\n".join(parts).rstrip() + "\n"


_ABLATIONS = (
    "Each line changes one thing of {base}, which is in bold. Changes are paired differences on the same problems and "
    "training seeds, with their intervals.\n"
)
_PUBLISHED = (
    "*Published* is what the paper reports for its own problems and networks of one seed; *notebook*: in its released code, not "
    "in its table. "
)
_BESIDE = (
    "*The paper's scoring of our runs* ignores contacts, shares 300 calls among all "
    "agents, averages cost over successful problems only, puts the result of the policy without search in the place of failed "
    "plans, and takes the pruning factor that does best on the test problems. All other columns are scored as the last section "
    "says; contacts count each pair that touches once for every step it does so, wall contacts agents and half-steps after which "
    "a body reaches into a wall or over the edge (the paper's bodies do: walls stop their centres only; a dash: not measured), "
    "bumps moves that walls stop, and are means over problems. The filter that keeps bodies apart, where there is one, asks the "
    "environment where moves would end, walls and all.\n"
)
_PLACE = 3  # columns of map, difficulty and agents
_ALIKE = (
    "The baselines with navplan's safety filter, and with its synchronised execution, of which the filter is a part: success, "
    "cost (maximum over agents), steps beside the oracle's. All are on the same {problems} problems.\n"
)
_REGRET = "What a method pays and takes beyond what was possible for each agent alone on the map, the goal tolerance included.\n"
_EVERY = "Costs and steps are over all problems, failures included; times are medians over runs.\n"
_SCORING = (
    "Every method alike, over all problems; nothing replaces a failure. *Success*: within the budget every agent is within the "
    "goal tolerance of its goal and stays there, and no two bodies ever touched; *reached* disregards contacts. Cost and steps "
    "of an agent end with its final arrival; one that never arrives pays for all its steps and counts the whole budget. Without "
    "a plan the agents stand at their starts and pay for that. Figures are means over problems, then medians over training "
    "seeds; brackets hold percentile bootstrap intervals over problems and training seeds together. {certainty}\n\n"
    "Walls: learned. Nodes of graphs are states that training saw, edges what critics say of them; no method plans on the map.\n"
)
_CERTAINTY = (
    "Where every run succeeds such an interval has no width; {problems} problems without a failure still leave up to {bound} of "
    "all such problems (rule of three, 95 %), however many seeds ran them."
)
_NOT_INDEPENDENT = (
    " {seeds} networks on the same {problems} problems are not {runs} independent runs: intervals draw problems and networks "
    "anew, each as a whole, and {seeds} networks say little of how others would do."
)


def certainty(suite: Suite) -> str:
    """What 100 % means."""
    seeds, problems = len(suite.train_seeds), suite.problems
    text = _CERTAINTY.format(problems=problems, bound=percent(round(3 / problems, 3)))
    return text + (_NOT_INDEPENDENT.format(seeds=seeds, problems=problems, runs=seeds * problems) if seeds > 1 else "")


def _summary(evidence: Evidence) -> str:
    suite = evidence.suite
    seeds = sorted({row["train_seed"] for row in evidence.rows})
    budget = f"{suite.budget} steps" if suite.budget else f"{suite.budget_factor:g} times the slowest agent's oracle steps"
    text = (
        f"{len(evidence.rows)} runs: {suite.problems} {suite.split} problems of each kind, training seeds "
        f"{', '.join(map(str, seeds))}. Every agent has {budget}. Intervals: {100 * suite.confidence:g} %, {suite.draws} draws.\n"
    )
    if evidence.codes:
        text += f"\nSources {', '.join(evidence.codes)}.\n"
    if len(evidence.codes) > 1:
        text += "\nNot all rows were made with the same sources: run with --fresh before comparing them.\n"
    if not evidence.complete:
        text += "\n**Incomplete**: some tasks are not done; the same command goes on from here.\n"
    return text


def readme_text(evidence: Evidence) -> str:
    """What stands between a README's markers: the short table, what it says, and what was missed."""
    suite = evidence.suite
    if suite.perturbations:
        return perturbed_text(evidence)
    if suite.base is not None:
        return ablation_table(evidence).markdown()
    seeds = len({row["train_seed"] for row in evidence.rows})
    words = (
        f"Success, and cumulative cost (maximum over agents) with its {100 * suite.confidence:g} % interval; {suite.problems} "
        f"problems a line, {seeds} training seeds, failures included: means over problems, then medians over seeds, so that a "
        "seed that fails often shows in the interval only. Steps are means over agents, the oracle's the fewest of each agent "
        "alone. "
        f"{certainty(suite)}\n"
    )
    left = missed(evidence)
    if left:
        words += "\nNot reached:\n\n" + "\n".join(f"- {line}" for line in left) + "\n"
    alike = parts_table(evidence)
    second = f"\n{_alike(evidence.suite)}\n{alike.markdown()}" if len(alike.header) > _PLACE + 1 else ""
    return f"{short_table(evidence).markdown()}\n{words}{second}"


def fill(path: Path, evidence: Evidence) -> None:
    """Put the suite's table between its markers in `path`.

    Raises:
        FileAccessError: it cannot be read or written.
        FileFormatError: it lacks the markers.
    """
    write_text(path, filled(path, evidence))


def filled(path: Path, evidence: Evidence) -> str:
    """What `fill` writes."""
    begin, end = (f"<!-- {evidence.suite.name} table: {word} -->" for word in ("begin", "end"))
    text = decode_utf8(path, read_bytes(path), "a page of text")
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise FileFormatError(path, f"expected the lines {begin} and {end}, once each and in this order")
    head, rest = text.split(begin)
    return f"{head}{begin}\n\n{readme_text(evidence)}\n{end}{rest.split(end)[1]}"


def _alike(suite: Suite) -> str:
    """What the table of equal execution says, and on how many problems."""
    shown = [setting for setting in suite.settings if setting.headline and (setting.part or setting.method == "navplan")]
    return _ALIKE.format(problems=min(setting.problems or suite.problems for setting in shown))
