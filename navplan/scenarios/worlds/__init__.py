"""Maps as occupancy grids or polygons, and how they are drawn and measured."""
