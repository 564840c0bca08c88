"""Multi-agent path finding: success rate, runtime and sum of costs against the number of agents, per planner and map.

A run is a list of independent shards, one per planner, map, scenario, number of agents and seed. Each is planned in a subprocess
of its own kind (`mapf_worker`), with a hard stop, and leaves one JSON file under OUT/shards, named by a hash of all that decides
it; a second run with the same folder does only what is missing. The shards of one planner and scenario form a chain, agents
ascending, which ends at the first that is not solved: larger teams then count as unsolved (status "skipped").
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from navplan.bench import Row
from navplan.errors import FileAccessError, InvalidInput
from navplan.planners import get, names
from navplan.planners.base import check_time_limit
from navplan.planners.solve import configured
from navplan.scenarios.formats.movingai import read_scen
from navplan.system.files import check_writable, read_bytes, sha256
from navplan.system.memory import check_memory_limit

DEFAULT_AGENTS = (10, 20, 30, 40, 50, 60, 80, 100, 150, 200, 300, 400, 500, 750, 1000)
DEFAULT_LIMIT = 30.0
_SCEN = re.compile(r"(?P<kind>.+)-(?P<number>[0-9]+)\Z")
_SPEC = re.compile(r"(?P<name>[^:]+)(?P<options>(:[A-Za-z_]+=[^:=]+)*)\Z")


@dataclass(frozen=True)
class Instance:
    """A scenario file beside its map."""

    map_path: Path
    scen_path: Path
    map_name: str
    scen_type: str
    type_id: int
    rows: int


@dataclass(frozen=True)
class Shard:
    """Everything that decides one run; paths are no part of it, contents are.

    Attributes:
        planner: as asked for: a name, then ``:option=value`` for each option set.
        memory_limit: gigabytes, or None.
    """

    planner: str
    map_name: str
    map_sha256: str
    scen_type: str
    type_id: int
    scen_sha256: str
    agents: int
    seed: int
    time_limit: float
    memory_limit: float | None
    version: str

    def key(self) -> str:
        """16 hex digits, and the name of the shard's file."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Chain:
    """Shards of growing teams on one scenario, in order."""

    instance: Instance
    shards: tuple[Shard, ...]


@dataclass(frozen=True)
class Config:
    """What to run; see `navplan bench run mapf --help`.

    Raises:
        InvalidInput, UnknownName: a value out of range, a planner that is not registered or cannot plan for many agents.
    """

    maps: Path
    out: Path
    planners: tuple[str, ...] = ()
    """Names, with options as in ``eecbs:suboptimality=1.2``; empty for every planner for many agents."""
    agents: tuple[int, ...] = DEFAULT_AGENTS
    scens: tuple[int, ...] = ()
    """Numbers at the end of the scenario files' names; empty for all."""
    only: tuple[str, ...] = ()
    """Names of maps; empty for all."""
    time_limit: float = DEFAULT_LIMIT
    memory_limit: float | None = None
    seed: int = 0
    workers: int = 1
    fresh: bool = False
    keep_going: bool = False
    """Run larger teams after a failure too."""
    plans: bool = False
    """Keep every plan under OUT/plans."""
    work: tuple[tuple[str, str, int, float], ...] = field(default=())
    """(planner, map, agents, time limit) to run instead of the product of the above."""

    def __post_init__(self) -> None:
        check_time_limit("time_limit", self.time_limit)
        check_memory_limit("memory_limit", self.memory_limit)
        if self.workers < 1:
            raise InvalidInput(f"workers is {self.workers}, expected at least 1")
        if not self.planners:
            object.__setattr__(self, "planners", tuple(n for n in names() if get(n).max_agents is None))
        for spec in self.planners:
            parse_planner(spec)


# Python's words for values, in JSON.
_WORDS = {"True": "true", "False": "false", "None": "null"}


def parse_planner(spec: str) -> tuple[str, dict[str, Any]]:
    """Name and options of ``name:option=value:…``; the options are tried on the planner.

    Raises:
        InvalidInput: another form, or the planner refuses the options, or plans for one agent only.
        UnknownName: no such planner.

    Example:
        >>> parse_planner("ecbs:suboptimality=1.2")
        ('ecbs', {'suboptimality': 1.2})
    """
    match = _SPEC.match(spec)
    if match is None:
        raise InvalidInput(f"planner {spec!r}, expected NAME or NAME:OPTION=VALUE:…, such as ecbs:suboptimality=1.2")
    options: dict[str, Any] = {}
    for part in match["options"].split(":")[1:]:
        option, value = part.split("=")
        try:
            options[option] = json.loads(_WORDS.get(value, value))
        except ValueError:
            options[option] = value
    planner = configured(match["name"], options)
    if planner.max_agents is not None:
        raise InvalidInput(f"planner {match['name']} plans for {planner.max_agents} agent, expected one for many")
    return match["name"], options


