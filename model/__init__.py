"""The door to the models: a folder goes in, a checked model comes out.

Nothing in this package knows about Flask.
"""

from model.asking import Answer, Asking
from model.card import Card, Manifest
from model.checking import ModelError
from model.diagnosing import Diagnosis, ImageModel, StrangePictureError
from model.fields import Features
from model.image_card import ImageCard
from model.loading import (
    AnyModel,
    check_model,
    load_any_model,
    load_classifier,
    load_image_model,
    load_model,
    load_models,
)
from model.pictures import Picture
from model.prediction import Classification, Interval, Prediction
from model.row_models import Classifier, Model, RowModel

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
