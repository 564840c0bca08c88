"""The two distributional targets: shifting a histogram of steps, projecting a histogram of costs."""

from __future__ import annotations

import torch
from torch import Tensor


def shift_distance(probabilities: Tensor, done: Tensor) -> Tensor:
    """One step further: bin k goes to k + 1, the last bin keeps its mass; where done, all mass is on the first bin (1 step).

    Args:
        probabilities: (M, B, K) at the successor; bin k = "k + 1 steps".
        done: (B,) bool, the successor is at the goal.

    Returns:
        (M, B, K). Paper facts, section 3.1.
    """
    shifted = torch.zeros_like(probabilities)
    shifted[..., 1:] = probabilities[..., :-1]
    shifted[..., -1] += probabilities[..., -1]
    shifted *= ~done[:, None]
    shifted[..., 0] += done
    return shifted


def project_cost(probabilities: Tensor, cost: Tensor, done: Tensor, cost_max: float) -> Tensor:
    """C51 projection of cost + (1 - done) * z on the atoms z = linspace(0, cost_max, K) (paper facts, section 3.2).

    All atoms of a row move by the same amount, so that the projection is a shift by a whole number of atoms followed by a
    linear split between neighbours; mass beyond the last atom stays there.

    Args:
        probabilities: (M, B, K) at the successor.
        cost: (B,) cost of the step, >= 0.
        done: (B,) bool.
        cost_max: value of the last atom.

    Returns:
        (M, B, K).
    """
    atoms = probabilities.shape[-1]
    start = torch.zeros(atoms, dtype=probabilities.dtype)
    start[0] = 1.0  # nothing is to come after the goal
    ahead = torch.where(done[:, None], start, probabilities)
    offset = (cost.clamp_min(0) * ((atoms - 1) / cost_max)).clamp_max(atoms - 1)
    whole = offset.floor()
    part = (offset - whole)[:, None]
    index = torch.arange(atoms) - whole.long()[:, None]  # (B, K): where the mass of atom k comes from
    padded = torch.nn.functional.pad(ahead, (1, 0))  # slot 0 = nothing
    low = torch.gather(padded, -1, (index + 1).clamp_min(0).expand_as(ahead))
    high = torch.gather(padded, -1, index.clamp_min(0).expand_as(ahead))
    target = (1 - part) * low + part * high
    target[..., -1] += 1 - target.sum(-1)  # what left the support at its end
    return target


def expected_distance(logits: Tensor) -> Tensor:
    """(…, K) logits -> (…) expected steps."""
    steps = torch.arange(1, logits.shape[-1] + 1, dtype=logits.dtype)
    return torch.softmax(logits, dim=-1) @ steps


def expected_cost(logits: Tensor, cost_max: float) -> Tensor:
    """(…, K) logits -> (…) expected cumulative cost."""
    return torch.softmax(logits, dim=-1) @ torch.linspace(0, cost_max, logits.shape[-1], dtype=logits.dtype)
