"""Work that can be split: independent shards, each decided by its identity, done by one process and kept in a file of its own.

A shard's file lies under OUT/shards and is named by a hash of everything that decides the result, so that resuming and merging
need no coordinator: what has its file is done, whoever did it. The shards of a chain are done in order, chains in any. Who does
them is an `Executor`: this process (`Serial`) or several (`navplan.bench.processes.Processes`).
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar

from navplan.errors import FileAccessError, FileFormatError
from navplan.system.files import read_bytes, write_text
from navplan.system.progress import Listener
from navplan.system.reading import parse_json

Document = dict[str, Any]
"""What a shard's file holds: one JSON object."""
FOLDERS = ("shards", "plans", "trajectories", "figures")
"""Where files lie in a folder of results, beside those at its top."""
Stage = tuple[str, float]
"""What a process is at, and the seconds after which it is taken to be stuck."""
# What a process keeps of what is slow to build: a roadmap of 1000 nodes is tens of megabytes.
_KEPT = 4
T = TypeVar("T")


class BuildCache:
    """The last few things built, by name."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Any] = OrderedDict()

    def get(self, name: str, build: Callable[[], T]) -> T:
        """What is called `name`, built when it is not there."""
        if name not in self._kept:
            self._kept[name] = build()
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(name)
        found: T = self._kept[name]
        return found


@dataclass(frozen=True)
class Workspace:
    """What a process has at hand for its shards.

    Attributes:
        out: the folder of results.
        cache: what it keeps from shard to shard.
        next_stage: to be called when the next of the shard's stages begins.
    """

    out: Path
    cache: BuildCache = field(default_factory=BuildCache)
    next_stage: Callable[[], None] = field(default=lambda: None)


@dataclass(frozen=True)
class Failure:
    """Why a shard has no result of its own making: it raised, or its process crashed or had to be killed; and one line."""

    how: Literal["raised", "crashed", "killed"]
    words: str

    @classmethod
    def of(cls, error: Exception) -> Failure:
        """What an exception says, on one line."""
        return cls("raised", " ".join(f"{type(error).__name__}: {error}".split()))


class Shard(Protocol):
    """One unit of work; can be pickled. What derives from it is not limited in time, and keeps nothing of a failure."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that decides the result, in plain values; equal ones are the same shard. Paths are no part of it, contents are."""
        ...

    @property
    def label(self) -> str:
        """A few words for people."""
        ...

    @property
    def group(self) -> str:
        """Shards of one group share what is slow to build."""
        ...

    @property
    def stages(self) -> Sequence[Stage]:
        """What a process that does it is at, in order; empty where no time limit makes sense."""
        return ()

    def work(self, workspace: Workspace) -> Document:
        """Do it; what its file is to hold."""
        ...

    def accepts(self, document: Document, out: Path) -> bool:
        """Whether a document is this shard's result, and what else the shard leaves in `out` is there too."""
        ...

    def lost(self, failure: Failure) -> Document | None:
        """What its file is to hold after a failure; None: no file, so that it is done again next time."""
        return None


S = TypeVar("S", bound=Shard, covariant=True)


def never(document: Document) -> bool:
    """A chain that does not end before its last shard."""
    return False


@dataclass(frozen=True)
class Chain(Generic[S]):
    """Shards to be done in order, until there is none left or a document makes the rest pointless."""

    shards: tuple[S, ...]
    until: Callable[[Document], bool] = never


@dataclass(frozen=True)
class Result:
    """What became of a shard: the document in its file, if it has one, and what went wrong, if something did."""

    document: Document | None
    failure: Failure | None = None


Report = Callable[[Shard, Result | None], None]


