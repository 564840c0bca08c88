"""Trajectories of any observation: what critics, policies and graphs are learned from."""

from __future__ import annotations

import dataclasses
import glob
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from navplan.control.episodes import Environment, Episode, driven
from navplan.control.interface import Controller
from navplan.errors import FileAccessError, FileFormatError, InvalidInput, NavplanError
from navplan.learned.datasets.formats import EXPECTED, Log, read_log
from navplan.system.archives import ArchiveFile
from navplan.system.arrays import Float32, Float64, Int64
from navplan.system.files import write_arrays
from navplan.system.numbers import as_array, as_numbers, check_choice, check_numbers, generator
from navplan.system.paths import as_path
from navplan.system.words import said

if TYPE_CHECKING:
    from navplan.learned.datasets.summary import Summary

ViewOf: TypeAlias = Callable[[NDArray[Any]], ArrayLike] | None
# Several files are put together in memory up to this share of it, beyond on disk.
_SHARE_OF_MEMORY = 4
# Rows that are looked at at once.
_ROWS = 1 << 16


@dataclass(frozen=True, eq=False)
class Dataset:
    """Trajectories of one robot or of many, one after the other in flat arrays.

    A trajectory of T steps has T + 1 rows. The action and the cost in its last row mean nothing: no step begins there.

    Attributes:
        observations: (R, …) numbers: vectors, images, anything; may be mapped from a file.
        actions: (R, A) float32.
        starts: (E + 1,) int64; trajectory e has the rows ``starts[e]`` to ``starts[e + 1]``.
        costs: (R,) float32 cost of the step that begins in a row, or None where none was logged.
        goal: what of observations a goal is, (B, …) -> (B, G); None: the whole observation.
        position: where observations are, (B, …) -> (B, 2) cells; None: nobody knows.
        convention: how the ends of trajectories were found.
        files: name and first row of each file that the data was loaded from.

    Example:
        >>> episode = {"observations": np.zeros((4, 2)), "actions": np.ones((3, 2))}
        >>> data = Dataset.from_episodes([episode, episode])
        >>> data.num_episodes, data.num_transitions
        (2, 6)
    """

    observations: NDArray[Any]
    actions: Float32
    starts: Int64
    costs: Float32 | None = None
    goal: ViewOf = None
    position: ViewOf = None
    convention: str = ""
    files: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        rows = len(self.observations)
        object.__setattr__(self, "starts", np.asarray(self.starts, np.int64))
        starts = self.starts
        if starts.ndim != 1 or len(starts) < 2 or starts[0] != 0 or starts[-1] != rows or (np.diff(starts) < 1).any():
            raise InvalidInput(f"starts are no rising row numbers from 0 to {rows}, expected (E + 1,)")
        if self.actions.ndim != 2 or len(self.actions) != rows:
            raise InvalidInput(f"actions have shape {self.actions.shape}, expected ({rows}, A): one for each row")
        if self.costs is not None and self.costs.shape != (rows,):
            raise InvalidInput(f"costs have shape {self.costs.shape}, expected ({rows},): one for each row")
        if self.num_transitions < 1:
            raise InvalidInput("there is no step in any trajectory, expected at least two rows in one")
        sample = self.observations[:2]
        for name, width in (("goal", None), ("position", 2)):
            if getattr(self, name) is not None:
                self._mapped(name, sample, width)

    @property
    def num_rows(self) -> int:
        """R."""
        return len(self.observations)

    @property
    def num_episodes(self) -> int:
        """E."""
        return len(self.starts) - 1

    @property
    def num_transitions(self) -> int:
        """Steps: rows that are not the last of their trajectory."""
        return int(self.starts[-1]) - self.num_episodes

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one observation."""
        return tuple(self.observations.shape[1:])

    def rows(self, transitions: ArrayLike) -> Int64:
        """The row in which each step begins; steps count from 0 through all trajectories."""
        steps = np.asarray(transitions, np.int64)
        first = self.starts - np.arange(len(self.starts))
        return steps + np.searchsorted(first, steps, side="right") - 1

    def episodes(self, rows: ArrayLike) -> Int64:
        """The trajectory that each row belongs to."""
        return np.searchsorted(self.starts, np.asarray(rows, np.int64), side="right") - 1

    def last(self, rows: ArrayLike) -> Int64:
        """The last row of the trajectory that each row belongs to."""
        return self.starts[self.episodes(rows) + 1] - 1

    def goals(self, rows: ArrayLike) -> NDArray[Any]:
        """(B, G) what of the observations in these rows a goal is; the observations where no `goal` is given."""
        seen = self.observations[np.asarray(rows, np.int64)]
        return seen if self.goal is None else self._mapped("goal", seen, None)

    def positions(self, rows: ArrayLike) -> Float64:
        """(B, 2) float64 positions.

        Raises:
            InvalidInput: no `position` is given.
        """
        if self.position is None:
            raise InvalidInput("the data has no positions: give position=, (B, …) observations -> (B, 2) cells")
        return np.asarray(self._mapped("position", self.observations[np.asarray(rows, np.int64)], 2), np.float64)

    def _mapped(self, name: str, seen: NDArray[Any], width: int | None) -> NDArray[Any]:
        """What `goal` or `position` says of observations, checked."""
        try:
            found = as_numbers(getattr(self, name)(seen), name, np.float32 if width is None else np.float64)
        except (TypeError, ValueError, IndexError) as error:
            raise InvalidInput(f"{name} of observations of shape {seen.shape} fails: {error}") from error
        if found.ndim != 2 or len(found) != len(seen) or (width is not None and found.shape[1] != width):
            wanted = f"({len(seen)}, {'G' if width is None else width})"
            raise InvalidInput(f"{name} of observations of shape {seen.shape} has shape {found.shape}, expected {wanted}")
        return found

    @classmethod
    def load(
        cls,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        *,
        goal: ViewOf = None,
        position: ViewOf = None,
        cost: str | None = None,
    ) -> Dataset:
        """Logs in `.npz` files; see `navplan.learned.datasets.formats` for how trajectories end in them.

        Arrays that are not compressed are mapped into memory, so that opening takes no time and no memory.

        Args:
            paths: a file, several, or a pattern such as ``logs/*.npz``.
            goal, position: see the class.
            cost: the array that holds the cost of each step; None: "costs" where there is one.

        Raises:
            FileAccessError: a file cannot be read, or a pattern fits none.
            FileFormatError: a file is no log; it names what is missing.
        """
        files = _files(paths)
        logs = [read_log(file, ArchiveFile(file, EXPECTED), cost) for file in files]
        for file, log in zip(files, logs, strict=True):
            _check_alike(file, log, files[0], logs[0])
        first_rows = np.cumsum([0, *(len(log.observations) for log in logs[:-1])]).tolist()
        named = tuple(zip(map(str, files), first_rows, strict=True))
        return dataclasses.replace(cls._of(_joined(logs), goal, position), files=named)

    @classmethod
    def _of(cls, log: Log, goal: ViewOf, position: ViewOf) -> Dataset:
        return cls(log.observations, log.actions, log.starts, log.costs, goal, position, log.convention)

    @classmethod
    def from_episodes(
        cls, episodes: Iterable[Mapping[str, ArrayLike] | Episode], *, goal: ViewOf = None, position: ViewOf = None
    ) -> Dataset:
        """Trajectories one by one.

        Args:
            episodes: each ``{"observations": (T + 1, …), "actions": (T, A), "costs": (T,)}``, costs in all or in none; or what
                `navplan.rollout` gives.
            goal, position: see the class.

        Raises:
            InvalidInput: none, or one with other lengths or shapes; it says which.
        """
        parts = [_episode(number, episode) for number, episode in enumerate(episodes)]
        if not parts:
            raise InvalidInput("there are no episodes, expected at least one")
        for number, part in enumerate(parts):
            for what, mine, first in (
                ("observations", part.observations.shape[1:], parts[0].observations.shape[1:]),
                ("actions", part.actions.shape[1:], parts[0].actions.shape[1:]),
                ("costs", part.costs is None, parts[0].costs is None),
            ):
                if mine != first:
                    raise InvalidInput(f"episode {number}: {what} are unlike those of episode 0 ({mine}, not {first})")
        return cls._of(_joined(parts), goal, position)

    @classmethod
    def from_env(
        cls, env: Environment, controller: Controller, steps: int, seed: int = 0, goal: ViewOf = None, position: ViewOf = None
    ) -> Dataset:
        """What `controller` does in an environment, `steps` steps in all; the last trajectory is cut where they are done.

        Args:
            env, controller: see `navplan.rollout`.
            steps: at least 1.
            seed: trajectory k is reset with ``seed + k``.
            goal, position: see the class.

        Raises:
            InvalidInput: as `navplan.rollout`.
        """
        return cls.from_episodes(driven(env, controller, steps, seed), goal=goal, position=position)

    @classmethod
    def from_minari(cls, name: str, *, goal: ViewOf = None, position: ViewOf = None) -> Dataset:
        """A Minari data set that is on this machine (``minari download NAME``); of dicts the part "observation" is taken.

        Raises:
            MissingExtra: Minari is not installed.
            FileAccessError, InvalidInput: there is none of this name, or its observations are of another kind.
        """
        from navplan.learned.datasets.minari_episodes import minari_episodes

        return cls.from_episodes(minari_episodes(name), goal=goal, position=position)

    def split(self, share: float, *, by: Literal["episode"] = "episode", seed: int = 0) -> tuple[Dataset, Dataset]:
        """The data without a share of its trajectories, and those: to learn from, and to judge by.

        Raises:
            InvalidInput: a share that leaves no trajectory on one side.
        """
        check_choice("by", by, ("episode",))
        check_numbers(share=share)
        count = round(share * self.num_episodes)
        if not 0 < count < self.num_episodes:
            raise InvalidInput(f"a share of {share} of {self.num_episodes} trajectories is {count}, expected some on both sides")
        order = generator(seed, "seed").permutation(self.num_episodes)
        return self.take(np.sort(order[count:])), self.take(np.sort(order[:count]))

    def take(self, episodes: ArrayLike) -> Dataset:
        """The data of some trajectories, in the order given."""
        chosen = as_array(episodes, "episodes").astype(np.int64)
        lengths = np.diff(self.starts)[chosen]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        rows = np.repeat(self.starts[chosen] - starts[:-1], lengths) + np.arange(starts[-1])
        costs = None if self.costs is None else self.costs[rows]
        return dataclasses.replace(
            self, observations=self.observations[rows], actions=self.actions[rows], starts=starts, costs=costs, files=()
        )

    def summary(self) -> Summary:
        """What is in the data, and the mistakes that logs have."""
        from navplan.learned.datasets.summary import summarised

        return summarised(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an `.npz` file that `load`, and readers of OGBench's, understand: `terminals` marks last rows."""
        last = np.zeros(self.num_rows, np.float32)
        last[self.starts[1:] - 1] = 1.0
        costs = {} if self.costs is None else {"costs": self.costs}
        write_arrays(as_path(path), {"observations": self.observations, "actions": self.actions, "terminals": last, **costs})


def _files(paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> list[Path]:
    """The files that names and patterns say, in order.

    Raises:
        FileAccessError: none.
    """
    given = [paths] if isinstance(paths, str | bytes | os.PathLike) else list(paths)
    found: list[Path] = []
    for each in given:
        path = as_path(each)
        fitting = sorted(glob.glob(str(path))) if glob.has_magic(str(path)) and not path.is_file() else [str(path)]
        if not fitting:
            raise FileAccessError(f"{path}: fits no file")
        if path.is_dir():
            raise FileAccessError(f"{path}: is a folder, expected a file, or a pattern such as {path}/*.npz")
        found += map(Path, fitting)
    if not found:
        raise FileAccessError("no file is named, expected at least one")
    return found


def are_logs(source: str | os.PathLike[str]) -> bool:
    """Whether a file, or a pattern's, is a `.npz` archive with observations; what else is wrong with it, `Dataset.load` says."""
    try:
        return any("observations" in ArchiveFile(file, EXPECTED) for file in _files(source) if file.suffix.lower() == ".npz")
    except NavplanError:
        return False


def _check_alike(file: Path, log: Log, first_file: Path, first: Log) -> None:
    for what, mine, theirs in (
        ("observations", log.observations.shape[1:], first.observations.shape[1:]),
        ("actions", log.actions.shape[1:], first.actions.shape[1:]),
    ):
        if mine != theirs:
            has, wanted = (", ".join(["rows", *map(str, shape)]) for shape in (mine, theirs))
            raise FileFormatError(file, f"{what} have shape ({has}), expected ({wanted}) as in {first_file.name}")
    if (log.costs is None) != (first.costs is None):
        raise FileFormatError(file, f"has {'no ' if log.costs is None else ''}costs, unlike {first_file.name}")


def _joined(logs: Sequence[Log]) -> Log:
    """Logs one after the other; a single one as it is."""
    if len(logs) == 1:
        return logs[0]
    rows = sum(len(log.observations) for log in logs)
    first = logs[0]
    observations = _room((rows, *first.observations.shape[1:]), np.result_type(*(log.observations.dtype for log in logs)))
    at = 0
    for log in logs:
        for low in range(0, len(log.observations), _ROWS):
            part = log.observations[low : low + _ROWS]
            observations[at : at + len(part)] = part
            at += len(part)
    offsets = np.cumsum([0, *(len(log.observations) for log in logs)])
    return Log(
        observations,
        np.concatenate([log.actions for log in logs]),
        np.concatenate([[0], *(log.starts[1:] + offset for log, offset in zip(logs, offsets[:-1], strict=True))]),
        None if first.costs is None else np.concatenate([log.costs for log in logs if log.costs is not None]),
        "; ".join(dict.fromkeys(log.convention for log in logs)),
    )


def _room(shape: tuple[int, ...], kind: np.dtype[Any]) -> NDArray[Any]:
    """An array to be filled: in memory, or where it would take a quarter of that in a file that goes with the process."""
    size = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    if size <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _SHARE_OF_MEMORY:
        return np.empty(shape, kind)
    with tempfile.TemporaryFile() as stream:
        return np.memmap(stream, kind, "w+", shape=shape)


def _episode(number: int, given: Mapping[str, ArrayLike] | Episode) -> Log:
    """One trajectory, a row longer than its actions."""
    episode = given.document() if isinstance(given, Episode) else given
    try:
        observations = as_array(episode["observations"], f"episode {number}: observations")
        actions = as_array(episode["actions"], f"episode {number}: actions")
    except (KeyError, TypeError, IndexError) as error:
        raise InvalidInput(f"episode {number} is {said(episode)}, expected observations and actions by name") from error
    steps = len(actions) if actions.ndim else 0
    if actions.ndim != 2 or steps < 1 or actions.dtype.kind not in "biuf":
        raise InvalidInput(f"episode {number}: actions have shape {actions.shape} of {actions.dtype}, expected (T, A) numbers")
    if observations.ndim < 2 or len(observations) != steps + 1 or observations.dtype.kind not in "biuf":
        has = f"shape {observations.shape} of {observations.dtype}"
        raise InvalidInput(f"episode {number}: observations have {has}, expected ({steps + 1}, …) numbers: one more than actions")
    costs = None
    if episode.get("costs") is not None:
        costs = as_numbers(episode["costs"], f"episode {number}: costs", np.float32)
        if costs.shape != (steps,):
            raise InvalidInput(f"episode {number}: costs have shape {costs.shape}, expected ({steps},)")
        costs = np.append(costs, np.float32(0))
    moves = np.concatenate([actions.astype(np.float32), np.zeros((1, actions.shape[1]), np.float32)])
    return Log(observations, moves, np.array([0, steps + 1]), costs, "given one by one")
