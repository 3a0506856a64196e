"""How well ranges and probabilities hold on public data, beside other methods.

`python -m tests.studies.honesty` prints the tables; it takes some minutes.
"""
