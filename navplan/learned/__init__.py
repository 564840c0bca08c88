"""Learned distance and safety critics with their goal-conditioned policy; only this room imports PyTorch."""

from __future__ import annotations

import os

# Idle OpenMP threads should sleep, not spin: on a machine that is shared, two spinning threads train seven times slower than
# two sleeping ones. It must be said before PyTorch is loaded; whoever has chosen otherwise keeps that choice.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
