"""Logs out of `.npz` files: which rows belong together, by the convention that a file follows.

A trajectory of T steps has T + 1 observations. Files differ in where it ends:

- ``valids`` (OGBench, compact): 0 marks the last row of a trajectory, which no action follows.
- ``next_observations`` (D4RL): every row is a step, and holds the observation after it. ``terminals`` and ``timeouts`` mark a
  trajectory's last step.
- ``timeouts`` without ``next_observations`` (D4RL): either mark stands at the last observation that was logged.
- ``terminals`` alone (OGBench): 1 marks the last row of a trajectory, which no action follows.
- ``episode``: a number for each row, another one where another trajectory begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.errors import FileFormatError
from navplan.system.arrays import Bool, Float32, Int64

EXPECTED = "logs: observations, actions, and where trajectories end (terminals, timeouts, valids or episode)"


class Log(NamedTuple):
    """Trajectories one after the other.

    observations (R, …); actions (R, A) float32, that of a trajectory's last row means nothing; starts (E + 1,) int64, the rows of
    trajectory e are starts[e] to starts[e + 1]; costs (R,) float32 or None, likewise; convention: how the ends were found.
    """

    observations: NDArray[Any]
    actions: Float32
    starts: Int64
    costs: Float32 | None
    convention: str


def read_log(path: Path, arrays: Mapping[str, NDArray[Any]], cost: str | None) -> Log:
    """The trajectories in a file's arrays.

    Args:
        path: named in errors.
        arrays: by name.
        cost: which array holds the cost of each step; None: "costs" where there is one.

    Raises:
        FileFormatError: an array is missing or of another length, or no end is marked.
    """
    for name in ("observations", "actions"):
        if name not in arrays:
            raise FileFormatError(path, f"{name} is missing among {_listed(arrays)}, expected {EXPECTED}")
    observations, actions = arrays["observations"], arrays["actions"]
    _check_columns(path, observations, actions)
    count = len(observations)
    if cost is not None and cost not in arrays:
        raise FileFormatError(path, f"{cost} is missing among {_listed(arrays)}, expected the cost of each step there")
    name = cost if cost is not None else "costs"
    costs = _column(path, arrays, name, count).astype(np.float32) if name in arrays else None
    if "next_observations" in arrays:
        return _by_steps(path, arrays, observations, actions, costs)
    last, convention = _last_rows(path, arrays, count)
    if last.all():
        raise FileFormatError(path, "every row is marked as a trajectory's end, expected a mark at the last row of each")
    return Log(observations, np.asarray(actions, np.float32), _starts(last, count), costs, convention)


def _last_rows(path: Path, arrays: Mapping[str, NDArray[Any]], count: int) -> tuple[Bool, str]:
    """(R,) True at the last row of each trajectory, and the convention."""
    if "valids" in arrays:
        return _marked(path, "valids", _column(path, arrays, "valids", count) == 0, "0"), "valids: 0 is a trajectory's last row"
    if "timeouts" in arrays:
        marks = _column(path, arrays, "timeouts", count) != 0
        if "terminals" in arrays:
            marks = marks | (_column(path, arrays, "terminals", count) != 0)
        text = "terminals or timeouts (D4RL): a trajectory's last row, its successor not logged"
        return _marked(path, "terminals or timeouts", marks, "1"), text
    if "terminals" in arrays:
        marks = _column(path, arrays, "terminals", count) != 0
        return _marked(
            path, "terminals", marks, "1"
        ), "terminals (OGBench): 1 is a trajectory's last row, its successor not logged"
    if "episode" in arrays:
        number = _column(path, arrays, "episode", count)
        return np.append(number[1:] != number[:-1], True), "episode: a number for each trajectory"
    raise FileFormatError(path, f"no end of a trajectory is marked in {_listed(arrays)}, expected {EXPECTED}")


def _by_steps(
    path: Path, arrays: Mapping[str, NDArray[Any]], observations: NDArray[Any], actions: NDArray[Any], costs: Float32 | None
) -> Log:
    """Rows that are steps: each trajectory gets the observation after its last one as a further row.

    Where a row's next observation is not the row after it, a trajectory ends, marked or not.
    """
    count, after = len(observations), arrays["next_observations"]
    if after.shape != observations.shape:
        raise FileFormatError(path, f"next_observations have shape {after.shape}, expected {observations.shape}")
    marks = np.zeros(count, np.bool_)
    for name in ("terminals", "timeouts"):
        if name in arrays:
            marks |= _column(path, arrays, name, count) != 0
    torn = np.zeros(count, np.bool_)
    for first in range(0, count - 1, _CHUNK):
        rows = slice(first, min(first + _CHUNK, count - 1))
        apart = after[rows] != observations[rows.start + 1 : rows.stop + 1]
        torn[rows] = apart.reshape(len(apart), -1).any(axis=1)
    unmarked = int((torn & ~marks).sum())
    starts = _starts(marks | torn, count)
    source = np.insert(np.arange(count), starts[1:], -1)
    fresh = source < 0
    of = np.where(fresh, 0, source)
    longer = np.asarray(observations)[of]
    longer[fresh] = np.asarray(after)[starts[1:] - 1]
    moves = np.asarray(actions, np.float32)[of]
    moves[fresh] = 0.0
    paid = None if costs is None else np.where(fresh, np.float32(0), costs[of])
    text = "next_observations (D4RL): every row is a step"
    if unmarked:
        text += f"; {unmarked} ends were not marked, where the next row is not the next observation"
    return Log(longer, moves, starts + np.arange(len(starts)), paid, text)


_CHUNK = 1 << 18


def _starts(last: Bool, count: int) -> Int64:
    """First rows of trajectories and the number of rows; rows after the last mark are one more."""
    ends = np.flatnonzero(last) + 1
    starts = np.concatenate([[0], ends, [count]] if not len(ends) or ends[-1] != count else [[0], ends])
    return starts.astype(np.int64)


def _marked(path: Path, name: str, last: Bool, mark: str) -> Bool:
    if not last.any():
        raise FileFormatError(path, f"no row of {name} is {mark}, expected a mark at the last row of each trajectory")
    return last


def _listed(arrays: Mapping[str, NDArray[Any]]) -> str:
    """The first names of arrays, for messages."""
    names = sorted(arrays)
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "") if names else "no arrays"


def _column(path: Path, arrays: Mapping[str, NDArray[Any]], name: str, count: int) -> NDArray[Any]:
    """An array with one number or flag for each row."""
    array = np.asarray(arrays[name])
    if array.shape == (count, 1):
        array = array[:, 0]
    if array.shape != (count,) or array.dtype.kind not in "biuf":
        raise FileFormatError(
            path, f"{name} has shape {array.shape} of {array.dtype}, expected ({count},) numbers, one for each row"
        )
    return array


def _check_columns(path: Path, observations: NDArray[Any], actions: NDArray[Any]) -> None:
    """A number of rows in common, and numbers in them."""
    for name, array, least in (("observations", observations, 2), ("actions", actions, 2)):
        if array.ndim < least or array.dtype.kind not in "biuf" or 0 in array.shape[1:]:
            raise FileFormatError(path, f"{name} have shape {array.shape} of {array.dtype}, expected (rows, …) numbers")
    if actions.ndim != 2:
        raise FileFormatError(path, f"actions have shape {actions.shape}, expected (rows, A)")
    if len(observations) != len(actions):
        raise FileFormatError(path, f"{len(observations)} observations but {len(actions)} actions, expected one for each row")
    if len(observations) < 2:
        raise FileFormatError(path, f"{len(observations)} rows, expected at least one step")
