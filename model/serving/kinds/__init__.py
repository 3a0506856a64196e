"""The kinds of models, one class each, and the only place that lists them.

``KINDS`` names the class that loads and serves a folder, by the ``kind`` of its card.
"""

from typing import Any

from model.serving.kinds.classes import ClassModel
from model.serving.kinds.clusters import ClusterModel
from model.serving.kinds.multioutput import MultioutputModel
from model.serving.kinds.number import NumberModel
from model.serving.kinds.outliers import OutlierModel
from model.serving.kinds.pictures import PictureModel
from model.serving.served_model import ServedModel

KINDS: dict[str, type[ServedModel[Any, Any]]] = {
    "number": NumberModel,
    "classes": ClassModel,
    "multioutput": MultioutputModel,
    "clusters": ClusterModel,
    "outliers": OutlierModel,
    "pictures": PictureModel,
}
