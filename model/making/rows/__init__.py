"""The rows of the data as the model takes them: which are kept, held out, or lack facts.

It may import ``columns`` and the rooms below it.
"""
