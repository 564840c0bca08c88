"""One agent alone."""
