"""What keeps one visitor from taking everything: rate limits, load shedding, upload budget.

It may import ``http`` and ``config``.
"""
