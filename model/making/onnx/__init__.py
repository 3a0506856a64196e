"""Fitted scikit-learn pipelines to ONNX, with every answer compared.

It may import ``serving`` and ``contract``.
"""
