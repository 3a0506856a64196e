"""The files of an added model's folder, and what is said of it when they are there.

It may import ``measuring`` and the rooms below it.
"""
