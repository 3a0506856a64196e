"""Card and manifest: what a model asks and predicts; reads, validates and formats values.

It imports no other room.
"""
