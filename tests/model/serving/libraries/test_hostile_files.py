"""Files of other libraries that were damaged or made to harm are refused in a sentence."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.contract.pickles import PickleError
from tests.model.serving.libraries.make_files import FILES
from tests.model.serving.libraries.reading import open_file

Edit = Callable[[dict[str, Any]], object]


def write_booster(path: Path, edit: Edit) -> Path:
    """Write XGBoost's file with a change in its first tree."""
    document = json.loads((FILES / "xgboost-dart.json").read_text())
    edit(document["learner"]["gradient_booster"]["gbtree"]["model"]["trees"][0])
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda tree: tree["left_children"].__setitem__(1, 0), "branches meet"),
        (lambda tree: tree["left_children"].__setitem__(1, 2), "branches meet"),
        (lambda tree: tree["right_children"].__setitem__(0, 10**6), "lead out"),
        (lambda tree: tree["right_children"].__setitem__(0, -7), "lead out"),
        (lambda tree: tree["split_conditions"].__setitem__(0, float("nan")), "not a number"),
        (lambda tree: tree["split_conditions"].__setitem__(-1, float("inf")), "not a number"),
        (lambda tree: tree["split_indices"].__setitem__(0, 99), "column that is not there"),
        (lambda tree: tree.update(split_indices=[0]), "lead out"),
        (lambda tree: tree.update(left_children="none"), "no whole model"),
        (lambda tree: tree["tree_param"].update(size_leaf_vector="3"), "no whole model"),
        (lambda tree: tree["tree_param"].update(size_leaf_vector="99999"), "no whole model"),
    ],
)
def test_trees_that_are_none_are_refused(edit: Edit, said: str, tmp_path: Path) -> None:
    """Cycles, branches out of the tree, splits at NaN, columns that are not there."""
    with pytest.raises(PickleError, match=said):
        open_file(write_booster(tmp_path / "model.json", edit))


def test_a_chain_that_is_far_too_deep_and_far_too_many_trees_are_refused(tmp_path: Path) -> None:
    """ONNX Runtime walks a tree by recursion, and each tree takes time."""
    deep = 5000

    def deepen(tree: dict[str, Any]) -> None:
        inner = list(range(deep))
        tree["left_children"] = [node + 1 for node in inner] + [-1] * (deep + 1)
        tree["right_children"] = [node + deep + 1 for node in inner] + [-1] * (deep + 1)
        for key in ("split_conditions", "split_indices", "default_left"):
            tree[key] = [0] * (2 * deep + 1)

    with pytest.raises(PickleError, match="far deeper"):
        open_file(write_booster(tmp_path / "deep.json", deepen))
    old = bytearray((FILES / "xgboost-0.90-poisson.model").read_bytes())
    place = 136 + 8 + len("count:poisson") + 8 + len("gbtree")
    old[place : place + 4] = struct.pack("<i", 10**6)
    (tmp_path / "many.model").write_bytes(old)
    with pytest.raises(PickleError, match="far more trees"):
        open_file(tmp_path / "many.model")


def test_nesting_without_end_is_refused(tmp_path: Path) -> None:
    """JSON and UBJSON."""
    (tmp_path / "deep.json").write_bytes(b'{"learner":' + b"[" * 100_000)
    key = b"L" + struct.pack(">q", 7) + b"learner"
    (tmp_path / "deep.ubj").write_bytes(b"{" + key + b"[" * 100_000)
    huge = b"[$d#L" + struct.pack(">q", 2**60)
    (tmp_path / "huge.ubj").write_bytes(b"{" + key + huge)
    for name in ("deep.json", "deep.ubj", "huge.ubj"):
        with pytest.raises(PickleError):
            open_file(tmp_path / name)


@pytest.mark.parametrize(
    "name",
    [
        "xgboost-three.ubj", "xgboost-categories.json", "xgboost-0.90-dart.model",
        "lightgbm-categories.txt", "xgboost-2.0-missing.pkl",
        "statsmodels-products.pkl", "skops-forest.skops",
    ],
)  # fmt: skip
def test_a_file_that_breaks_off_or_has_other_bytes_is_refused_or_read(
    name: str, tmp_path: Path
) -> None:
    """Nothing but a sentence comes of any cut or changed byte."""
    data = (FILES / name).read_bytes()
    rng = np.random.default_rng(0)
    path, refused = tmp_path / name, 0
    for _ in range(80):
        changed = bytearray(data)
        changed[int(rng.integers(len(data)))] = int(rng.integers(256))
        cut = int(rng.integers(len(data))) if rng.random() < 0.5 else len(data)
        path.write_bytes(changed[:cut])
        try:
            model = open_file(path)
        except PickleError:
            refused += 1
        else:
            assert model.n_features_in_ < 1_000_001
    assert refused > 25


def test_a_skops_file_that_promises_far_more_than_it_has_is_refused(tmp_path: Path) -> None:
    """An array of a terabyte, a value that nests without end, and another kind of value."""
    huge = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        huge, {"descr": "<f8", "fortran_order": False, "shape": (10**11,)}
    )
    array = {"__class__": "ndarray", "__module__": "numpy", "__loader__": "NdArrayNode"}
    nested: dict[str, Any] = {"__loader__": "JsonNode", "__module__": "", "__class__": ""}
    nested |= {"content": "1"}
    for _ in range(300):
        nested = {"__class__": "list", "__module__": "builtins", "content": [nested]}
        nested["__loader__"] = "ListNode"
    for number, schema in enumerate(
        [array | {"type": "numpy", "file": "a.npy"}, nested, {"__loader__": "MadeUpNode"}]
    ):
        path = tmp_path / f"{number}.skops"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.npy", huge.getvalue())
            archive.writestr("schema.json", json.dumps(schema))
        with pytest.raises(PickleError):
            open_file(path)
