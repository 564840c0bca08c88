"""Mazes in which something is to get from place to place, and logs of driving in them: what learning from logs is tried on."""

from __future__ import annotations

from navplan.scenarios.environments.mazes.driver import ScriptedDriver
from navplan.scenarios.environments.mazes.goal_maze import GoalMaze
from navplan.scenarios.environments.mazes.logs import make_logs
from navplan.scenarios.environments.mazes.names import MAZES, MazeName

__all__ = ["MAZES", "GoalMaze", "MazeName", "ScriptedDriver", "make_logs"]
