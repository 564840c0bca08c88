"""Robots: what they are, how they are stated, what they may do of a graph, and what a low level is told of them."""
