"""Load, slow clients and faults against the real server, and a report of what it kept."""
