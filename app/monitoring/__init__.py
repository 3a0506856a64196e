"""Watches what was promised while the app runs: known truths, and counts of what is asked.

It may import ``feedback`` and all below it.
"""
