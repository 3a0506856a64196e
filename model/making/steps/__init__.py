"""What the fitted steps of an estimator tell of its columns.

It may import ``serving`` and ``contract``.
"""
