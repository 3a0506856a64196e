"""What each column of the data is, what its field is called, and which are computed or left out.

It may import ``data`` and ``steps``.
"""
