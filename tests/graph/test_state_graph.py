from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from navplan.errors import FileAccessError, FileFormatError, InvalidInput
from navplan.graph.limits import EdgeLimits
from navplan.graph.state_graph import StateGraph
from tests.support.critics import FieldCritics

FIELDS = ("states", "indptr", "indices", "distance", "risk", "wait_risk", "positions")


def same(a: StateGraph, b: StateGraph) -> bool:
    arrays = all(
        np.asarray(getattr(a, name)).dtype == np.asarray(getattr(b, name)).dtype
        and np.array_equal(getattr(a, name), getattr(b, name))
        for name in (*FIELDS, "node_room", "edge_room")
    )
    return arrays and a.shape == b.shape and a.limits == b.limits


def built(n: int = 30, seed: int = 0) -> StateGraph:
    states = np.random.default_rng(seed).random((n, 2)) * 10
    return StateGraph.from_states(states, FieldCritics(), 4.0, 9.0)


@st.composite
def graphs(draw: st.DrawFn) -> StateGraph:
    """Any valid graph, isolated nodes and no edges included."""
    n = draw(st.integers(1, 12))
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    chosen = sorted(draw(st.sets(st.sampled_from(pairs)))) if pairs else []
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    tails = np.array([i for i, _ in chosen], dtype=np.int64)
    return StateGraph(
        states=rng.normal(size=(n, draw(st.integers(1, 3)))).astype(np.float32),
        indptr=np.concatenate([[0], np.cumsum(np.bincount(tails, minlength=n))]).astype(np.int32),
        indices=np.array([j for _, j in chosen], dtype=np.int32),
        distance=rng.random(len(chosen)) + 0.1,
        risk=rng.random(len(chosen)),
        wait_risk=rng.random(n),
        limits=draw(st.sampled_from([None, EdgeLimits(), EdgeLimits(7.0, 2.0, 1.5, 0.25, 40)])),
    )


@given(graphs())
def test_networkx_round_trip(graph: StateGraph) -> None:
    assert same(StateGraph.from_networkx(graph.to_networkx()), graph)


@given(graph=graphs())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_file_round_trip(tmp_path: Path, graph: StateGraph) -> None:
    graph.save(tmp_path / "g.npz")
    assert same(StateGraph.load(tmp_path / "g.npz"), graph)


def test_grid_round_trips_keep_the_shape(tmp_path: Path) -> None:
    grid = StateGraph.from_grid(np.eye(4, dtype=bool))
    grid.save(tmp_path / "grid.npz")
    assert same(StateGraph.load(tmp_path / "grid.npz"), grid)
    assert same(StateGraph.from_networkx(grid.to_networkx()), grid)
    assert grid.prune(max_distance=0.5).num_edges == 0


def test_networkx_attributes_and_weights() -> None:
    graph = built()
    converted = graph.to_networkx(beta=2.0)
    tail = int(np.flatnonzero(np.diff(graph.indptr))[0])
    head = int(graph.indices[graph.indptr[tail]])
    edge = converted.edges[tail, head]
    assert edge["weight"] == edge["distance"] + 2.0 * edge["risk"]
    assert converted.nodes[3]["pos"] == tuple(graph.places[3].tolist())
    assert set(nx.get_edge_attributes(graph.to_networkx(weight="hops"), "weight").values()) == {1.0}


def test_foreign_networkx_graphs() -> None:
    graph = nx.Graph()
    graph.add_node("b", pos=(0, 0))
    graph.add_node("a", pos=(0, 1))
    graph.add_edge("a", "b", weight=2.5)
    ours = StateGraph.from_networkx(graph)
    assert ours.states.tolist() == [[0, 0], [0, 1]]
    assert ours.indices.tolist() == [1, 0]
    assert ours.distance.tolist() == [2.5, 2.5]
    graph.add_edge("a", "a", weight=1)
    with pytest.raises(InvalidInput, match="itself"):
        StateGraph.from_networkx(graph)
    graph.remove_edge("a", "a")
    graph.edges["a", "b"].clear()
    with pytest.raises(InvalidInput, match="neither 'distance' nor 'weight'"):
        StateGraph.from_networkx(graph)
    graph.add_node("c")
    with pytest.raises(InvalidInput, match="'c' has no 'pos'"):
        StateGraph.from_networkx(graph)
    graph.nodes["c"]["pos"] = (1, 2, 3)
    graph.edges["a", "b"]["weight"] = 1.0
    with pytest.raises(InvalidInput, match="one length"):
        StateGraph.from_networkx(graph)
    with pytest.raises(InvalidInput, match="graph is a dict, expected a networkx graph"):
        StateGraph.from_networkx({})


