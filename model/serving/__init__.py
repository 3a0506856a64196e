"""From a model's folder to a checked model that answers rows or pictures, with its reasons.

It may import ``contract`` alone.
"""
