"""navplan's own recipe."""
