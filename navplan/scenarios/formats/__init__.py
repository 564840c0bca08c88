"""Files of other tools, read and written, and the checks that every reader needs."""
