"""From a text to what a model of texts takes, without scikit-learn, and which words count.

Imports ``model.contract`` only.
"""
