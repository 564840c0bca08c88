"""Suites: which maps, teams, checkpoints, methods and settings an evaluation runs; committed TOML files, read and checked here.

A suite file::

    name = "paper-2d"  # default: the file's name
    problem_set = "paper-2d"  # default: the name; split = "test" or "tuning"; or a problem file, such as "mine.csv"
    maps = ["center-dot"]
    difficulties = ["easy", "medium", "hard"]
    agents = [1, 5]
    problems = 50  # of each cell, the first ones
    budget = 300  # steps of every agent, or budget_factor = 4.0, times the slowest agent's oracle steps
    train_seeds = [0, 1, 2]
    base = "navplan/default"  # ablations: what the other settings are compared with

    [checkpoints]
    first = "{scenario}"  # training seed 0; a bundled name, or the path of a run directory
    others = "{scenario}-seed{seed}"
    train = "--scenario {scenario}"  # options of navplan train, said where a run is missing; or "--config {configs}/x.toml"

    [options]  # fields of navplan.navigation.methods.Options, for all settings
    [bootstrap]  # draws, seed, confidence
    [figures]  # map, difficulty, agents, problem: what the pictures show; step_weights of the oracle's front

    [[settings]]
    method = "constrained-search"
    name = "0.5"
    headline = true  # the one of its method that tables and pictures show when they show one
    options = { max_risk = 5.0 }  # settings = {...} in it are fields of navplan.execution.synchronised.Settings
    ensemble = 1  # ask only the first so many critics of each kind
    checkpoints = { first = "...", others = "..." }
    about = "what it is for"
    prepared = false  # execution is not told what goes wrong; problems = 20: fewer than the others run

    [[perturbations]]  # navplan.bench.evaluate.perturbations
    name = "late"
    levels = [1]

    [fewer]  # of some numbers of agents only the first so many problems
    50 = 20

    [[notes]]  # words beside a figure that was not reached; no part of what is run
    map = "center-dot"
    difficulty = "hard"
    agents = 20
    text = "..."

An unknown key, option or method is an error.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from navplan.bench.evaluate.lists import number, take_list, text, whole
from navplan.bench.evaluate.options import merged, read_options
from navplan.bench.evaluate.perturbations import Perturbation, part_of, read_perturbations
from navplan.bench.mazes.rungs import SUITE as MAZES
from navplan.errors import InvalidInput, UnknownName
from navplan.scenarios.formats.toml_table import TomlTable
from navplan.system.paths import is_file

SUITE_FOLDER = Path(__file__).parents[1] / "suites"
_TOP = (
    *("name", "problem_set", "split", "maps", "difficulties", "agents", "problems", "budget", "budget_factor", "train_seeds"),
    *("base", "checkpoints", "options", "bootstrap", "figures", "settings", "notes", "perturbations", "fewer"),
)
_SETTING = ("method", "name", "headline", "options", "ensemble", "checkpoints", "about", "prepared", "problems")
_FIGURES = ("map", "difficulty", "agents", "problem", "step_weights")
_STEP_WEIGHTS = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


@dataclass(frozen=True)
class Checkpoints:
    """Patterns: ``{scenario}``, ``{seed}`` and ``{configs}``, navplan's folder of training configurations, are filled in.

    Attributes:
        first: name or path of the run directory of training seed 0.
        others: of the other seeds.
        train: what `navplan train` is told to make one, seed and directory apart.
    """

    first: str = "{scenario}"
    others: str = "{scenario}-seed{seed}"
    train: str = "--scenario {scenario}"

    def of(self, scenario: str, seed: int) -> str:
        """The run of a training seed."""
        return (self.others if seed else self.first).format(scenario=scenario, seed=seed)


@dataclass(frozen=True)
class Setting:
    """A method with its options.

    Attributes:
        options: fields of `Options` that differ from the defaults, those of the whole suite included.
        headline: shown where one setting stands for its method.
        ensemble: how many critics of each kind are asked; None: all.
        prepared: execution is told what the perturbations are.
        problems: how many are run, the first ones; None: all of the suite.
    """

    method: str
    name: str
    options: Mapping[str, Any]
    checkpoints: Checkpoints
    headline: bool = True
    about: str = ""
    ensemble: int | None = None
    prepared: bool = True
    problems: int | None = None

    @property
    def label(self) -> str:
        """``method/name``."""
        return f"{self.method}/{self.name}"

    @property
    def part(self) -> str:
        """Which part of navplan's execution a baseline drives with: "filter", "synchronised", or "" for none."""
        return self.method.partition("+")[2]


