"""Parts of a model in several files → one fitted Pipeline on raw columns, proved on the data.

Parts are found by what they are. What they can mean together is tried on rows of the data, and the
same rows show whether any model answers as it should. It may import all of ``making`` but the
modules that add a model.
"""
