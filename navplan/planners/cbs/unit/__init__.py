"""CBS on graphs whose moves all cost 1: pairs of agents, decision diagrams, corridors."""
