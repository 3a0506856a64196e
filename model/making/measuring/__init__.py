"""What the rows show of a model: how good it is, which rows are alike, which facts matter.

It may import ``kinds``, ``rows`` and the rooms below them.
"""