def test_equal_graphs_give_equal_bytes_that_numpy_reads(tmp_path: Path) -> None:
    built().save(tmp_path / "a.npz")
    built().save(tmp_path / "b")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b").read_bytes()
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        assert np.array_equal(archive["indices"], built().indices)
    assert sorted(os.listdir(tmp_path)) == ["a.npz", "b"]


def test_missing_and_unwritable_files(tmp_path: Path) -> None:
    with pytest.raises(FileAccessError, match=r"none\.npz"):
        StateGraph.load(tmp_path / "none.npz")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileAccessError):
        built().save(tmp_path / "file" / "g.npz")


@given(data=st.binary(max_size=400))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_random_bytes_are_refused(tmp_path: Path, data: bytes) -> None:
    for start in (b"", b"PK\x03\x04", b"\x93NUMPY"):
        path = tmp_path / "noise.npz"
        path.write_bytes(start + data)
        with pytest.raises(FileFormatError, match=r"noise\.npz"):
            StateGraph.load(path)


@given(place=st.integers(0, 10**9), value=st.integers(1, 255), cut=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_damage_never_goes_unnoticed(tmp_path: Path, place: int, value: int, cut: bool) -> None:
    """One changed byte, or a truncation: the same graph (a byte that means nothing) or a FileFormatError, nothing else."""
    path = tmp_path / "damaged.npz"
    graph = built(8)
    graph.save(path)
    data = bytearray(path.read_bytes())
    place %= len(data)
    if cut:
        del data[place:]
    else:
        data[place] ^= value
    path.write_bytes(data)
    try:
        loaded, message = StateGraph.load(path), ""
    except FileFormatError as error:
        loaded, message = graph, str(error)
    assert same(loaded, graph)
    assert not message or message.startswith(f"{path}: ")
    assert "\n" not in message


def rewritten(path: Path, **changes: np.ndarray) -> None:
    with np.load(path) as archive:
        members = {name: archive[name] for name in archive.files}
    stream = io.BytesIO()
    np.savez(stream, **{**members, **changes})
    path.write_bytes(stream.getvalue())


def test_foreign_contents_are_named(tmp_path: Path) -> None:
    path = tmp_path / "g.npz"
    graph = built(8)

    def refused(match: str, **changes: np.ndarray) -> None:
        graph.save(path)
        rewritten(path, **changes)
        with pytest.raises(FileFormatError, match=match):
            StateGraph.load(path)

    refused("float64", states=graph.states.astype(np.float64))
    refused("axes", risk=graph.risk[:, None])
    refused("SHA-256", risk=graph.risk + 1)
    refused("SHA-256", states=np.full_like(graph.states, np.nan))
    refused("complete", distance=np.array([{"a": 1}], dtype=object))
    refused("JSON", header=np.frombuffer(b"{", np.uint8))
    refused("another kind", header=np.frombuffer(b'{"format": "other"}', np.uint8))
    refused("version 9", header=np.frombuffer(b'{"format": "navplan.graph", "version": 9}', np.uint8))
    np.savez_compressed(path, states=graph.states)
    with pytest.raises(FileFormatError, match="header is missing"):
        StateGraph.load(path)


def test_valid_digest_but_invalid_graph(tmp_path: Path) -> None:
    """Someone else's writer: the digest fits, the contents do not."""
    import json

    from navplan.graph.files import _digest

    path = tmp_path / "g.npz"
    graph = built(8)

    def refused(match: str, header: dict[str, object] | None = None, **arrays: np.ndarray) -> None:
        graph.save(path)
        members = {name: getattr(graph, name) for name in FIELDS} | arrays
        text = {"format": "navplan.graph", "version": 1, "shape": None, "limits": None, "sha256": _digest(members)}
        encoded = np.frombuffer(json.dumps(text | (header or {})).encode(), np.uint8)
        rewritten(path, header=encoded, **arrays)
        with pytest.raises(FileFormatError, match=match):
            StateGraph.load(path)

    nan = graph.states.copy()
    nan[2, 0] = np.nan
    refused("state 2", states=nan)
    refused("edge heads", indices=np.full_like(graph.indices, 8))
    refused("risk", risk=-graph.risk - 1)
    refused("limits", header={"limits": {"max_risk": 1}})
    refused("limits", header={"limits": 3})
    refused("shape", header={"shape": [1]})
    refused("shape", header={"shape": [True, 2]})


def test_archive_members_may_not_claim_more_than_the_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    built(8).save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    huge = io.BytesIO()
    np.lib.format.write_array_header_1_0(huge, {"descr": "<f8", "fortran_order": False, "shape": (2**40,)})
    members["risk.npy"] = huge.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(FileFormatError, match="complete"):
        StateGraph.load(path)


TWO = {
    "states": [[0.5, 0.5], [0.5, 1.5]],
    "indptr": [0, 1, 2],
    "indices": [1, 0],
    "distance": [1.0, 1.0],
    "risk": [0.0, 0.0],
    "wait_risk": [0.0, 0.0],
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"states": [[0.5, float("nan")], [0.5, 1.5]]}, "expected finite coordinates"),
        ({"indptr": [0, 0.5, 2]}, "whole numbers"),
        ({"indices": [1, float("nan")]}, "whole numbers"),
        ({"indices": [1, 2**32]}, "whole numbers that fit 32 bits"),
        ({"indices": [0, 0]}, "node 0 has an edge to itself"),
        ({"indices": [1, 7]}, "edge heads must be in"),
        ({"distance": [1.0, 0.0]}, "positive"),
        ({"risk": [1.0, -1.0]}, "not negative"),
        ({"shape": (2,)}, "expected (H, W)"),
        ({"shape": ("a", 2)}, "expected (H, W)"),
        ({"shape": (1, 1)}, "outside the grid"),
    ],
)
def test_a_graph_that_contradicts_itself_is_refused(changes: dict[str, object], said: str) -> None:
    assert StateGraph(**(TWO | {"shape": (1, 2)})).is_grid  # type: ignore[arg-type]
    with pytest.raises(InvalidInput) as caught:
        StateGraph(**(TWO | changes))  # type: ignore[arg-type]
    assert said in str(caught.value)


