"""Estimators of the installed scikit-learn, made from a file that is read as inert data."""

from model.serving.estimators.contents import Refused, revive_all
from model.serving.estimators.errors import UnknownNameError
from model.serving.estimators.reviving import revive

__all__ = ["Refused", "UnknownNameError", "revive", "revive_all"]
