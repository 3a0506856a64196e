"""The door to the models: a folder goes in, a checked model comes out.

Nothing in this package knows about Flask.
"""

from model.contract.card import Card, Manifest
from model.contract.errors import ModelError
from model.contract.fields import Features
from model.contract.image_card import ImageCard
from model.contract.pictures import Picture
from model.serving.explained_predictor import Answer, Asking
from model.serving.image_classifier import Diagnosis, ImageModel, StrangePictureError
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
from model.serving.tabular_models import Classifier, Model, RowModel

__all__ = [
    "Answer",
    "AnyModel",
    "Asking",
    "Card",
    "Classification",
    "Classifier",
    "Diagnosis",
    "Features",
    "ImageCard",
    "ImageModel",
    "Interval",
    "Manifest",
    "Model",
    "ModelError",
    "Picture",
    "Prediction",
    "RowModel",
    "StrangePictureError",
    "check_model",
    "load_any_model",
    "load_classifier",
    "load_image_model",
    "load_model",
    "load_models",
]