def test_heads_that_do_not_ascend_are_refused() -> None:
    states = np.arange(6.0).reshape(3, 2)
    for heads in ([2, 1], [1, 1]):
        with pytest.raises(InvalidInput, match="edge heads of node 0"):
            StateGraph(states, [0, 2, 2, 2], heads, np.ones(2), np.zeros(2), np.zeros(3))  # type: ignore[arg-type]


def test_walls_that_are_neither_0_nor_1_are_refused() -> None:
    assert StateGraph.from_grid([[0, 1], [0, 0]]).num_nodes == 3  # type: ignore[arg-type]
    for walls in ([[0.0, float("nan")]], [[0, 2]], [["#", "."]]):
        with pytest.raises(InvalidInput, match="True for a wall"):
            StateGraph.from_grid(walls)  # type: ignore[arg-type]


@pytest.mark.parametrize("middle", [2**31 - 1, -(2**31), -1, 3])
def test_a_row_pointer_whose_differences_overflow_is_refused(middle: int) -> None:
    """Refused before anything of that size is made."""
    indptr = np.array([0, middle, -middle - 1, 2], np.int32)
    with pytest.raises(InvalidInput, match="indptr is not a CSR row pointer for 3 nodes and 2 edges"):
        StateGraph(np.zeros((3, 2)), indptr, [1, 2], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0, 0.0])
