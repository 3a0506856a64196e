"""The models: loads a folder, checks it, and returns a model that predicts.

It imports no web framework.
"""

from model.contract.card import Card
from model.contract.errors import ModelError
from model.contract.fields import Features
from model.contract.image_card import ImageCard
from model.contract.manifest import Manifest
from model.contract.pictures import Picture
from model.serving.explained_predictor import ExplainedPrediction, ExplainedPredictor
from model.serving.image_classifier import (
    ImageClassification,
    ImageClassifier,
    OutOfDistributionError,
)
from model.serving.loading import AnyModel, check_model, load_as, load_model, load_models
from model.serving.prediction import Classification, Interval, Prediction
from model.serving.tabular_models import Classifier, Regressor, TabularModel

__all__ = [
    "AnyModel",
    "Card",
    "Classification",
    "Classifier",
    "ExplainedPrediction",
    "ExplainedPredictor",
    "Features",
    "ImageCard",
    "ImageClassification",
    "ImageClassifier",
    "Interval",
    "Manifest",
    "ModelError",
    "OutOfDistributionError",
    "Picture",
    "Prediction",
    "Regressor",
    "TabularModel",
    "check_model",
    "load_as",
    "load_model",
    "load_models",
]
