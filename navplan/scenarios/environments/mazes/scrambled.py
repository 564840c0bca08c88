"""Observations in which nobody can read a place: a code of it, mixed with noise."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from navplan.kernels.motion.goal_maze import autoregress, scramble
from navplan.scenarios.environments.mazes.layouts import centres, layout
from navplan.system.arrays import Float32, Float64

CODES = 24
NOISES = 8
KEEP = 0.95
"""Share of the noise that is left after a step."""
# Waves are about 18 units long, four and a half cells: near places are told apart, and far ones may look alike.
_FREQUENCY = 0.35
# The weights belong to the world, not to a seed: every log of a maze shows it in the same way.
_WEIGHTS = 20_250_117


class Scrambling:
    """What is seen in a maze: sin(w · (x, y) + b) for 24 random w and b and 8 columns of noise, rotated together.

    The noise is autoregressive of order one, of deviation 1, and has nothing to do with where the body is.

    Attributes:
        rotation: (32, 32) float64, orthogonal.
    """

    def __init__(self, name: str) -> None:
        rng = np.random.default_rng(_WEIGHTS)
        self._weights = rng.normal(0.0, _FREQUENCY, (2, CODES))
        self._shifts = rng.uniform(0.0, 2.0 * np.pi, CODES) - centres(layout(name).cells).mean(axis=0) @ self._weights
        self.rotation: Float64 = np.linalg.qr(rng.normal(size=(CODES + NOISES, CODES + NOISES)))[0]

    def seen(self, places: ArrayLike, noise: ArrayLike) -> Float32:
        """(…, 32) float32 observations at places (…, 2) under noise (…, 8)."""
        at = np.ascontiguousarray(places, np.float64)
        seen = np.empty((*at.shape[:-1], CODES + NOISES), np.float32)
        flat, added = seen.reshape(-1, CODES + NOISES), np.ascontiguousarray(noise, np.float32).reshape(-1, NOISES)
        scramble(self._weights, self._shifts, self.rotation, at.reshape(-1, 2), added, flat)
        return seen


@cache
def scrambling(name: str) -> Scrambling:
    """Of the maze of that name."""
    return Scrambling(name)


def next_noise(noise: Float32, rng: np.random.Generator) -> Float32:
    """(B, 8) noise one step later."""
    fresh = rng.standard_normal(noise.shape, np.float32)
    return np.asarray(np.float32(KEEP) * noise + np.float32(np.sqrt(1.0 - KEEP * KEEP)) * fresh, np.float32)


def noise_along(trajectories: int, rows: int, rng: np.random.Generator) -> Float32:
    """(E, T, 8) float32 noise along trajectories."""
    noise = rng.standard_normal((trajectories, rows, NOISES), np.float32)
    autoregress(noise, KEEP)
    return noise
