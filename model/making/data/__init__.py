"""A person's data as a table: every format, and cells as people write them.

It may import the errors and options of ``making``.
"""
