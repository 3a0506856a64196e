"""The models: loads a folder, checks it, and returns a model that predicts.

It imports no web framework.
"""

from model.contract.card import Card, NumberCard
from model.contract.errors import ModelError
from model.contract.fields import Features
from model.contract.pictures import Picture
from model.serving.kinds import KINDS
from model.serving.kinds.classes import ClassModel
from model.serving.kinds.clusters import ClusterModel
from model.serving.kinds.multioutput import MultioutputModel
from model.serving.kinds.number import NumberModel
from model.serving.kinds.outliers import OutlierModel
from model.serving.kinds.pictures import PictureModel
from model.serving.loading import load_model, load_models, read_card
from model.serving.served_model import ClassPrediction, ServedModel

__all__ = [
    "KINDS",
    "Card",
    "ClassModel",
    "ClassPrediction",
    "ClusterModel",
    "Features",
    "ModelError",
    "MultioutputModel",
    "NumberCard",
    "NumberModel",
    "OutlierModel",
    "Picture",
    "PictureModel",
    "ServedModel",
    "load_model",
    "load_models",
    "read_card",
]