def find_instances(maps: Path, only: Iterable[str] = (), scens: Iterable[int] = ()) -> list[Instance]:
    """Every scenario file below `maps` with its map, by map, kind and number.

    A `.map` file lies in the folder or in one of its folders, a scenario file ``MAP-KIND-NUMBER.scen`` likewise.

    Raises:
        FileAccessError: no such folder.
        InvalidInput: no maps, no scenarios, or none of those asked for.
    """
    if not maps.is_dir():
        raise FileAccessError(f"{maps}: is no folder, expected one with .map and .scen files")
    chosen, numbers = set(only), set(scens)
    by_name = {path.stem: path for path in sorted(maps.rglob("*.map"), reverse=True)}
    if not by_name:
        raise InvalidInput(f"{maps}: holds no .map file")
    unknown = sorted(chosen - by_name.keys())
    if unknown:
        raise InvalidInput(f"{maps}: holds no map {unknown[0]!r}, but {', '.join(sorted(by_name))}")
    found = []
    for path in sorted(maps.rglob("*.scen")):
        owners = [name for name in by_name if path.stem.startswith(name + "-")]
        if not owners:
            continue
        name = max(owners, key=len)
        match = _SCEN.match(path.stem[len(name) + 1 :])
        if match is None or (chosen and name not in chosen) or (numbers and int(match["number"]) not in numbers):
            continue
        rows = len(read_scen(path).rows)
        found.append(Instance(by_name[name], path, name, match["kind"], int(match["number"]), rows))
    if not found:
        raise InvalidInput(f"{maps}: holds no scenario file MAP-KIND-NUMBER.scen that was asked for")
    return sorted(found, key=lambda i: (i.map_name, i.scen_type, i.type_id))


def chains(config: Config, instances: Sequence[Instance]) -> list[Chain]:
    """The work as chains, planner by planner."""
    wanted = config.work or tuple(
        (planner, name, agents, config.time_limit)
        for planner in config.planners
        for name in sorted({i.map_name for i in instances})
        for agents in config.agents
    )
    grouped: dict[tuple[str, str, float], list[int]] = {}
    for planner, name, agents, limit in wanted:
        grouped.setdefault((planner, name, limit), []).append(agents)
    return [
        Chain(instance, tuple(_shard(config, instance, planner, agents, limit) for agents in sorted(teams)))
        for (planner, name, limit), all_teams in grouped.items()
        for instance in instances
        if instance.map_name == name and (teams := [n for n in all_teams if n <= instance.rows])
    ]


def _shard(config: Config, instance: Instance, planner: str, agents: int, limit: float) -> Shard:
    return Shard(
        planner=planner,
        map_name=instance.map_name,
        map_sha256=_hash(instance.map_path),
        scen_type=instance.scen_type,
        type_id=instance.type_id,
        scen_sha256=_hash(instance.scen_path),
        agents=agents,
        seed=config.seed,
        time_limit=limit,
        memory_limit=config.memory_limit,
        version=version(),
    )


@cache
def _hash(path: Path) -> str:
    return sha256(path)


@cache
def version() -> str:
    """Version of navplan."""
    from importlib.metadata import version as installed

    return installed("navplan")


@cache
def code_hash() -> str:
    """8 hex digits over the sources of kernels and planners: rows of one table should agree in it."""
    package = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256()
    for folder in ("kernels", "planners"):
        for source in sorted((package / folder).rglob("*.py")):
            digest.update(source.name.encode() + source.read_bytes())
    return digest.hexdigest()[:8]


def shard_file(out: Path, shard: Shard) -> Path:
    """Where the shard's result lies."""
    return out / "shards" / f"{shard.key()}.json"


def read_shard(path: Path) -> dict[str, Any] | None:
    """A finished shard's row; None when there is none yet, or the file is damaged."""
    try:
        document = json.loads(read_bytes(path))
    except (FileAccessError, ValueError):
        return None
    return document if isinstance(document, dict) and document.get("shard") == path.stem else None


def done(config: Config, shard: Shard) -> dict[str, Any] | None:
    """The shard's row if it was run, None otherwise."""
    row = read_shard(shard_file(config.out, shard))
    return None if row is None or row["status"] == "skipped" else row


def everything(out: Path) -> list[dict[str, Any]]:
    """Rows of all shards in the folder, whatever run they come from, by planner, map, scenario and agents.

    Raises:
        FileAccessError: no shards are there.
    """
    if not (out / "shards").is_dir():
        raise FileAccessError(f"{out}: holds no shards of navplan bench run mapf")
    rows = [row for path in (out / "shards").glob("*.json") if (row := read_shard(path)) is not None]
    order = ("planner", "map_name", "scen_type", "type_id", "time_limit", "agents", "seed", "shard")
    return sorted(rows, key=lambda row: tuple(row[name] for name in order))


def collect(config: Config, work: Sequence[Chain]) -> list[dict[str, Any]]:
    """Rows of the shards of `work` that are done, and of those skipped after a failure; the rest has no row."""
    rows = []
    for chain in work:
        failed: Mapping[str, Any] | None = None
        for shard in chain.shards:
            row = done(config, shard)
            if row is None and failed is not None and not config.keep_going:
                row = skipped(shard, failed)
            if row is None:
                continue
            rows.append(row)
            if failed is None and not row["solved"]:
                failed = row
    return rows


def skipped(shard: Shard, failed: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a shard that is not run because a smaller team was not solved."""
    reason = f"not run: {failed['agents']} agents were not solved ({failed['status']})"
    return {**identity(shard), "status": "skipped", "solved": False, "reason": reason}


def identity(shard: Shard) -> dict[str, Any]:
    """The columns that say what was run."""
    return {**asdict(shard), "shard": shard.key(), "code": code_hash()}


def remaining(config: Config, work: Sequence[Chain]) -> Iterator[tuple[Chain, list[Shard]]]:
    """Chains with the shards that are still to be run, none of those after a failure."""
    for chain in work:
        todo = []
        for shard in chain.shards:
            row = None if config.fresh else done(config, shard)
            if row is None:
                todo.append(shard)
            elif not row["solved"] and not config.keep_going:
                break
        if todo:
            yield chain, todo


def run(quick: bool) -> list[Row]:
    """The suites' common entry: generated maps of the field's kinds, no files needed."""
    from navplan.bench.mapf.generated import run_generated

    return run_generated(quick)


def prepare_folder(config: Config) -> None:
    """Refuse an output folder that cannot be written, before work is done for it."""
    check_writable(config.out, folder=True)
