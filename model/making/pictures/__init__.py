"""From a network and the pictures of its classes to a model's folder.

It may import the modules of ``making`` that know nothing of rows.
"""
