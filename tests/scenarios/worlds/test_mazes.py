from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from navplan.errors import FileFormatError, InvalidInput, UnknownName
from navplan.scenarios.worlds.mazes import ascii_rows, maze_names, maze_walls, parse_rows, resize_walls

# name, height, width, free cells, as the paper facts state them
FACTS = """Small 4 4 16|Cross 7 7 40|CenterDot 5 5 24|Line 7 7 46|L 7 7 43|LQuarter 7 7 33|FourRooms 11 11 104
FourRoomsModified 11 11 111|CentralObstacle 11 11 112|Spiral5x5 5 5 15|Spiral7x7 7 7 21|Spiral9x9 9 9 45|Spiral11x11 11 11 55
Maze3x3 3 3 7|Maze6x6 6 6 21|Maze11x11 11 11 67|Tunnel 22 21 237|U 9 3 19|Tree 13 21 92|UMulti 20 15 167|FlyTrapSmall 15 15 145
FlyTrapBig 23 23 409|Galton 13 29 291""".replace("\n", "|").split("|")


@pytest.mark.parametrize("fact", FACTS)
def test_every_maze_has_its_size_and_free_cells(fact):
    name, height, width, free = fact.split()
    walls = maze_walls(name)
    assert walls.shape == (int(height), int(width))
    assert (~walls).sum() == int(free)


def test_there_is_no_other_maze():
    assert len(maze_names()) == len(FACTS)


def test_kebab_case_and_the_papers_spelling_are_the_same():
    assert (maze_walls("four-rooms-modified") == maze_walls("FourRoomsModified")).all()
    assert (maze_walls("spiral-5x5") == maze_walls("Spiral5x5")).all()


@pytest.mark.parametrize(
    ("name", "scale", "diameter"), [("CenterDot", 3, 17), ("Line", 4, 35), ("Line", 3, 26), ("FourRooms", 1, 14)]
)
def test_longest_geodesic_is_the_papers(name, scale, diameter):
    """Hop counts over 8 neighbours, corner cutting allowed."""
    cells = np.argwhere(~maze_walls(name, scale))
    apart = np.abs(cells[:, None] - cells[None]).max(axis=2)
    steps = shortest_path(coo_array(apart == 1), unweighted=True, directed=False)
    assert steps[np.isfinite(steps)].max() == diameter


def test_unknown_maze_gets_a_hint():
    with pytest.raises(UnknownName, match="did you mean 'center-dot'"):
        maze_walls("centre-dot")


@pytest.mark.parametrize("scale", [0, -1, True, 1.5, 100_000])
def test_bad_scale(scale):
    with pytest.raises(InvalidInput):
        maze_walls("small", scale)


grids = st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**36 - 1)).map(
    lambda t: np.array([(t[2] >> k) & 1 for k in range(t[0] * t[1])], bool).reshape(t[0], t[1])
)


@given(grids, st.integers(1, 4))
def test_resizing_replicates_cells(walls, scale):
    out = resize_walls(walls, scale)
    for row, col in np.ndindex(out.shape):
        assert out[row, col] == walls[row // scale, col // scale]


def naive_thin(walls: np.ndarray, scale: int) -> np.ndarray:
    """Paper facts 1.1, read literally, one axis."""
    rows, cols = walls.shape
    out = np.zeros((rows, cols * scale), bool)
    for i in range(rows):
        for j in range(cols):
            if walls[i, j]:
                out[i, j * scale] = True
                if walls[i, min(j + 1, cols - 1)]:
                    for k in range(j * scale, (j + 1) * scale):
                        out[i, k] = True
    return out


@given(grids, st.integers(2, 4))
def test_thin_resizing_keeps_walls_thin(walls, scale):
    expected = naive_thin(naive_thin(walls, scale).T, scale).T
    assert (resize_walls(walls, scale, thin=True) == expected).all()


def test_a_thin_wall_is_one_cell_thick():
    walls = np.zeros((5, 5), bool)
    walls[1:4, 2] = True
    out = resize_walls(walls, 3, thin=True)
    assert out.any(axis=0).sum() == 1
    assert out.any(axis=1).sum() == 7


@given(grids)
def test_text_round_trip(walls):
    assert (parse_rows(ascii_rows(walls), "memory") == walls).all()


@pytest.mark.parametrize(
    ("rows", "message"),
    [([], "x.txt:1: the map is empty"), (["..", "."], "x.txt:2: row has 1"), (["..", ".a"], "x.txt:2: unknown character 'a'")],
)
def test_bad_rows_name_their_line(rows, message):
    with pytest.raises(FileFormatError, match=message):
        parse_rows(rows, "x.txt")
