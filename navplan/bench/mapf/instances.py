"""Instances: scenario files beside their maps."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from navplan.errors import FileAccessError, InvalidInput
from navplan.scenarios.formats.movingai import read_scen
from navplan.system.files import sha256

_SCEN = re.compile(r"(?P<kind>.+)-(?P<number>[0-9]+)\Z")


@dataclass(frozen=True)
class Instance:
    """A scenario file beside its map."""

    map_path: Path
    scen_path: Path
    map_name: str
    scen_type: str
    type_id: int
    rows: int
    map_sha256: str
    scen_sha256: str


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
    found, hashes = [], {name: sha256(by_name[name]) for name in chosen or by_name}
    for path in sorted(maps.rglob("*.scen")):
        owners = [name for name in by_name if path.stem.startswith(name + "-")]
        if not owners:
            continue
        name = max(owners, key=len)
        match = _SCEN.match(path.stem[len(name) + 1 :])
        if match is None or (chosen and name not in chosen) or (numbers and int(match["number"]) not in numbers):
            continue
        rows = len(read_scen(path).rows)
        found.append(Instance(by_name[name], path, name, match["kind"], int(match["number"]), rows, hashes[name], sha256(path)))
    if not found:
        raise InvalidInput(f"{maps}: holds no scenario file MAP-KIND-NUMBER.scen that was asked for")
    return sorted(found, key=lambda i: (i.map_name, i.scen_type, i.type_id))
