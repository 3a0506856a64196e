"""A model to add, out of any kind of file, in the form in which it is served.

It may import ``kinds``, ``onnx``, ``rows`` and the rooms below them.
"""
