"""The curriculum that every other has to beat: any problem is as good as any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from navplan.learned.interface import Offer
from navplan.system.arrays import Int64


@dataclass(frozen=True)
class Uniform:
    """Whatever is on offer, each as likely as the others."""

    name: ClassVar[str] = "uniform"
    slot: ClassVar[str] = "curriculum"
    about: ClassVar[str] = "practises any of the problems on offer, each as likely as the others"
    paper: ClassVar[str | None] = None
    source: ClassVar[str] = "baseline"

    def draw(self, offer: Offer, count: int, rng: np.random.Generator) -> Int64:
        """See `navplan.learned.interface.Curriculum`; with replacement."""
        return rng.integers(len(offer.starts), size=count)
