from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label

from navplan.errors import InvalidInput, UnknownName
from navplan.scenarios.worlds.generators import GENERATORS, generate, maze, parameters, random_obstacles, rooms, warehouse

CONNECTED = ("empty", "maze", "rooms", "warehouse")


def digest(walls: np.ndarray) -> str:
    return hashlib.sha256(repr(walls.shape).encode() + walls.astype(np.uint8).tobytes()).hexdigest()[:16]


# Written down once; any machine and any NumPy must give the same maps.
HASHES = {
    ("empty", 0): "e2153c1eca41d9ba",
    ("empty", 1): "e2153c1eca41d9ba",
    ("empty", 9223372036854775815): "e2153c1eca41d9ba",
    ("maze", 0): "7d77bc50bab763a9",
    ("maze", 1): "2bcdd294db7cefc5",
    ("maze", 9223372036854775815): "3ce95059a0db7c02",
    ("random", 0): "f486b41973d89a3a",
    ("random", 1): "7174565d176e29d4",
    ("random", 9223372036854775815): "f25aacc35e178132",
    ("rooms", 0): "932966864f0d0fc1",
    ("rooms", 1): "3d5c088eb30214e9",
    ("rooms", 9223372036854775815): "45039d23e400d3fd",
    ("warehouse", 0): "bd0091352af91ae7",
    ("warehouse", 1): "5e3c5be034860114",
    ("warehouse", 9223372036854775815): "58aa5f4379d9776d",
}


@pytest.mark.parametrize(("kind", "seed"), HASHES)
def test_the_map_of_a_seed_never_changes(kind, seed):
    assert digest(generate(kind, seed)) == HASHES[kind, seed]


@pytest.mark.parametrize("kind", sorted(set(GENERATORS) - {"empty"}))
def test_seeds_differ(kind):
    assert len({digest(generate(kind, seed)) for seed in range(5)}) == 5


def regions(walls: np.ndarray) -> int:
    return int(label(~walls)[1])


@given(st.integers(0, 2**64 - 1), st.integers(1, 40), st.integers(1, 40), st.integers(1, 9), st.integers(0, 100))
def test_rooms_are_connected(seed, height, width, room, extra):
    walls = rooms(seed, height=height, width=width, room=room, door=1 + room // 3, extra_doors=extra)
    assert walls.shape == (height, width)
    assert regions(walls) == 1


@given(st.integers(0, 2**64 - 1), st.integers(1, 40), st.integers(1, 40), st.integers(1, 5), st.integers(0, 100))
def test_mazes_are_connected(seed, height, width, corridor, loops):
    walls = maze(seed, height=height, width=width, corridor=corridor, loops=loops)
    assert walls.shape == (height, width)
    assert regions(walls) == 1


@given(st.integers(0, 2**32), st.integers(3, 15), st.integers(3, 15))
def test_a_maze_without_loops_is_a_tree(seed, rows, columns):
    walls = maze(seed, height=2 * rows - 1, width=2 * columns - 1, corridor=1)
    free = ~walls
    edges = int((free[1:] & free[:-1]).sum() + (free[:, 1:] & free[:, :-1]).sum())
    assert edges == int(free.sum()) - 1


@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 6), st.integers(1, 5), st.integers(1, 3), st.integers(0, 100))
def test_warehouses_are_connected_and_hold_whole_shelves(seed, down, across, length, aisle, missing):
    walls = warehouse(seed, shelf_rows=down, shelf_columns=across, shelf_length=length, aisle=aisle, margin=2, missing=missing)
    assert regions(walls) == 1
    assert walls.sum() % (length * 2) == 0
    if missing == 0:
        assert walls.sum() == down * across * length * 2


@given(st.integers(0, 2**64 - 1), st.integers(1, 20), st.integers(1, 20), st.floats(0, 1, exclude_max=True))
def test_random_obstacles_hit_the_density(seed, height, width, density):
    walls = random_obstacles(seed, height=height, width=width, density=density)
    assert walls.sum() == min(round(density * height * width), height * width - 1)


def test_random_obstacles_are_spread_evenly():
    mean = np.mean([random_obstacles(seed, height=8, width=8, density=0.25) for seed in range(400)], axis=0)
    assert abs(mean - 0.25).max() < 0.1  # standard deviation 0.022


def test_doors_have_their_width():
    walls = rooms(3, height=15, width=7, room=7, door=3, extra_doors=0)
    assert (~walls[7]).sum() == 3


def test_a_border_surrounds_the_same_maze():
    walls = maze(7, height=33, width=29, corridor=3, loops=20, border=2)
    assert walls.shape == (33, 29)
    assert (walls[2:-2, 2:-2] == maze(7, height=29, width=25, corridor=3, loops=20)).all()
    walls[2:-2, 2:-2] = True
    assert walls.all()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("random", {"density": 1.0}),
        ("random", {"density": float("nan")}),
        ("random", {"height": 0}),
        ("random", {"height": 10**6, "width": 10**6}),
        ("rooms", {"door": 9}),
        ("rooms", {"extra_doors": 101}),
        ("rooms", {"room": 2.5}),
        ("maze", {"corridor": 0}),
        ("maze", {"border": -1}),
        ("maze", {"height": 4, "border": 2}),
        ("maze", {"loops": -1}),
        ("warehouse", {"aisle": 0}),
        ("warehouse", {"shelf_rows": 10**5, "shelf_columns": 10**5}),
        ("empty", {"width": True}),
        ("empty", {"depth": 3}),
    ],
)
def test_bad_parameters(kind, options):
    with pytest.raises(InvalidInput):
        generate(kind, 0, **options)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, True, None])
def test_bad_seeds(seed):
    with pytest.raises(InvalidInput, match="seed"):
        generate("empty", seed)


def test_unknown_kind():
    with pytest.raises(UnknownName, match="did you mean 'rooms'"):
        parameters("room")


@settings(max_examples=5)
@given(st.sampled_from(CONNECTED), st.integers(0, 2**64 - 1))
def test_defaults_are_connected(kind, seed):
    assert regions(generate(kind, seed)) == 1
