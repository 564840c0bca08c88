"""Four mazes with five tasks each, those of OGBench (Park et al. 2025; `ogbench/locomaze/maze.py`), and ways through them.

Walls, tasks and teleporters are facts of that benchmark; a row of a drawing is a row of cells, `#` a wall.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from scipy.ndimage import convolve
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import shortest_path

from navplan.kernels.motion.goal_maze import UNIT, MazeGround
from navplan.system.arrays import Bool, Float64, Int32, Int64, freeze

# A body this near to the middle of a teleporter, times its radius of 1, is taken.
_REACH = 1.5
_DRAWINGS = {
    "medium": """
        ########
        #..##..#
        #..#...#
        ##...###
        #..#...#
        #.#..#.#
        #...#..#
        ########""",
    "large": """
        ############
        #....#.....#
        #.##.#.#.#.#
        #......#...#
        #.####.###.#
        #..#.#.....#
        ##.#.#.#.###
        #..#...#...#
        ############""",
    "giant": """
        ################
        #.#......##....#
        #.#.##.#.#..##.#
        #...#..#...#...#
        #.###.######.#.#
        #...#...#....#.#
        ###.#.#..#.#.###
        #...#..#...#...#
        #.#.#.######.#.#
        #.###...#...##.#
        #.....#...#....#
        ################""",
    "teleport": """
        ############
        #.....#.#..#
        ##.#...#..##
        ##.###.....#
        #....#.#.#.#
        #.##.#.#.#.#
        #.##.#.#.#.#
        #....#...#.#
        ############""",
}
_TASKS = {
    "medium": [((1, 1), (6, 6)), ((6, 1), (1, 6)), ((5, 3), (4, 2)), ((6, 5), (6, 1)), ((2, 6), (1, 1))],
    "large": [((1, 1), (7, 10)), ((5, 4), (7, 1)), ((7, 4), (1, 10)), ((3, 8), (5, 4)), ((1, 1), (5, 4))],
    "giant": [((1, 1), (10, 14)), ((1, 14), (10, 1)), ((8, 14), (1, 1)), ((8, 3), (5, 12)), ((5, 9), (3, 8))],
    "teleport": [((1, 10), (7, 1)), ((1, 1), (7, 10)), ((5, 6), (7, 10)), ((7, 1), (7, 10)), ((5, 6), (7, 1))],
}
_INTO = {"teleport": [(4, 6), (5, 1)]}
_OUT = {"teleport": [(1, 7), (6, 1), (6, 10)]}


@dataclass(frozen=True)
class MazeLayout:
    """A maze.

    Attributes:
        name: of it.
        walls: (H, W) bool.
        tasks: (5, 2, 2) int64, (row, col) of start and goal.
        into, out: (I, 2), (O, 2) int64 cells of teleporters.
    """

    name: str
    walls: Bool
    tasks: Int64
    into: Int64
    out: Int64

    @cached_property
    def ground(self) -> MazeGround:
        """For the kernels."""
        return MazeGround(self.walls, centres(self.into), centres(self.out), _REACH)

    @cached_property
    def cells(self) -> Int64:
        """(N, 2) the free cells, row by row."""
        return np.argwhere(~self.walls)

    @cached_property
    def vertices(self) -> Int64:
        """(V, 2) the free cells but those of a straight corridor: ends, corners and junctions."""
        across = convolve(self.walls.astype(np.int64), [[0, 0, 0], [1, 0, 1], [0, 0, 0]])
        along = convolve(self.walls.astype(np.int64), [[0, 1, 0], [0, 0, 0], [0, 1, 0]])
        corridor = ((across == 2) & (along == 0)) | ((across == 0) & (along == 2))
        return np.argwhere(~self.walls & ~corridor)

    @cached_property
    def hops(self) -> Float64:
        """(H W, H W) steps from cell to cell beside it, inf where there is no way; teleporters are not counted on."""
        number = np.arange(self.walls.size).reshape(self.walls.shape)
        pairs = []
        for first, second, open_ in (
            (number[:, :-1], number[:, 1:], ~self.walls[:, :-1] & ~self.walls[:, 1:]),
            (number[:-1], number[1:], ~self.walls[:-1] & ~self.walls[1:]),
        ):
            pairs.append(np.stack([first[open_], second[open_]]))
        tail, head = np.concatenate(pairs, axis=1)
        beside = coo_matrix((np.ones(len(tail)), (tail, head)), shape=(self.walls.size, self.walls.size))
        return np.asarray(shortest_path(beside, directed=False, unweighted=True))

    @cached_property
    def toward(self) -> Int32:
        """(H W, H W) int32 the cell to go to next from one towards another; itself at the goal and where there is no way.

        Of several the first of above, left, below, right, as OGBench's oracle chooses.
        """
        count, width = self.walls.size, self.walls.shape[1]
        best = self.hops.copy()
        to = np.tile(np.arange(count, dtype=np.int32)[:, None], (1, count))
        for shift in (-width, -1, width, 1):
            beside = np.arange(count) + shift
            inside = (beside >= 0) & (beside < count)
            there = np.full((count, count), np.inf)
            there[inside] = self.hops[beside[inside]]
            # A row's last cell has no right neighbour in the next row: both are walls, which no way leads through.
            nearer = there < best
            best[nearer] = there[nearer]
            to[nearer] = np.broadcast_to(beside[:, None], to.shape)[nearer]
        return to

    def number(self, cells: Int64) -> Int64:
        """Of cells (…, 2), as `hops` and `toward` count them."""
        return np.asarray(cells[..., 0] * self.walls.shape[1] + cells[..., 1], np.int64)


def centres(cells: Int64) -> Float64:
    """(…, 2) float64 (x, y) of the middles of cells (…, 2) (row, col)."""
    return np.asarray(cells[..., ::-1] * UNIT - UNIT, np.float64)


@cache
def layout(name: str) -> MazeLayout:
    """The maze of that name, one of four."""
    rows = _DRAWINGS[name].split()
    walls = np.array([[mark == "#" for mark in row] for row in rows])
    into, out = (np.array(cells.get(name, []), np.int64).reshape(-1, 2) for cells in (_INTO, _OUT))
    found = MazeLayout(name, walls, np.array(_TASKS[name], np.int64), into, out)
    freeze(found.walls, found.tasks, found.ground.into, found.ground.out, found.toward)
    return found
