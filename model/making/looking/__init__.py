"""What is in somebody's files, in words for people.

It may import ``assembly``, ``pictures`` and the rooms below them.
"""
