"""Holds what a model promised against what came true: coverage, calibration, and what is asked.

It may import ``serving`` and ``contract``.
"""
