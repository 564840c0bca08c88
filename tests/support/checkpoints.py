"""The bundled checkpoint of center-dot with other tensors, for what must not depend on how good or how large it is."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from navplan.learned.training.load import checkpoint_folder
from navplan.learned.training.tensors import POLICY, STAGE1, read_tensors, write_tensors

Tensor = NDArray[Any]


def altered(folder: Path, change: Callable[[str, Tensor], Tensor]) -> str:
    """Write both stages into `folder`, with each tensor as `change(name, tensor)` makes it; what --checkpoint takes."""
    for file in (POLICY, STAGE1):
        tensors, document = read_tensors(checkpoint_folder("center-dot") / file, "policy")
        meta = {key: value for key, value in document.items() if key not in ("kind", "format")}
        write_tensors(folder / file, "policy", {name: change(name, tensor) for name, tensor in tensors.items()}, meta)
    return str(folder)


def with_few_states(folder: Path) -> str:
    """300 states instead of 10,000: graphs have a tenth of the usual edges and are built in a tenth of the time."""
    return altered(folder, lambda name, tensor: tensor[:300] if name == "states" else tensor)


def with_random_weights(folder: Path, parts: Collection[str]) -> str:
    """Few states, and the networks called `parts` (actor, critics, clone) drawn at random."""
    rng = np.random.default_rng(0)

    def draw(name: str, tensor: Tensor) -> Tensor:
        if name == "states":
            return tensor[:300]
        return rng.normal(0.0, 0.1, tensor.shape).astype(tensor.dtype) if name.split(".")[0] in parts else tensor

    return altered(folder, draw)
