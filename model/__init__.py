"""The door to the models: a folder goes in, a checked model comes out.

Nothing in this package knows about Flask.
"""

from model.asking import Answer, Asking
from model.card import Card, Manifest
from model.checking import ModelError
from model.fields import Features
from model.loading import Model, load_model, load_models
from model.prediction import Interval, Prediction

__all__ = [
    "Answer",
    "Asking",
    "Card",
    "Features",
    "Interval",
    "Manifest",
    "Model",
    "ModelError",
    "Prediction",
    "load_model",
    "load_models",
]
