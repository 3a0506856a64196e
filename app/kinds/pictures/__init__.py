"""The adapter for a model that answers a picture with one of two classes.

It may import ``app.kinds.payload`` and all rooms below ``kinds``.
"""