@dataclass
class Tally:
    """A `Report` that counts results, and those of one kind, and shows how far the work is.

    Attributes:
        total: how many shards there are.
        listener: told so.
        noun: what `counts` counts, as in "3 solved".
    """

    total: int
    listener: Listener
    noun: str
    counts: Callable[[Result], bool]
    done: int = 0
    counted: int = 0

    def __call__(self, shard: Shard, result: Result | None) -> None:
        """A shard begins (result None) or has ended."""
        if result is not None:
            self.done += 1
            self.counted += self.counts(result)
        self.listener.show(self.done, self.total, f"{self.counted} {self.noun}, {shard.label}")


class Executor(Protocol):
    """Who does shards."""

    def run(self, chains: Sequence[Chain[Shard]], out: Path, report: Report) -> None:
        """Do the shards of every chain; each leaves its file in `out`.

        Args:
            report: called, in the thread of the caller, before each shard with None, and after it.

        Raises:
            KeyboardInterrupt: Ctrl-C; what is done is kept.
        """
        ...


@dataclass(frozen=True)
class Serial:
    """An `Executor`: this process, one shard after the other; nothing is limited, and a crash is everybody's."""

    def run(self, chains: Sequence[Chain[Shard]], out: Path, report: Report) -> None:
        """As `Executor.run`."""
        workspace = Workspace(out)
        for chain in chains:
            left: Chain[Shard] | None = chain
            while left is not None:
                shard = left.shards[0]
                report(shard, None)
                try:
                    result = Result(do(shard, workspace))
                except Exception as error:  # whatever it is, it is this shard's alone
                    result = failed(shard, Failure.of(error), out)
                report(shard, result)
                left = rest(left, result)


def run_shards(executor: Executor, chains: Sequence[Chain[Shard]], out: Path, report: Report) -> bool:
    """`Executor.run`; whether it came to its end: False after Ctrl-C."""
    try:
        executor.run(chains, out, report)
    except KeyboardInterrupt:
        return False
    return True


def do(shard: Shard, workspace: Workspace) -> Document:
    """Do a shard and leave its file."""
    document = shard.work(workspace)
    _leave(shard, document, workspace.out)
    return document


def failed(shard: Shard, failure: Failure, out: Path) -> Result:
    """The result of a shard that failed; its file, if it is to have one, is written."""
    document = shard.lost(failure)
    if document is not None:
        _leave(shard, document, out)
    return Result(document, failure)


def rest(chain: Chain[S], result: Result) -> Chain[S] | None:
    """The chain without its first shard, of which `result` is; None where there is nothing left to do."""
    if len(chain.shards) == 1 or result.document is None or chain.until(result.document):
        return None
    return Chain(chain.shards[1:], chain.until)


def remaining(chains: Iterable[Chain[S]], out: Path, *, fresh: bool = False) -> list[Chain[S]]:
    """The chains with the shards that are still to be done, none of those after a document that ends the chain.

    Args:
        fresh: all of them, done or not.
    """
    left = []
    for chain in chains:
        todo = []
        for shard in chain.shards:
            document = None if fresh else read_shard(shard, out)
            if document is None:
                todo.append(shard)
            elif chain.until(document):
                break
        if todo:
            left.append(Chain(tuple(todo), chain.until))
    return left


def key_of(shard: Shard) -> str:
    """16 hex digits, and the name of the shard's file."""
    text = json.dumps(shard.identity, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def shard_file(shard: Shard, out: Path) -> Path:
    """Where the shard's result lies."""
    return out / "shards" / f"{key_of(shard)}.json"


def read_shard(shard: Shard, out: Path) -> Document | None:
    """What the shard left; None when it is not done, or its file is damaged or another's."""
    document = read_document(shard_file(shard, out))
    return document if document is not None and shard.accepts(document, out) else None


def read_document(path: Path) -> Document | None:
    """The JSON object in a file; None when there is none, or it is damaged."""
    try:
        document = parse_json(path, read_bytes(path), "a shard's result")
    except (FileAccessError, FileFormatError):
        return None
    return document if isinstance(document, dict) else None


def _leave(shard: Shard, document: Document, out: Path) -> None:
    write_text(shard_file(shard, out), json.dumps(document) + "\n")
