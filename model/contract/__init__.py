"""What card and manifest say, how both are read, and how values are read and written.

It imports no other room.
"""
