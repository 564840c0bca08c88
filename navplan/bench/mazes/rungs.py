"""The ladder: on each rung one thing more has to be learned, and every arm has the same graph.

Sources of the published figures: Park, Frans, Eysenbach and Levine, "OGBench: Benchmarking Offline Goal-Conditioned RL", ICLR
2025: the best of its methods, with 1 M published steps and 8 seeds; ours are other steps of the same kind, fewer, and made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from navplan.errors import UnknownName

SUITE = "offline-mazes"
EPISODES = 50
"""Of each task, as OGBench counts."""
SEEDS = (0, 1, 2, 3, 4)
"""Of logs, training and episodes alike."""
PUBLISHED = {
    "pointmaze-medium-navigate": 97, "pointmaze-large-navigate": 86, "pointmaze-giant-navigate": 68,
    "pointmaze-medium-stitch": 87, "pointmaze-large-stitch": 84, "pointmaze-giant-stitch": 50,
}  # fmt: skip
"""Success of the best published method, %."""
_POINT = tuple(PUBLISHED)
_NODES = {"medium": 500, "large": 800, "giant": 1500, "teleport": 800}


@dataclass(frozen=True)
class MazeArm:
    """One way of getting there.

    Attributes:
        method, setting: as in results.csv.
        about: one line.
        metric: what weighs the graph: "places", the critic that was learned ("critic"), or the numbers of observations ("raw");
            None: there is no plan.
        edges: of the graph, see `StateGraph.from_dataset`.
        follower: a module of slot `policy` with options; "driver", which knows how the body moves; "oracle", which knows all.
        lucky: edges with jumps cost as if every attempt succeeded.
    """

    method: str
    setting: str
    about: str
    metric: str | None = "places"
    edges: str = "data"
    follower: str = "gcbc"
    lucky: bool = False

    @property
    def label(self) -> str:
        """``method/setting``."""
        return f"{self.method}/{self.setting}"

    @property
    def trained(self) -> bool:
        """Whether updates change what it does: neighbours among logged steps need none."""
        return self.metric == "critic" or not self.follower.startswith("knn")


@dataclass(frozen=True)
class Rung:
    """What is known there, in which worlds, and who is compared.

    Attributes:
        name: a, b, …
        about: what has to be learned.
        worlds: names of logs, see `navplan.scenarios.environments.mazes`.
        transitions: logged steps.
        critic: module of slot `critic` with options; the policies' too, where they need one.
        arms: what navplan recommends has setting "default".
        nodes: of graphs; 0: by the size of the maze.
        speed: units a step, of the metric of places.
        steps: updates.
    """

    name: str
    about: str
    worlds: tuple[str, ...]
    transitions: int
    critic: str
    arms: tuple[MazeArm, ...]
    nodes: int = 0
    speed: float = 0.2
    steps: int = 5000

    def nodes_in(self, world: str) -> int:
        """Nodes of the graph in a world."""
        return self.nodes or _NODES[world.split("-")[1]]


_PLANNER = MazeArm("planner-only", "driver", "graph of logged steps; who follows knows how the body moves", follower="driver")
_ORACLE = MazeArm(
    "oracle", "driver", "scripted driver on a shortest way: knows maze, places and body", metric=None, follower="oracle"
)


def _worlds(kind: str) -> tuple[str, ...]:
    return tuple(f"{kind}-{maze}-{logs}" for maze in ("medium", "large") for logs in ("navigate", "stitch"))


def _flat(follower: str) -> MazeArm:
    return MazeArm("policy", "flat", "imitation towards the far goal, no plan", metric=None, follower=follower)


RUNGS = (
    Rung("a", "nothing: places and control are known", _POINT, 200_000, "temporal", (_PLANNER, _ORACLE)),
    Rung(
        "b", "control", _POINT, 200_000, "temporal:discount=0.995",
        (
            MazeArm("navplan", "default", "graph of logged steps, imitation of goals a few steps on"),
            MazeArm("navplan", "knn", "the same, nearest logged steps instead of a network", follower="knn"),
            MazeArm("navplan", "critic-only", "edges and distances from the critic alone", metric="critic", edges="critic"),
            _flat("gcbc:ahead=200"), _PLANNER, _ORACLE,
        ),
    ),
    Rung(
        "b'", "control of a car", _worlds("carmaze"),
        300_000, "temporal",
        (
            MazeArm("navplan", "default", "distances and control learned", "critic", "data+critic", "gcbc:ahead=30"),
            MazeArm("navplan", "places", "distances of places, control learned", follower="gcbc:ahead=30"),
            MazeArm("navplan", "awr", "as default, actions weighed by the critic", "critic", "data+critic", "awr:ahead=30"),
            _flat("gcbc:ahead=200"), _PLANNER, _ORACLE,
        ),
        nodes=1000, speed=0.15,
    ),
    Rung(
        "c", "distances and control, of observations that say nothing of places",
        _worlds("scrambled"), 300_000, "temporal",
        (
            MazeArm("navplan", "default", "distances and control learned", metric="critic", edges="data+critic"),
            MazeArm("navplan", "critic-only", "edges from the critic alone", metric="critic", edges="critic"),
            MazeArm("navplan", "raw", "distances of observations' numbers: nothing learned but control", metric="raw"),
            _flat("gcbc:ahead=200"), _ORACLE,
        ),
        nodes=1500,
    ),
    Rung(
        "d", "what luck is worth: teleporters", ("pointmaze-teleport-navigate", "pointmaze-teleport-stitch"), 200_000, "temporal",
        (
            MazeArm("navplan", "default", "a jump costs what trying until it succeeds costs", follower="driver"),
            MazeArm("navplan", "lucky", "a jump costs what it took when it succeeded", follower="driver", lucky=True),
            _ORACLE,
        ),
    ),
    Rung(
        "e", "control, from logs that are mostly random",
        tuple(f"carmaze-{maze}-mixed" for maze in ("medium", "large")), 300_000, "temporal",
        (
            MazeArm("navplan", "default", "distances and control learned", "critic", "data+critic", "gcbc:ahead=30"),
            MazeArm("navplan", "awr", "actions weighed by the critic", "critic", "data+critic", "awr:ahead=30"),
            _flat("gcbc:ahead=200"), _PLANNER, _ORACLE,
        ),
        nodes=1000, speed=0.15,
    ),
)  # fmt: skip


def narrowed(methods: Sequence[str] | None) -> tuple[Rung, ...]:
    """The ladder with some of the methods (or METHOD/SETTING, or rungs) only.

    Raises:
        UnknownName: there is no such method.
    """
    if not methods:
        return RUNGS
    known = {name for rung in RUNGS for arm in rung.arms for name in (arm.method, arm.label, rung.name)}
    for name in methods:
        if name not in known:
            raise UnknownName("method", name, sorted(known))
    wanted = set(methods)
    rungs = []
    for rung in RUNGS:
        arms = rung.arms if rung.name in wanted else tuple(arm for arm in rung.arms if wanted & {arm.method, arm.label})
        if arms:
            rungs.append(replace(rung, arms=arms))
    return tuple(rungs)
