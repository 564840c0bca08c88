"""Large-neighbourhood search over reserved paths."""
