"""Worlds and where they come from: mazes, generators, file formats, scenarios, environments, problem sets."""
