"""XGBoost's old binary form: what it wrote until 3.0, and what pickles of before 2.1 hold.

The structs are those of ``learner.cc``, ``gbtree_model.h`` and ``tree_model.h``, little-endian.
"""

import json
import struct

import numpy as np

from model.contract.pickles import PickleError
from model.serving.libraries.trees import MOST_TREES, AnyArray, TreeArrays
from model.serving.libraries.xgboost_content import XGBoostModel

_CONFIG = b"CONFIG-offset:"
"""What pickles of 1.0 to 1.2 begin with; the place of their settings follows."""
_LEARNER = struct.Struct("<fIiiiII27i")
_GBTREE = struct.Struct("<4iq2i32i")
_TREE = struct.Struct("<6i31i")
_GBLINEAR = struct.Struct("<Ii32i")
_NODE = np.dtype(
    [("parent", "<i4"), ("left", "<i4"), ("right", "<i4"), ("split", "<u4"), ("value", "<f4")]
)
_STATISTICS = 16
"""Bytes of a node's statistics."""
_LEFT = 1 << 31
"""The bit of the column's number that says where a missing value goes."""


class _Bytes:
    """Bytes that are taken one after another, and never more than there are."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        if not 0 <= count <= len(self._data) - self._at:
            raise PickleError("The file is damaged: it breaks off.")
        self._at += count
        return self._data[self._at - count : self._at]

    def unpack(self, layout: struct.Struct) -> tuple[float, ...]:
        return layout.unpack(self.take(layout.size))

    def count(self) -> int:
        return int.from_bytes(self.take(8), "little")

    def text(self) -> str:
        return self.take(self.count()).decode()

    def array(self, dtype: np.dtype[np.void] | str, count: int) -> AnyArray:
        kind = np.dtype(dtype)
        return np.frombuffer(self.take(kind.itemsize * count), kind)

    @property
    def is_empty(self) -> bool:
        return self._at == len(self._data)


def read_binary(data: bytes) -> XGBoostModel:
    """Read a model in the old binary form.

    Raises:
        PickleError: if it is none, or is damaged.
    """
    if data.startswith(_CONFIG):
        start = len(_CONFIG) + 8
        end = start + int.from_bytes(data[len(_CONFIG) : start], "little")
        data = data[start:end]
    source = _Bytes(data[4:] if data.startswith(b"binf") else data)
    base, features, classes, extra, _, major, minor, *_ = source.unpack(_LEARNER)
    objective, booster = source.text(), source.text()
    model = XGBoostModel(
        objective,
        [base],
        max(int(classes), 1),
        int(features),
        base_is_margin=major < 1,  # 1.0 and later write the answer, and say their version
        version=(int(major), int(minor)),
    )
    if booster == "gblinear":
        source.unpack(_GBLINEAR)
        model.coefficients = source.array("<f4", source.count()).astype(float)
    elif booster in ("gbtree", "dart"):
        _read_trees(source, model, booster == "dart")
    else:
        raise PickleError("It is no whole model of XGBoost.")
    if extra and not source.is_empty:
        for _ in range(source.count()):
            key = source.text()  # an empty rest ends it: each entry takes 16 bytes
            model.attributes[key] = source.text()
    if "objective" in model.attributes:
        kept = json.loads(model.attributes["objective"])
        model.objective = str(kept.get("name", objective))
    return model


def _read_trees(source: _Bytes, model: XGBoostModel, is_dart: bool) -> None:
    count, parallel, *_ = (int(number) for number in source.unpack(_GBTREE))
    if not 0 <= count <= MOST_TREES:
        raise PickleError("It has far more trees than a booster has.")
    per_round = model.outputs * max(parallel, 1)
    model.ends = range(per_round, count + 1, per_round)
    for _ in range(count):
        roots, nodes, _, _, _, leaf_size, *_ = source.unpack(_TREE)
        if roots > 1 or leaf_size > 1:
            raise PickleError("Its trees answer several numbers each, or have several roots.")
        table = source.array(_NODE, int(nodes))
        source.take(_STATISTICS * int(nodes))
        model.trees.append(_make_tree(table))
    model.groups = source.array("<i4", count).tolist()
    if is_dart and count:
        weights = source.array("<f4", source.count())
        if len(weights) != count:
            raise PickleError("The file is damaged: its trees lack weights.")
        for tree, weight in zip(model.trees, weights, strict=True):
            tree.value = tree.value * weight


def _make_tree(table: AnyArray) -> TreeArrays:
    value = table["value"]
    return TreeArrays(
        (table["split"] & (_LEFT - 1)).astype(np.int64),
        value,
        table["left"].astype(np.int64),
        table["right"].astype(np.int64),
        (table["split"] & _LEFT) != 0,
        np.where(table["left"] < 0, value, np.float32(0)),
        {},
    )
