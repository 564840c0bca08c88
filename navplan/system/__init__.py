"""The machine: files written whole or not at all, limits of memory, array types, registries of names."""
