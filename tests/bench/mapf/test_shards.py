from __future__ import annotations

import json
from pathlib import Path

import pytest

from navplan.bench.mapf import shards as mapf_shards
from navplan.bench.mapf.config import Config
from navplan.bench.mapf.instances import find_instances
from navplan.bench.mapf.shards import chains, collect
from navplan.bench.shards import key_of, remaining, shard_file


def test_the_shard_key_depends_on_contents_not_on_places(maps: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    before = chains(Config(maps, tmp_path, ("cbs",), agents=(3,)), find_instances(maps))[0].shards[0]
    maps.rename(moved)
    after = chains(Config(moved, tmp_path, ("cbs",), agents=(3,)), find_instances(moved))[0].shards[0]
    assert key_of(before) == key_of(after)
    scen = next(moved.glob("*-1.scen"))
    scen.write_text(scen.read_text() + "\n")
    other = chains(Config(moved, tmp_path, ("cbs",), agents=(3,)), find_instances(moved))[0].shards[0]
    assert key_of(other) != key_of(before)


def test_shards_of_earlier_runs_are_found_again(maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of version 0.1.0, as they were before shards had an engine of their own."""
    monkeypatch.setattr(mapf_shards, "version", lambda: "0.1.0")
    config = Config(maps, tmp_path, ("cbs", "eecbs:suboptimality=1.2"), agents=(3, 6))
    keys = [key_of(trial) for chain in chains(config, find_instances(maps)) for trial in chain.shards]
    assert keys[:2] == ["4ef761772ae56409", "dc074d4c5b3d3240"]
    assert keys[-1] == "a879ba7a13d6d9f9"


def test_json_of_a_shard_is_read_back_only_under_its_own_name(maps: Path, tmp_path: Path) -> None:
    config = Config(maps, tmp_path / "out", ("cbs",), agents=(2,), scens=(1,))
    work = chains(config, find_instances(maps, (), (1,)))
    path = shard_file(work[0].shards[0], config.out)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"shard": "another", "solved": True}))
    assert collect(work, config.out) == []
    assert len(remaining(work, config.out)) == 1
