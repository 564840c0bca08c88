"""Shards: identity, files, what remains, and the two executors (bench/shards.py, processes.py, worker.py)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from navplan.bench.processes import Processes
from navplan.bench.shards import (
    BuildCache,
    Chain,
    Executor,
    Result,
    Serial,
    Shard,
    Tally,
    key_of,
    read_shard,
    remaining,
    run_shards,
    shard_file,
)
from navplan.errors import InvalidInput
from navplan.system.progress import Silence
from tests.support.shards import FakeShard

EXECUTORS: dict[str, Executor] = {"serial": Serial(), "processes": Processes(2)}


def alone(*shards: Shard) -> list[Chain[Shard]]:
    return [Chain((shard,)) for shard in shards]


def done(executor: Executor, chains: list[Chain[Shard]], out: Path) -> tuple[list[str], dict[str, Result]]:
    """What was reported: labels in the order of their beginnings, results by label."""
    begun: list[str] = []
    results: dict[str, Result] = {}

    def report(shard: Shard, result: Result | None) -> None:
        assert threading.current_thread() is threading.main_thread()
        if result is None:
            begun.append(shard.label)
        else:
            results[shard.label] = result

    assert run_shards(executor, chains, out, report)
    return begun, results


def test_the_key_is_a_hash_of_the_identity_alone() -> None:
    # printf '{"name": "a"}' | sha256sum: files of half-finished runs are found again
    assert key_of(FakeShard("a")) == "278ce8dfc5e512d8"
    assert key_of(FakeShard("a", "dies", "g")) == key_of(FakeShard("a"))
    assert key_of(FakeShard("b")) != key_of(FakeShard("a"))


@pytest.mark.parametrize("name", list(EXECUTORS))
def test_every_shard_leaves_its_file_and_what_raises_spares_the_others(name: str, tmp_path: Path) -> None:
    shards = [FakeShard("a"), FakeShard("b", "raises"), FakeShard("c", "raises", kept=True), FakeShard("d")]
    begun, results = done(EXECUTORS[name], alone(*shards), tmp_path)
    assert sorted(begun) == sorted(results) == [shard.label for shard in shards]
    assert [read_shard(shard, tmp_path) for shard in shards] == [results[shard.label].document for shard in shards]
    assert results["shard a"].failure is None
    for label in ("shard b", "shard c"):
        failure = results[label].failure
        assert failure is not None
        assert (failure.how, failure.words) == ("raised", "ValueError: it went wrong")
    assert results["shard b"].document is None
    assert results["shard c"].document == {"name": "c", "how": "raised"}
    left = remaining(alone(*shards), tmp_path)
    assert [chain.shards[0].label for chain in left] == ["shard b"]


@pytest.mark.parametrize("name", list(EXECUTORS))
def test_a_chain_is_done_in_order_until_a_document_ends_it(name: str, tmp_path: Path) -> None:
    chain: Chain[Shard] = Chain(tuple(FakeShard(letter) for letter in "abcd"), lambda document: document["name"] == "c")
    begun, _ = done(EXECUTORS[name], [chain], tmp_path)
    assert begun == ["shard a", "shard b", "shard c"]
    assert remaining([chain], tmp_path) == []
    shard_file(chain.shards[1], tmp_path).write_text("{")  # damaged
    shard_file(chain.shards[2], tmp_path).write_text(json.dumps({"name": "another"}))
    assert [part.shards for part in remaining([chain], tmp_path)] == [chain.shards[1:]]
    assert [part.shards for part in remaining([chain], tmp_path, fresh=True)] == [chain.shards]
    lost: Chain[Shard] = Chain((FakeShard("x", "raises"), FakeShard("y")))
    assert done(EXECUTORS[name], [lost], tmp_path)[0] == ["shard x"]  # nobody knows whether the rest is worth doing


def test_a_process_that_dies_or_is_stuck_takes_only_its_shard_with_it(tmp_path: Path) -> None:
    before = dict(os.environ)
    rest = (FakeShard("next"), FakeShard("leaves", "leaves"))
    chains = [*alone(FakeShard("hangs", "hangs", seconds=0.2)), Chain((FakeShard("dies", "dies", kept=True), *rest))]
    _, results = done(Processes(1, {"NAVPLAN_TEST_SHARD": "seen"}), chains, tmp_path)
    words = {label: result.failure.words for label, result in results.items() if result.failure is not None}
    assert words == {
        "shard hangs": "still acting after 0.2 s, killed",
        "shard dies": "its process ended with SIGKILL while acting: last words",
        "shard leaves": "its process ended with exit status 3: last words",
    }
    assert results["shard dies"].document == {"name": "dies", "how": "crashed"}
    document = results["shard next"].document
    assert document is not None
    assert document["variable"] == "seen"
    assert dict(os.environ) == before


def test_processes_keep_to_groups(tmp_path: Path) -> None:
    shards = [FakeShard(f"{group}{k}", group=group) for k in range(3) for group in ("a", "b")]

    def run(executor: Processes, out: Path) -> tuple[list[str], list[int]]:
        """Labels as they begin, and their processes."""
        begun, results = done(executor, alone(*shards), out)
        documents = [results[label].document or {} for label in begun]
        assert [document["done"] for document in documents] == [1, 2, 3] * 2 or executor.workers > 1  # built once a group
        return begun, [document["process"] for document in documents]

    order = [f"shard {name}" for name in ("a0", "a1", "a2", "b0", "b1", "b2")]
    begun, processes = run(Processes(1), tmp_path / "shared")
    assert begun == order
    assert len(set(processes)) == 1
    begun, processes = run(Processes(1, one_group=True), tmp_path / "fresh")
    assert begun == order
    assert len(set(processes[:3])) == len(set(processes[3:])) == 1
    assert processes[0] != processes[3]
    begun, _ = run(Processes(2), tmp_path / "side")
    assert begun[:2] == ["shard a0", "shard b0"]
    with pytest.raises(InvalidInput, match="workers is 0, expected at least 1"):
        Processes(0)


@pytest.mark.parametrize("name", list(EXECUTORS))
def test_ctrl_c_keeps_what_is_done(name: str, tmp_path: Path) -> None:
    chains = [*alone(FakeShard("a"), FakeShard("b")), Chain((FakeShard("c"), FakeShard("d")))]

    def report(shard: Shard, result: Result | None) -> None:
        if result is not None and shard.label == "shard c":
            raise KeyboardInterrupt

    assert not run_shards(EXECUTORS[name], chains, tmp_path, report)
    left = remaining(chains, tmp_path)
    assert [shard.label for shard in left[-1].shards] == ["shard d"]
    assert run_shards(EXECUTORS[name], left, tmp_path, lambda shard, result: None)
    assert remaining(chains, tmp_path) == []


def test_workers_leave_when_their_parent_is_gone() -> None:
    code = (
        "import subprocess, sys, time, os\n"
        "worker = [sys.executable, '-m', 'navplan.bench.worker']\n"
        "p = subprocess.Popen(worker, stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "os.set_inheritable(p.stdin.fileno(), True)\n"
        # somebody else holds its standard input open, so that it does not end
        "keep = subprocess.Popen(['sleep', '60'], pass_fds=[p.stdin.fileno()], stdout=-3, stderr=-3)\n"
        "print(p.pid, keep.pid, flush=True)\n"
        "time.sleep(3)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    worker, keeper = map(int, done.stdout.split())
    os.kill(keeper, signal.SIGTERM)
    for _ in range(200):
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{worker}/stat").exists() and Path(f"/proc/{worker}/stat").read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError("the worker is still there")


def test_the_cache_forgets_what_was_not_used_for_longest() -> None:
    cache, built = BuildCache(), []

    def build(name: str) -> Callable[[], str]:
        return lambda: built.append(name) or name  # type: ignore[func-returns-value]

    for name in ("a", "b", "c", "d", "a", "e", "a", "b"):
        assert cache.get(name, build(name)) == name
    assert built == ["a", "b", "c", "d", "e", "b"]


def test_a_tally_says_how_far_the_work_is(tmp_path: Path) -> None:
    said: list[tuple[int, int, str]] = []

    class Ear(Silence):
        def show(self, done: int, total: int, note: str = "") -> None:
            said.append((done, total, note))

    tally = Tally(2, Ear(), "failed", lambda result: result.failure is not None)
    Serial().run(alone(FakeShard("a"), FakeShard("b", "raises")), tmp_path, tally)
    assert said == [
        (0, 2, "0 failed, shard a"),
        (1, 2, "0 failed, shard a"),
        (1, 2, "0 failed, shard b"),
        (2, 2, "1 failed, shard b"),
    ]
