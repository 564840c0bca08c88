"""Bodies that move: steps, obstacles, passage, avoidance, and the cheapest drive on a known map."""
