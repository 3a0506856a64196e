"""One adapter for each kind of model: what its pages show and what its JSON says.

It may import ``presentation`` and all rooms below it.
"""
