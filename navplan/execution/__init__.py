"""Plan in, trajectory out: ways of driving, order of passage, and the filter that keeps bodies apart."""
