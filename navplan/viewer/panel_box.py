"""The panel's place on the picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PanelBox:
    """The panel's place on the picture and its unit: 1.0 draws body text 14 pixels high."""

    left: int
    top: int
    width: int
    height: int
    unit: float

    def px(self, size: float) -> int:
        """A length of the design in pixels of this picture."""
        return max(round(size * self.unit), 1)
