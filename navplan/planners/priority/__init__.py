"""One agent after another over reserved safe intervals: prioritized, PBS, LNS."""
