"""Pictures and a window: draws the world, the graph, the plan and the agents it is given, and knows nothing of planning."""
