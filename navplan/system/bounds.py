"""The bounds that every reader of files keeps: what a file may make the machine do, however few bytes it has itself."""

from __future__ import annotations

MAX_BYTES = 1 << 30
"""Of a file that is read whole."""
MAX_STREAM = 1 << 26
"""Of a pipe or a device, whose length nobody knows before."""
MAX_SETTINGS = 1 << 20
"""Of a file of settings, which people write: such as TOML of training."""
MAX_YAML = 1 << 16
"""Of a YAML file: its parser takes a second for a megabyte of plain text, but for a tenth of that in brackets."""
MAX_DEPTH = 64
"""Of brackets within brackets, tables within tables."""
MAX_EXPANDED = 1 << 27
"""Bytes that the arrays of an archive may take up together; of a large archive `MAX_RATIO` times its length."""
MAX_RATIO = 64
"""What compression may save: contacts of a thousand agents that never touch shrink to a fiftieth of all that is recorded."""
MAX_CELLS = 1 << 24
"""Of a map, 4096 x 4096: a scale, header or size that asks for more is a mistake."""
MAX_SQUARES = 1 << 20
"""Of a grid that a file asks for without holding its cells: laid over polygons, generated, or given by its sides."""
MAX_OUTLINE = 1 << 17
"""Cells of outline of all polygons together over which a grid is laid."""
