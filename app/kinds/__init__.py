"""One adapter for each kind of model: what its pages show and what its JSON says.

It may import ``presentation`` and all rooms below it.
"""

from collections.abc import Callable
from typing import Any

from app.kinds.adapter import KindAdapter
from app.kinds.classes import ClassAdapter
from app.kinds.clusters import ClusterAdapter
from app.kinds.multioutput import MultioutputAdapter
from app.kinds.number import NumberAdapter
from app.kinds.outliers import OutlierAdapter
from app.kinds.pictures import PictureAdapter
from model.serving.served_model import ServedModel

KINDS: dict[str, Callable[[Any], KindAdapter[Any, Any]]] = {
    "number": NumberAdapter,
    "classes": ClassAdapter,
    "multioutput": MultioutputAdapter,
    "clusters": ClusterAdapter,
    "outliers": OutlierAdapter,
    "pictures": PictureAdapter,
}
"""The adapter of each kind of model, by the kind in its card."""


def make_adapter(model: ServedModel[Any, Any]) -> KindAdapter[Any, Any]:
    """Make the adapter of a model."""
    return KINDS[model.card.kind](model)
