"""The door to the models: a folder goes in, a checked model comes out.

Nothing in this package knows about Flask.
"""

from model.contract.card import Card, Manifest
from model.contract.errors import ModelError
from model.contract.fields import Features
from model.contract.image_card import ImageCard
from model.contract.pictures import Picture
from model.serving.explained_predictor import ExplainedPrediction, ExplainedPredictor
from model.serving.image_classifier import (
    ImageClassification,
    ImageClassifier,
    OutOfDistributionError,
)
from model.serving.loading import (
    AnyModel,
    check_model,
    load_any_model,
    load_classifier,
    load_image_model,
    load_model,
    load_models,
)
from model.serving.prediction import Classification, Interval, Prediction
from model.serving.tabular_models import Classifier, Regressor, TabularModel

__all__ = [
    "ExplainedPrediction",
    "AnyModel",
    "ExplainedPredictor",
    "Card",
    "Classification",
    "Classifier",
    "ImageClassification",
    "Features",
    "ImageCard",
    "ImageClassifier",
    "Interval",
    "Manifest",
    "Regressor",
    "ModelError",
    "Picture",
    "Prediction",
    "TabularModel",
    "OutOfDistributionError",
    "check_model",
    "load_any_model",
    "load_classifier",
    "load_image_model",
    "load_model",
    "load_models",
]
