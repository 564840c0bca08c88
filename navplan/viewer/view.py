"""Where a world point lands on the picture: a box of pixels, a scale and an origin."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from navplan.system.arrays import Float64


@dataclass(frozen=True)
class View:
    """Maps (row, col) in cells to (x, y) in pixels: rows run down, columns to the right.

    Attributes:
        left, top, width, height: the box on the picture, pixels.
        scale: pixels per cell.
        row, col: world point at the top-left corner of the box.
    """

    left: int
    top: int
    width: int
    height: int
    scale: float
    row: float
    col: float

    @classmethod
    def fit(cls, rows: float, cols: float, left: int, top: int, width: int, height: int, inset: int = 0) -> View:
        """The whole world, centred in the box, at least `inset` pixels from its sides."""
        scale = min((width - 2 * inset) / cols, (height - 2 * inset) / rows)
        return cls(left, top, width, height, scale, (rows - height / scale) / 2, (cols - width / scale) / 2)

    def pixels(self, points: ArrayLike, factor: float = 1.0) -> Float64:
        """(…, 2) pixels (x, y) inside the box, `factor` times oversampled, of (…, 2) points (row, col)."""
        array = np.asarray(points, dtype=np.float64)
        x = (array[..., 1] - self.col) * self.scale * factor
        y = (array[..., 0] - self.row) * self.scale * factor
        return np.stack([x, y], axis=-1)

    def point(self, x: float, y: float) -> tuple[float, float]:
        """World (row, col) under a pixel of the picture."""
        return self.row + (y - self.top) / self.scale, self.col + (x - self.left) / self.scale

    def place(self, row: float, col: float) -> tuple[float, float]:
        """Pixel (x, y) of the picture at a world point; `point` goes back."""
        return self.left + (col - self.col) * self.scale, self.top + (row - self.row) * self.scale

    def holds(self, x: float, y: float) -> bool:
        """True when a pixel of the picture is inside the box."""
        return self.left <= x < self.left + self.width and self.top <= y < self.top + self.height

    def zoomed(self, factor: float, x: float, y: float, lowest: float, highest: float) -> View:
        """Scaled about the world point under a pixel, within pixels-per-cell limits."""
        scale = min(max(self.scale * factor, lowest), highest)
        row, col = self.point(x, y)
        return replace(self, scale=scale, row=row - (y - self.top) / scale, col=col - (x - self.left) / scale)

    def moved(self, dx: float, dy: float) -> View:
        """Dragged by pixels."""
        return replace(self, row=self.row - dy / self.scale, col=self.col - dx / self.scale)
