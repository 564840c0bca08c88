"""What is in a dataset, and the mistakes that logs have."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from navplan.system.arrays import Bool, Float32, Float64, Int64

# Rows that are looked at at once, and numbers in them.
_ROWS = 1 << 16
_VALUES = 1 << 22
# A step longer than this many times the median of those that move is a jump.
JUMP = 8.0
# Quantiles of lengths that are shown.
_QUANTILES = (0.05, 0.5, 0.95, 1.0)
# Most places of one kind that are named.
_NAMED = 5
# Where a larger share of steps changes nothing, that is said.
_PARKED = 0.5


class Trajectories(Protocol):
    """What is looked at of a `Dataset`, which asks for its own summary."""

    @property
    def observations(self) -> NDArray[Any]: ...  # noqa: D102
    @property
    def actions(self) -> Float32: ...  # noqa: D102
    @property
    def starts(self) -> Int64: ...  # noqa: D102
    @property
    def costs(self) -> Float32 | None: ...  # noqa: D102
    @property
    def position(self) -> object: ...  # noqa: D102
    @property
    def convention(self) -> str: ...  # noqa: D102
    @property
    def files(self) -> tuple[tuple[str, int], ...]: ...  # noqa: D102
    @property
    def num_rows(self) -> int: ...  # noqa: D102
    @property
    def num_episodes(self) -> int: ...  # noqa: D102
    @property
    def num_transitions(self) -> int: ...  # noqa: D102
    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    def positions(self, rows: ArrayLike) -> Float64: ...  # noqa: D102
    def episodes(self, rows: ArrayLike) -> Int64: ...  # noqa: D102


@dataclass(frozen=True)
class Summary:
    """A dataset in numbers; `str` of it is for people.

    Attributes:
        transitions, episodes: how many.
        observation: shape and dtype of one.
        action: width, least and largest value; nan where no action is finite.
        convention: how the ends of trajectories were found.
        episode_steps, step_length: quantiles 5 %, 50 %, 95 % and 100 %.
        measure: of lengths: "positions" where they are known, else "deviations": the numbers of observations, each column by its
            standard deviation.
        bad_rows: how many rows hold NaN or infinity, in observations or in actions and costs of steps.
        jumps: how many steps are longer than `JUMP` times the median.
        still: share of steps that change nothing.
        repeated: how many rows are another trajectory's beginning again: files given twice.
        costs: mean cost of a step, None where none was logged.
        named: of each mistake the first (episode, row within it).
        mistakes: a line for each.
    """

    transitions: int
    episodes: int
    observation: tuple[tuple[int, ...], str]
    action: tuple[int, float, float]
    convention: str
    episode_steps: tuple[float, ...]
    step_length: tuple[float, ...]
    measure: str
    bad_rows: int
    jumps: int
    still: float
    repeated: int
    costs: float | None
    named: dict[str, list[tuple[int, int]]]
    mistakes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """For `--json`: what is no finite number is None."""
        width, *ends = self.action
        return {**dataclasses.asdict(self), "action": [width, *(end if np.isfinite(end) else None for end in ends)]}

    def __str__(self) -> str:
        shape, kind = self.observation
        width, least, most = self.action
        ends = f"from {least:.3g} to {most:.3g}" if np.isfinite(least) else "of which none is finite"
        measured = "" if self.measure == "positions" else " (in standard deviations of observations)"
        lines = [
            f"{self.transitions} steps in {self.episodes} trajectories; steps of each: {_spread(self.episode_steps)}",
            f"observations {'x'.join(map(str, shape))} {kind}, actions {width} {ends}"
            + (", no costs" if self.costs is None else f", costs {self.costs:.4g} a step"),
            f"ends of trajectories: {self.convention}",
            f"lengths of steps{measured}: {_spread(self.step_length)}; {100 * self.still:.1f} % change nothing",
        ]
        return "\n".join([*lines, *(f"mistake: {line}" for line in self.mistakes)])


def summarised(data: Trajectories) -> Summary:
    """See `Dataset.summary`; one pass through the data, a block of rows at a time."""
    steps = np.diff(data.starts) - 1
    bad, lengths, low, high, paid = _scan(data)
    inner = np.ones(data.num_rows, np.bool_)
    inner[data.starts[1:] - 1] = False
    moving = lengths[inner & np.isfinite(lengths)]
    still = float((moving == 0).mean()) if moving.size else 0.0
    median = float(np.median(moving[moving > 0])) if (moving > 0).any() else 0.0
    jumps = inner & (lengths > JUMP * median) & (median > 0)
    repeated = _repeated(data)
    named = {what: _places(data, rows) for what, rows in (("bad", bad), ("jump", jumps), ("repeated", repeated))}
    return Summary(
        transitions=data.num_transitions,
        episodes=data.num_episodes,
        observation=(data.shape, str(data.observations.dtype)),
        action=(data.actions.shape[1], low, high),
        convention=data.convention,
        episode_steps=tuple(float(q) for q in np.quantile(steps, _QUANTILES)),
        step_length=tuple(float(q) for q in np.quantile(moving, _QUANTILES)) if moving.size else (),
        measure="deviations" if data.position is None else "positions",
        bad_rows=int(bad.sum()),
        jumps=int(jumps.sum()),
        still=still,
        repeated=int(repeated.sum()),
        costs=paid,
        named=named,
        mistakes=tuple(_mistakes(data, bad, jumps, repeated, median, still, named)),
    )


def _scan(data: Trajectories) -> tuple[Bool, Float64, float, float, float | None]:
    """Rows that are no numbers; (R,) lengths of the step that begins in each row; range of actions; mean cost of a step."""
    count = data.num_rows
    bad, lengths = np.zeros(count, np.bool_), np.zeros(count)
    scale = _scale(data)
    last = np.zeros(count, np.bool_)
    last[data.starts[1:] - 1] = True
    low, high, paid, steps = np.inf, -np.inf, 0.0, 0
    before: Float64 | None = None
    block = min(_ROWS, _rows_at_once(data))
    for first in range(0, count, block):
        rows = np.arange(first, min(first + block, count))
        seen = _finite(data.observations[first : first + block].reshape(len(rows), -1))
        bad[rows] = np.isnan(seen).any(axis=1)
        used = data.actions[first : first + block][~last[rows]]
        bad[rows[~last[rows]]] |= ~np.isfinite(used).all(axis=1)
        used = used[np.isfinite(used)]
        if used.size:
            low, high = min(low, float(used.min())), max(high, float(used.max()))
        if data.costs is not None:
            costs = data.costs[rows][~last[rows]]
            bad[rows[~last[rows]]] |= ~np.isfinite(costs)
            paid, steps = paid + float(costs[np.isfinite(costs)].sum()), steps + int(np.isfinite(costs).sum())
        at = _finite(data.positions(rows)) if data.position is not None else seen / scale
        whole = at if before is None else np.concatenate([before, at])
        gaps = np.sqrt(((whole[1:] - whole[:-1]) ** 2).sum(axis=1))
        start = first if before is None else first - 1
        lengths[start : start + len(gaps)] = gaps
        before = at[-1:]
    if low > high:
        low = high = np.nan
    return bad, lengths, low, high, paid / max(1, steps) if data.costs is not None else None


def _rows_at_once(data: Trajectories) -> int:
    return max(1, _VALUES // int(np.prod(data.shape, dtype=np.int64)))


def _finite(values: NDArray[Any]) -> Float64:
    """Numbers as float64, nan where they are not finite."""
    found = values.astype(np.float64)
    found[~np.isfinite(found)] = np.nan
    return found


def _scale(data: Trajectories) -> Float64:
    """Standard deviation of each column of observations in some rows, 1 where it is 0."""
    rows = np.unique(np.linspace(0, data.num_rows - 1, min(data.num_rows, 4096, _rows_at_once(data))).astype(np.int64))
    seen = _finite(data.observations[rows].reshape(len(rows), -1))
    known = ~np.isnan(seen)
    count = np.maximum(1, known.sum(axis=0))
    middle = np.where(known, seen, 0.0).sum(axis=0) / count
    spread = np.sqrt(np.where(known, (seen - middle) ** 2, 0.0).sum(axis=0) / count)
    return np.where(spread > 0, spread, 1.0)


def _repeated(data: Trajectories) -> Bool:
    """First rows of trajectories that are the beginning of an earlier one again, action and all."""
    seen: set[bytes] = set()
    again = np.zeros(data.num_rows, np.bool_)
    for first, end in zip(data.starts[:-1].tolist(), data.starts[1:].tolist(), strict=True):
        stop = min(first + 3, end)
        key = data.observations[first:stop].tobytes() + data.actions[first : stop - 1].tobytes()
        if end - first > 2 and key in seen:
            again[first] = True
        seen.add(key)
    return again


def _mistakes(
    data: Trajectories,
    bad: Bool,
    jumps: Bool,
    repeated: Bool,
    median: float,
    still: float,
    named: dict[str, list[tuple[int, int]]],
) -> list[str]:
    found = []
    if bad.any():
        found.append(f"rows with NaN or infinity: {bad.sum()}{_where(data, named['bad'])}")
    if jumps.any():
        text = f"steps longer than {JUMP:g} times the median of {median:.3g}: {jumps.sum()}{_where(data, named['jump'])}"
        found.append(f"{text}; {_reason(data, jumps)}")
    if repeated.any():
        text = f"trajectories that begin as an earlier one does: {repeated.sum()}{_where(data, named['repeated'])}"
        found.append(f"{text}; logged twice?")
    empty = int((np.diff(data.starts) < 2).sum())
    if empty:
        found.append(f"trajectories without a step: {empty}")
    if still > _PARKED:
        found.append(f"{100 * still:.0f} % of the steps change nothing")
    if (data.actions[1:_ROWS] == data.actions[0]).all():
        found.append("all actions are the same")
    return found


def _reason(data: Trajectories, jumps: Bool) -> str:
    """What long steps may come from: those next to the ends of trajectories tell of marks in the wrong row."""
    rows = np.flatnonzero(jumps)
    last = data.starts[data.episodes(rows) + 1] - 1
    first = data.starts[data.episodes(rows)]
    for there, text in ((rows + 1 == last, "end at a trajectory's last row: marked one row late?"),
                        (rows == first, "begin at a trajectory's first row: marked one row early?")):  # fmt: skip
        if 2 * there.sum() > len(rows):
            return f"{there.sum()} of them {text}"
    return "jumps of a sensor, teleporters, or ends of trajectories that are not marked"


def _places(data: Trajectories, rows: Bool) -> list[tuple[int, int]]:
    """The first few rows, as (episode, row within it)."""
    first = np.flatnonzero(rows)[:_NAMED]
    episodes = data.episodes(first)
    return list(zip(episodes.tolist(), (first - data.starts[episodes]).tolist(), strict=True))


def _where(data: Trajectories, places: list[tuple[int, int]]) -> str:
    episode, row = places[0]
    at = int(data.starts[episode]) + row
    file = next((f", in {name}" for name, first in reversed(data.files) if first <= at), "") if len(data.files) > 1 else ""
    return f" (first: episode {episode}, row {row} of it, {at} of all{file})"


def _spread(quantiles: tuple[float, ...]) -> str:
    """Median, 5 %, 95 % and largest in words."""
    if not quantiles:
        return "none"
    low, middle, high, most = quantiles
    if low == most:
        return f"{middle:.4g}"
    return f"{middle:.4g} (5 % below {low:.4g}, 5 % above {high:.4g}, at most {most:.4g})"
