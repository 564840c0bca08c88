"""The safety filter: before each step, wished moves are replaced by ones that keep all bodies apart at every sub-step.

The guarantee is exact because positions come from the environment's own dynamics: whatever agents wish for, an agent can always
brake, and the filter lets nobody move into one that may have to brake. Bodies without momentum brake by staying where they are.
Those with momentum are predicted to the end of their braking: where all chosen tracks, braking included, keep apart, what is left
of them keeps apart at the next step, when braking is a choice again (docs/adr/0008-bodies-with-momentum.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from navplan.errors import InvalidInput
from navplan.execution.observer import Observer
from navplan.execution.simulator import Simulator, radius_of
from navplan.kernels.motion.avoid import UNKNOWN, Moves, choose
from navplan.system.arrays import Bool, Float32, Float64, Int64

Predict = Callable[[Float32, Float32], Float32]

# Candidates in order of preference: the wish, turned a little, slower, turned a lot, very slow; then any direction; then braking.
_TURNS = ((0.0, 1.0), (30.0, 1.0), (-30.0, 1.0), (0.0, 0.5), (60.0, 0.7), (-60.0, 0.7), (90.0, 0.7), (-90.0, 0.7), (0.0, 0.2))
_COMPASS = tuple((math.sin(a) * 0.7, math.cos(a) * 0.7) for a in np.arange(16) * math.pi / 8.0)
_CORNERS = np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)], dtype=np.float64)
NUM_CANDIDATES = len(_TURNS) + len(_COMPASS) + 1
EAGER, PATIENT, ANY = len(_TURNS), 4, len(_TURNS) + len(_COMPASS)


@dataclass(frozen=True)
class Filtered:
    """What came out of the filter.

    Attributes:
        actions: (A, 2) float32, safe together.
        yielded: (A,) bool, agents that do something else than they wished.
        stayed: (A,) bool, agents that wished to move and brake, or stay.
    """

    actions: Float32
    yielded: Bool
    stayed: Bool

    @classmethod
    def unchanged(cls, wishes: Float32) -> Filtered:
        """What comes out where there is no filter."""
        none = np.zeros(len(wishes), bool)
        return cls(wishes, none, none)


def keep_apart(
    positions: Float32,
    wishes: Float32,
    predict: Predict,
    *,
    radius: float | Float64,
    priority: Float64,
    waited: Int64 | None = None,
    margin: float = 0.02,
    slack: Float64 | None = None,
    half: Float64 | None = None,
    lossy: bool = False,
    budget: int = 600,
) -> Filtered:
    """Actions near the wishes under which no two agents come closer than their radii and `margin` at any sub-step.

    Pairs that are closer than that already never close in further. If all pairs are at least their radii apart now, and would be
    if all braked, they are at every sub-step of the step and after it.

    Args:
        positions: (A, 2) float32 present states.
        wishes: (A, 2) float32 actions in [-1, 1].
        predict: ``(actions (C, A, 2), states (A, 2)) -> (C, A, S, 2)`` sub-step positions of one step and of the braking after
            it, until the bodies rest: the environment's own dynamics for each agent on its own. An action of 0 is to brake.
        radius: of the bodies in cells, for all or (A,).
        priority: (A,) lower goes first; ties by agent.
        waited: (A,) steps for which each agent has been kept from moving; an agent kept waiting tries more ways round, and
            those in its way must step aside in any direction.
        margin: extra distance in cells.
        slack: (A,) cells by which each agent may be off its predicted track; that much more distance is kept, and agents that
            are closer part. None: none.
        half: (A, 2) half the box around its position that each agent is in, a part of `slack`: where a move goes another way
            from the box's corners than from its centre, as walls make it, that much more distance is kept. None: no box.
        lossy: a move may not be made at all: no move is chosen that meets one of the others where these stay put.
        budget: trials per agent before it brakes.
    """
    agents = len(positions)
    if not np.isfinite(wishes).all():
        bad = int(np.flatnonzero(~np.isfinite(wishes).all(axis=1))[0])
        raise InvalidInput(f"agent {bad}: the low level's action is {wishes[bad].tolist()}, expected finite numbers")
    wishes = np.clip(wishes, -1.0, 1.0).astype(np.float32)
    radii = np.broadcast_to(np.asarray(radius, np.float64), agents)
    least = float(radii.min(initial=np.inf)) if agents else 0.0
    spacing, wider = 2.0 * least + margin, radii - least
    if slack is None:
        slack = wider
    else:
        if slack.any():
            wishes = _parting(wishes, positions.astype(np.float64), spacing, slack + wider)
        slack = slack + wider
    patience = np.zeros(agents, np.int64) if waited is None else waited
    actions, usable = _candidates(wishes)
    tracks = np.ascontiguousarray(predict(actions, positions), dtype=np.float64)
    moves = Moves(
        tracks,
        np.empty(agents),
        usable,
        positions.astype(np.float64),
        slack
        + (np.zeros(tracks.shape[:2]) if half is None or not half.any() else _astray(actions, positions, half, predict, tracks)),
        lossy,
        np.full((agents, NUM_CANDIDATES, agents, NUM_CANDIDATES), UNKNOWN, np.int8),
    )
    order = np.argsort(priority, kind="stable").astype(np.int32)
    own = np.where(patience >= 2, EAGER, PATIENT).astype(np.int32)
    # an agent that wishes to stay has no wish to insist on
    own[~wishes.any(axis=1)] = 0
    pushed = np.where(patience >= 1, ANY, PATIENT).astype(np.int32)
    choice = np.empty(agents, np.int32)
    choose(moves, order, own, pushed, spacing, budget, choice)
    chosen = actions[choice, np.arange(agents)]
    wished = wishes.any(axis=1)
    stayed = wished & (choice == NUM_CANDIDATES - 1)
    return Filtered(chosen, (choice != 0) & (wished | chosen.any(axis=1)), stayed)


def _astray(actions: Float32, positions: Float32, half: Float64, predict: Predict, tracks: Float64) -> Float64:
    """(C, A) cells by which moves from the corners of the boxes stray from the `tracks` from their centres, beyond the box."""
    most = np.zeros(tracks.shape[:2])
    for corner in _CORNERS:
        places = (positions + corner * half).astype(np.float32)
        apart = np.linalg.norm(predict(actions, places) - tracks, axis=3).max(axis=2)
        most = np.maximum(most, apart)
    beyond: Float64 = np.maximum(most - np.linalg.norm(half, axis=1), 0.0)
    return beyond


def _parting(wishes: Float32, positions: Float64, spacing: float, slack: Float64) -> Float32:
    """The wishes, with a push apart for agents closer than `spacing` and their slack; each makes up half of what is missing."""
    apart = positions[:, None] - positions[None]
    gap = np.linalg.norm(apart, axis=2)
    missing = np.maximum(spacing + slack[:, None] + slack[None] - gap, 0.0)
    np.fill_diagonal(missing, 0.0)
    push = 0.5 * missing / np.maximum(gap, 1e-9)
    parted: Float32 = np.clip(wishes + (push[:, :, None] * apart).sum(axis=1), -1.0, 1.0).astype(np.float32)
    return parted


@dataclass
class KeptApart:
    """The safety filter around agents that mind only themselves.

    Attributes:
        env: asked what moves would do.
        observer: tells by how much agents may be off.
        waited: (A,) steps for which it has kept each agent from moving.
    """

    env: Simulator
    observer: Observer
    waited: Int64

    def filtered(self, here: Float32, wishes: Float32, home: Bool) -> Float32:
        """(A, 2) float32 actions near the `wishes` (A, 2) of agents at `here` (A, 2); those at `home` (A,) yield to all."""
        outcome = keep_apart(
            here,
            wishes,
            self.observer.predict,
            radius=radius_of(self.env),
            priority=np.where(home, np.inf, 0.0),
            waited=self.waited,
            slack=self.observer.slack,
            half=self.observer.half,
            lossy=self.observer.expected.lost_moves > 0,
        )
        self.waited = np.where(outcome.yielded & ~home, self.waited + 1, 0)
        return outcome.actions


def _candidates(wishes: Float32) -> tuple[Float32, Bool]:
    """(C, A, 2) float32 candidate actions, and (A, C) bool which of them are real; the last is to brake."""
    agents = len(wishes)
    out = np.zeros((NUM_CANDIDATES, agents, 2), np.float32)
    for n, (degrees, factor) in enumerate(_TURNS):
        sine, cosine = math.sin(math.radians(degrees)) * factor, math.cos(math.radians(degrees)) * factor
        out[n, :, 0] = cosine * wishes[:, 0] - sine * wishes[:, 1]
        out[n, :, 1] = sine * wishes[:, 0] + cosine * wishes[:, 1]
    out[len(_TURNS) : ANY] = np.asarray(_COMPASS, np.float32)[:, None, :]
    usable = np.ones((agents, NUM_CANDIDATES), np.bool_)
    usable[:, : len(_TURNS)] = np.any(wishes, axis=1, keepdims=True)
    return np.clip(out, -1.0, 1.0), usable
