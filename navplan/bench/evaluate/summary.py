"""Rows put together: means over problems, medians over training seeds, and bootstrap intervals over both."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from navplan.bench.tables import Record
from navplan.system.arrays import Float64, Int64

Where = tuple[str, str, int]
"""Map, difficulty, agents."""


@dataclass(frozen=True)
class Estimate:
    """A number with its interval; NaN where nothing is known."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class SettingRuns:
    """All runs of one setting on the problems of one cell.

    Attributes:
        where: map, difficulty, agents.
        method, setting: names.
        seeds: training seeds, ascending.
        rows: (seeds, problems), by seed and problem.
        perturbation, level: what they were driven under, in suites that have perturbations.
    """

    where: Where
    method: str
    setting: str
    seeds: tuple[int, ...]
    rows: tuple[tuple[Record, ...], ...]
    perturbation: str = ""
    level: float = 0.0

    @property
    def label(self) -> str:
        """``method/setting``."""
        return f"{self.method}/{self.setting}"

    @property
    def runs(self) -> int:
        """How many rows."""
        return len(self.rows) * len(self.rows[0])

    def values(self, column: str) -> Float64:
        """(S, P) float64 of a column."""
        return np.array([[math.nan if row[column] is None else float(row[column]) for row in line] for line in self.rows])

    def count(self, column: str) -> int:
        """Sum of a column over all runs."""
        return int(self.values(column).sum())

    @cached_property
    def cost_ratio(self) -> float:
        """Mean of cost_max over mean of oracle_cost_max, median over seeds; NaN where the oracle pays nothing."""
        return headline(self.values("cost_max"), self.values("oracle_cost_max"))

    @cached_property
    def steps_ratio(self) -> float:
        """As `cost_ratio`, of steps_mean and oracle_steps_mean."""
        return headline(self.values("steps_mean"), self.values("oracle_steps_mean"))


def groups(rows: Sequence[Record]) -> list[SettingRuns]:
    """Rows put together in the order in which they come first."""
    together: dict[tuple[Where, str, str, str, float], dict[int, list[Record]]] = {}
    for row in rows:
        under = (row.get("perturbation", ""), row.get("level", 0.0))
        key = ((row["map"], row["difficulty"], row["agents"]), row["method"], row["setting"], *under)
        together.setdefault(key, {}).setdefault(row["train_seed"], []).append(row)
    found = []
    for (where, method, setting, name, level), by_seed in together.items():
        seeds = tuple(sorted(by_seed))
        lines = tuple(tuple(sorted(by_seed[seed], key=lambda row: int(row["problem"]))) for seed in seeds)
        found.append(SettingRuns(where, method, setting, seeds, lines, name, level))
    return found


def on_shared_problems(several: Sequence[SettingRuns]) -> list[SettingRuns]:
    """Runs of several settings in one cell, on the problems that all of them were run on: only those can be laid side by side.

    Nothing where they share none.
    """
    shared = set.intersection(*({row["problem"] for row in group.rows[0]} for group in several)) if several else set()
    if not shared:
        return []
    lines = [tuple(tuple(row for row in line if row["problem"] in shared) for line in group.rows) for group in several]
    return [dataclasses.replace(group, rows=rows) for group, rows in zip(several, lines, strict=True)]


def headline(values: Float64, weights: Float64 | None = None) -> float:
    """Mean over problems, then median over training seeds.

    Args:
        values: (S, P).
        weights: (S, P); given, the ratio of the two means stands in for the mean. A mask makes it the mean over the chosen
            problems, with `values` zero elsewhere.

    Returns:
        NaN where the weights of every seed sum to zero; other seeds without weight are left out.
    """
    everything = np.ones((1, values.shape[1]))
    return float(_medians(_ratios(values, weights, everything)[:, 0][None])[0])


def interval(
    values: Float64, weights: Float64 | None = None, *, draws: int = 10_000, seed: int = 0, confidence: float = 0.95
) -> Estimate:
    """`headline` with its percentile bootstrap interval: problems and training seeds are both drawn again.

    Problems are shared by all training seeds, so each draw takes the same problems for every seed (crossed design).

    Args:
        values, weights: (S, P), see `headline`.
        draws: how many.
        seed: of the generator; equal input gives equal intervals.
    """
    seeds, problems = values.shape
    counts, chosen = _drawn(seeds, problems, draws, seed)
    means = _ratios(values, weights, counts)  # (S, draws)
    medians = _medians(means.T[np.arange(draws)[:, None], chosen])
    known = medians[~np.isnan(medians)]
    if not known.size:
        return Estimate(headline(values, weights), np.nan, np.nan)
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(headline(values, weights), float(low), float(high))


@lru_cache(maxsize=8)
def _drawn(seeds: int, problems: int, draws: int, seed: int) -> tuple[Float64, Int64]:
    """How often each problem is taken (draws, P), and which training seeds (draws, S)."""
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(problems, np.full(problems, 1.0 / problems), size=draws).astype(np.float64)
    return counts, rng.integers(seeds, size=(draws, seeds))


def _ratios(values: Float64, weights: Float64 | None, counts: Float64) -> Float64:
    """(S, B) weighted means over problems, `counts` (B, P) saying how often each problem is taken."""
    below = counts.sum(axis=1)[None] if weights is None else weights @ counts.T
    # Sums of six-digit figures in another order differ in the last bit; the reports show far fewer digits.
    out: Float64 = np.full((len(values), len(counts)), np.nan)
    np.divide(values @ counts.T, below, out=out, where=below > 0)
    return out


def _medians(means: Float64) -> Float64:
    """(B,) medians over the last axis, NaN left out."""
    gaps = np.isnan(means)
    if not gaps.any():
        return np.asarray(np.median(means, axis=1))
    known = ~gaps.all(axis=1)
    out = np.full(len(means), np.nan)
    out[known] = np.nanmedian(means[known], axis=1)
    return out


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are drawn."""

    draws: int = 10_000
    seed: int = 0
    confidence: float = 0.95

    def of(self, values: Float64, weights: Float64 | None = None) -> Estimate:
        """`interval` with these settings."""
        return interval(values, weights, draws=self.draws, seed=self.seed, confidence=self.confidence)


def paired(group: SettingRuns, base: SettingRuns, column: str) -> Float64 | None:
    """(S, P) differences of a column on the same problems and seeds; None where they were not run on the same ones."""
    if group.where != base.where or group.seeds != base.seeds or len(group.rows[0]) != len(base.rows[0]):
        return None
    return group.values(column) - base.values(column)


def median_times(times: Sequence[Record]) -> Mapping[tuple[Where, str], dict[str, float]]:
    """Medians over all runs of a setting in a cell: plan_s, drive_s, decisions_per_s; and the mean of plan_s over all."""
    together: dict[tuple[Where, str], list[Record]] = {}
    for row in times:
        where = (row["map"], row["difficulty"], row["agents"])
        together.setdefault((where, f"{row['method']}/{row['setting']}"), []).append(row)
    return {
        key: {name: _median([row[name] for row in lines]) for name in ("plan_s", "first_plan_s", "drive_s", "decisions_per_s")}
        for key, lines in together.items()
    }


def _median(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else np.nan
