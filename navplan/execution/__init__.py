"""Plan in, trajectory out: controllers, order of passage, and the filter that keeps bodies apart."""
