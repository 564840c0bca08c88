"""Start and goal points for many agents, a given geodesic distance apart and spaced so that bodies at rest do not touch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from navplan.errors import InvalidInput
from navplan.kernels.search import hops as kernels
from navplan.scenarios.worlds.free_space import FreeSpace
from navplan.scenarios.worlds.geodesic import occupied_centres
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Float32
from navplan.system.numbers import Rng, check_numbers, check_whole, generator
from navplan.system.words import said

_TRIES_PER_AGENT = 200
_RESTARTS = 10


def draw_problem(
    world: World,
    num_agents: int,
    rng: Rng,
    *,
    distance: tuple[float, float] = (1.0, math.inf),
    start_spacing: float = 1.0,
    goal_spacing: float = 1.5,
    radius: float = 0.0,
) -> tuple[Float32, Float32]:
    """Draw starts and goals uniformly from the free space.

    Each agent's start is a uniform free point; its goal is a uniform free point among the cells whose geodesic distance from
    the start's cell is in range. Draws that come too close to an earlier agent's are repeated; where an arrangement leaves no
    room the whole is begun again, a bounded number of times. Deterministic for a generator's state.

    Args:
        num_agents: A.
        distance: least and largest geodesic steps from each agent's start cell to its goal cell, both inclusive.
        start_spacing, goal_spacing: least Euclidean distance between two starts and between two goals, cells. The defaults
            suit bodies of radius 0.25 and a goal tolerance of 0.5.
        radius: cells that starts and goals keep from obstacles and from the edge: what has room for a body.

    Returns:
        starts (A, 2) and goals (A, 2), float32.

    Raises:
        InvalidInput: no agents, a range that is empty, or no arrangement found: more agents than the free space holds, or no
            two free points that far apart.
    """
    drawer = ProblemDrawer(world, distance=distance, start_spacing=start_spacing, goal_spacing=goal_spacing, radius=radius)
    return drawer.draw(num_agents, rng)


class ProblemDrawer:
    """Draws many problems of one world and kind; the arguments are those of `draw_problem`.

    Args:
        elsewhere: worlds in which starts and goals have room, too.
    """

    def __init__(
        self,
        world: World,
        *,
        distance: tuple[float, float] = (1.0, math.inf),
        start_spacing: float = 1.0,
        goal_spacing: float = 1.5,
        radius: float = 0.0,
        elsewhere: Sequence[World] = (),
    ) -> None:
        if not isinstance(distance, tuple | list) or len(distance) != 2:
            raise InvalidInput(f"distance is {said(distance)}, expected (least, largest) steps")
        low, high = distance
        check_numbers(start_spacing=start_spacing, goal_spacing=goal_spacing)
        check_numbers(**{"distance[0]": low, "distance[1]": high})
        if math.isnan(low) or math.isnan(high) or low > high or high < 0:
            raise InvalidInput(f"distance is ({low}, {high}), expected (least, largest) steps")
        if not (math.isfinite(start_spacing) and math.isfinite(goal_spacing)):
            raise InvalidInput(f"spacings are {start_spacing} and {goal_spacing}, expected finite numbers of cells")
        self.world = world
        self.low, self.high = low, high
        self.start_spacing, self.goal_spacing = start_spacing, goal_spacing
        self._space = FreeSpace(world, radius)
        self._elsewhere = [FreeSpace(other, radius) for other in elsewhere]
        self._walls = np.ascontiguousarray(occupied_centres(world))
        self._queue = np.empty(self._walls.size, dtype=np.int32)
        self._hops = np.empty(self._walls.shape, dtype=np.int32)

    def draw(self, num_agents: int, rng: Rng) -> tuple[Float32, Float32]:
        """Starts (A, 2) and goals (A, 2) float32; raises as `draw_problem`."""
        draws = generator(rng)
        check_whole(num_agents=num_agents)
        if num_agents < 1:
            raise InvalidInput(f"num_agents is {num_agents}, expected at least 1")
        placed = 0
        for _ in range(_RESTARTS):
            starts, goals = np.empty((num_agents, 2), np.float32), np.empty((num_agents, 2), np.float32)
            for agent in range(num_agents):
                if not self._place(starts, goals, agent, draws):
                    break
                placed = max(placed, agent + 1)
            else:
                return starts, goals
        raise InvalidInput(
            f"world {self.world.name!r}: no room found for {num_agents} agents with starts {self.start_spacing} and goals "
            f"{self.goal_spacing} cells apart and {self.low} to {self.high} steps between them; {placed} fitted: "
            "ask for fewer agents or another distance"
        )

    def _place(self, starts: Float32, goals: Float32, agent: int, rng: np.random.Generator) -> bool:
        """Fill row `agent`; False where no try met the spacing."""
        for _ in range(_TRIES_PER_AGENT):
            start = self._space.sample(1, rng)[0]
            if not self._free_elsewhere(start) or not _apart(start, starts[:agent], self.start_spacing):
                continue
            goal = self._goal(start, goals[:agent], rng)
            if goal is not None:
                starts[agent], goals[agent] = start, goal
                return True
        return False

    def _goal(self, start: Float32, others: Float32, rng: np.random.Generator) -> Float32 | None:
        rows, cols = self._walls.shape
        row, col = min(int(start[0]), rows - 1), min(int(start[1]), cols - 1)
        if self._walls[row, col]:  # the free corner of a mostly blocked cell of a polygon world: its geodesics are not defined
            return None
        count, _ = kernels.hops_from(self._walls, row, col, self._queue, self._hops)
        reached = self._queue[:count]
        steps = self._hops.ravel()[reached]
        cells = reached[(steps >= self.low) & (steps <= self.high)]
        if len(cells) == 0:
            return None
        for _ in range(10):
            cell = int(cells[rng.integers(len(cells))])
            goal = (np.array(divmod(cell, cols)) + rng.random(2)).astype(np.float32)
            same_cell = min(int(goal[0]), rows - 1) * cols + min(int(goal[1]), cols - 1) == cell
            free = same_cell and self._space.is_free(goal) and self._free_elsewhere(goal)
            if free and _apart(goal, others, self.goal_spacing):
                return goal
        return None

    def _free_elsewhere(self, point: Float32) -> bool:
        return all(bool(space.is_free(point)) for space in self._elsewhere)


def _apart(point: Float32, others: Float32, spacing: float) -> bool:
    gaps = others.astype(np.float64) - point.astype(np.float64)
    return bool((np.hypot(gaps[:, 0], gaps[:, 1]) >= spacing).all())
