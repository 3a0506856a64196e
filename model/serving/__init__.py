"""Loads a model's folder, checks it, and predicts rows or pictures with explanations.

It may import ``contract`` alone.
"""