@dataclass(frozen=True)
class Figures:
    """What the pictures show: one cell, one problem of it, and the weights of a step along the oracle's front."""

    map: str
    difficulty: str
    agents: int
    problem: int = 0
    step_weights: tuple[float, ...] = _STEP_WEIGHTS

    @property
    def where(self) -> tuple[str, str, int]:
        """Map, difficulty and agents of the cell."""
        return self.map, self.difficulty, self.agents


@dataclass(frozen=True)
class Note:
    """Words beside the figure of a cell, or with no number of agents of all cells of a map."""

    map: str
    difficulty: str
    text: str
    agents: int | None = None


@dataclass(frozen=True)
class Suite:
    """What is run; see this module's text. `budget` or `budget_factor` is None; `fewer` is by number of agents."""

    name: str
    problem_set: str
    split: str
    maps: tuple[str, ...]
    difficulties: tuple[str, ...]
    agents: tuple[int, ...]
    problems: int
    train_seeds: tuple[int, ...]
    settings: tuple[Setting, ...]
    budget: int | None = 300
    budget_factor: float | None = None
    base: str | None = None
    draws: int = 10_000
    bootstrap_seed: int = 0
    confidence: float = 0.95
    figures: Figures | None = None
    notes: tuple[Note, ...] = ()
    perturbations: tuple[Perturbation, ...] = ()
    fewer: Mapping[int, int] = dataclasses.field(default_factory=dict)

    @property
    def headlines(self) -> tuple[str, ...]:
        """``method/setting`` of the settings that stand for their methods, in order."""
        return tuple(setting.label for setting in self.settings if setting.headline)

    def noted(self, where: tuple[str, str, int]) -> tuple[str, ...]:
        """The notes about a map, difficulty and number of agents."""
        return tuple(n.text for n in self.notes if (n.map, n.difficulty) == where[:2] and n.agents in (None, where[2]))

    def setting(self, label: str) -> Setting:
        """The setting ``method/name``."""
        return next(setting for setting in self.settings if setting.label == label)

    def narrowed(
        self,
        *,
        methods: Iterable[str] | None = None,
        agents: Iterable[int] | None = None,
        problems: int | None = None,
        train_seeds: Iterable[int] | None = None,
        perturbations: Iterable[str] | None = None,
    ) -> Suite:
        """A part of the suite; a method is a name, for all its settings, or ``method/setting``.

        Raises:
            InvalidInput, UnknownName: the suite does not have it.
        """
        kept = self.settings
        if methods is not None:
            names = list(methods)
            known = dict.fromkeys(name for s in self.settings for name in (s.method, s.label))
            for name in names:
                if name not in known:
                    raise UnknownName(f"method of suite {self.name}", name, known)
            kept = tuple(s for s in self.settings if s.method in names or s.label in names)
        if problems is not None and not 1 <= problems <= self.problems:
            raise InvalidInput(f"suite {self.name} has {self.problems} problems of a kind, got {problems}")
        return dataclasses.replace(
            self,
            settings=kept,
            agents=_part(self, "agents", self.agents, agents),
            train_seeds=_part(self, "training seed", self.train_seeds, train_seeds),
            problems=problems or self.problems,
            perturbations=part_of(self.perturbations, perturbations, self.name),
        )


def _part(suite: Suite, what: str, known: tuple[int, ...], asked: Iterable[int] | None) -> tuple[int, ...]:
    if asked is None:
        return known
    chosen = tuple(dict.fromkeys(asked))
    for value in chosen:
        if value not in known:
            raise InvalidInput(f"suite {suite.name} has no {what} {value}, but {', '.join(map(str, known))}")
    return tuple(value for value in known if value in chosen)


def suite_names() -> tuple[str, ...]:
    """The suites that come with navplan."""
    return tuple(sorted(path.stem for path in SUITE_FOLDER.glob("*.toml")))


def load_suite(name_or_path: str | Path) -> Suite:
    """A committed suite by name, or one from a file.

    Raises:
        UnknownName: a bare word that names no suite.
        FileAccessError, FileFormatError: as `read_suite`.
    """
    if str(name_or_path) in suite_names():
        return read_suite(SUITE_FOLDER / f"{name_or_path}.toml")
    path = Path(name_or_path)
    if not path.suffix and len(path.parts) <= 1 and not is_file(path):
        raise UnknownName("suite", str(name_or_path), [*suite_names(), MAZES])
    return read_suite(path)


