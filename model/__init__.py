"""The models: loads a folder, checks it, and returns a model that predicts.

It imports no web framework.
"""

from model.contract.card import (
    Card,
    ClassCard,
    ClusterCard,
    MultioutputCard,
    NumberCard,
    OutlierCard,
)
from model.contract.errors import ModelError
from model.contract.fields import Features
from model.contract.image_card import ImageCard
from model.contract.manifest import Manifest
from model.contract.pictures import Picture
from model.serving.explain import ShapleyValues
from model.serving.kinds import KINDS
from model.serving.kinds.classes import ClassModel
from model.serving.kinds.clusters import ClusterModel
from model.serving.kinds.multioutput import MultioutputModel
from model.serving.kinds.number import NumberModel
from model.serving.kinds.outliers import OutlierModel
from model.serving.kinds.pictures import PictureModel
from model.serving.loading import load_model, load_models, read_card
from model.serving.served_model import (
    ClassPrediction,
    ClusterPrediction,
    Explained,
    IceCurve,
    MultioutputPrediction,
    Neighbor,
    OutlierPrediction,
    PointPrediction,
    PredictionInterval,
    ServedModel,
)
from model.serving.tabular import TabularModel

__all__ = [
    "KINDS",
    "Card",
    "ClassCard",
    "ClassModel",
    "ClassPrediction",
    "ClusterCard",
    "ClusterModel",
    "ClusterPrediction",
    "Explained",
    "Features",
    "IceCurve",
    "ImageCard",
    "Manifest",
    "ModelError",
    "MultioutputCard",
    "MultioutputModel",
    "MultioutputPrediction",
    "Neighbor",
    "NumberCard",
    "NumberModel",
    "OutlierCard",
    "OutlierModel",
    "OutlierPrediction",
    "Picture",
    "PictureModel",
    "PointPrediction",
    "PredictionInterval",
    "ServedModel",
    "ShapleyValues",
    "TabularModel",
    "load_model",
    "load_models",
    "read_card",
]
