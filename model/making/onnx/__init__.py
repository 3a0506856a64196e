"""Fitted scikit-learn estimators to ONNX, with every answer compared.

It may import ``serving`` and ``contract``.
"""