def read_suite(path: Path) -> Suite:
    """Read a suite file.

    Raises:
        FileAccessError: it cannot be read.
        FileFormatError: not TOML, or not as this module's text says; names file and line.
    """
    top = TomlTable.read(path)
    name = top.take_str("name", path.stem)
    budget = top.take_int("budget") if "budget" in top else None
    factor = top.take_float("budget_factor", least=1.0) if "budget_factor" in top else None
    if (budget is None) == (factor is None):
        raise top.error("give budget or budget_factor, one of them", "budget_factor")
    patterns = _checkpoints(top.take_table("checkpoints"), Checkpoints())
    options_table = top.take_table("options")
    options = read_options(options_table)
    bootstrap = top.take_table("bootstrap")
    draws, seed = bootstrap.take_int("draws", 10_000), bootstrap.take_int("seed", 0, least=0)
    confidence = bootstrap.take_float("confidence", 0.95)
    if not 0 < confidence < 1:
        raise bootstrap.error(f"bootstrap.confidence is {confidence}, expected a number between 0 and 1", "confidence")
    bootstrap.finish(("draws", "seed", "confidence"))
    figures = _figures(top.take_table("figures")) if "figures" in top else None
    if "settings" not in top:
        raise top.error("settings is missing, expected an array of tables [[settings]]")
    settings = tuple(_setting(table, options, patterns) for table in top.take_tables("settings"))
    notes = tuple(_note(table) for table in top.take_tables("notes")) if "notes" in top else ()
    base = top.take_str("base") if "base" in top else None
    problem_set = top.take_str("problem_set", name)
    labels = [setting.label for setting in settings]
    for k, label in enumerate(labels):
        if label in labels[:k]:
            raise top.error(f"two settings are called {label}, expected different names", "settings")
    if base is not None and base not in labels:
        raise top.error(f"base is {base!r}, expected one of {', '.join(labels)}", "base")
    suite = Suite(
        name=name,
        problem_set=str(path.parent / problem_set) if problem_set.endswith(".csv") else problem_set,
        split=top.take_str("split", "test"),
        maps=take_list(top, "maps", text),
        difficulties=take_list(top, "difficulties", text),
        agents=take_list(top, "agents", whole(1)),
        problems=top.take_int("problems"),
        train_seeds=take_list(top, "train_seeds", whole(0)),
        settings=settings,
        budget=budget,
        budget_factor=factor,
        base=base,
        draws=draws,
        bootstrap_seed=seed,
        confidence=confidence,
        figures=figures,
        notes=notes,
        perturbations=read_perturbations(top),
        fewer=_fewer(top.take_table("fewer")),
    )
    top.finish(_TOP)
    return suite


def _setting(table: TomlTable, common: Mapping[str, Any], patterns: Checkpoints) -> Setting:
    from navplan.navigation.methods import method_names

    method = table.take_str("method")
    if method not in method_names():
        raise table.error(f"method is {method!r}, expected one of {', '.join(method_names())}")
    setting = Setting(
        method=method,
        name=table.take_str("name", "default"),
        options=merged(common, read_options(table.take_table("options"))),
        checkpoints=_checkpoints(table.take_table("checkpoints"), patterns),
        headline=table.take_bool("headline", True),
        about=table.take_str("about", ""),
        ensemble=table.take_int("ensemble") if "ensemble" in table else None,
        prepared=table.take_bool("prepared", True),
        problems=table.take_int("problems") if "problems" in table else None,
    )
    table.finish(_SETTING)
    return setting


def _checkpoints(table: TomlTable, default: Checkpoints) -> Checkpoints:
    patterns = {key: table.take_str(key, value) for key, value in dataclasses.asdict(default).items()}
    table.finish(tuple(patterns))
    for key, fields in (("first", ("scenario", "seed")), ("others", ("scenario", "seed")), ("train", ("scenario", "configs"))):
        try:
            patterns[key].format(**dict.fromkeys(fields, ""))
        except (LookupError, ValueError) as error:
            names = " and ".join(f"{{{name}}}" for name in fields)
            message = f"{table.label(key)} is {patterns[key]!r}, expected a name with {names}"
            raise table.error(message, key) from error
    return Checkpoints(**patterns)


def _figures(table: TomlTable) -> Figures:
    found = Figures(
        map=table.take_str("map"),
        difficulty=table.take_str("difficulty"),
        agents=table.take_int("agents"),
        problem=table.take_int("problem", 0, least=0),
        step_weights=take_list(table, "step_weights", number) if "step_weights" in table else _STEP_WEIGHTS,
    )
    table.finish(_FIGURES)
    return found


def _note(table: TomlTable) -> Note:
    agents = table.take_int("agents") if "agents" in table else None
    found = Note(table.take_str("map"), table.take_str("difficulty"), table.take_str("text"), agents)
    table.finish(("map", "difficulty", "agents", "text"))
    return found


def _fewer(table: TomlTable) -> dict[int, int]:
    """Problems by number of agents."""
    for key in list(table.keys()):
        if not key.isdecimal():
            raise table.error(f"{table.label(key)}: expected a number of agents", key)
    return {int(key): table.take_int(key) for key in list(table.keys())}
