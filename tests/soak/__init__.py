"""Load, slow clients and faults against a real server, and a report of its figures."""
