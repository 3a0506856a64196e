"""Estimators of the installed scikit-learn, made from a file that is read as inert data."""

from model.serving.estimators.errors import UnknownNameError
from model.serving.estimators.reviving import revive

__all__ = ["UnknownNameError", "revive"]
