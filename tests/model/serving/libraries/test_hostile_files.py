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

from model.contract.pickles import PickleError, Record
from model.serving.estimators import revive
from model.serving.libraries.ubjson import read_ubjson
from model.serving.libraries.xgboost_models import read_xgboost
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


LIGHTGBM = (FILES / "lightgbm-root.txt").read_text()
BY_CATEGORY = (FILES / "lightgbm-categories.txt").read_text()


@pytest.mark.parametrize(
    ("text", "old", "new", "said"),
    [
        (LIGHTGBM, "objective=regression sqrt", "objective=lambdarank", "ranks rows among each"),
        (LIGHTGBM, "objective=regression sqrt", "objective=rank_xendcg", "ranks rows among each"),
        (LIGHTGBM, "objective=regression sqrt", "objective=own", "objective own is not known"),
        (LIGHTGBM, "tree_per_iteration=1", "tree_per_iteration=2", "It answers 2 numbers"),
        (LIGHTGBM, "objective=regression sqrt", "objective=multiclass", "It answers 1 numbers"),
        (LIGHTGBM, "is_linear=0", "is_linear=1", "Its leaves are linear models"),
        (LIGHTGBM, "\nend of trees", "\n", "it breaks off"),
        (LIGHTGBM, "feature_names=age income", "feature_names=age", "no whole model of LightGBM"),
        (LIGHTGBM, "max_feature_idx=2", "max_feature_idx=-1", "takes no columns"),
        (LIGHTGBM, "max_feature_idx=2", "max_feature_idx=1000000", "or far too many"),
        (LIGHTGBM, "max_feature_idx=2", "max_feature_idx=1", "a column that is not there"),
        (LIGHTGBM, "num_leaves=6", "num_leaves=5", "no whole model of LightGBM"),
        (LIGHTGBM, "num_leaves=6", "num_leaves=7", "no whole model of LightGBM"),
        (BY_CATEGORY, "num_cat=1", "num_cat=0", "no whole model of LightGBM"),
    ],
)
def test_a_text_of_lightgbm_that_no_page_can_show_is_refused(
    text: str, old: str, new: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.txt"
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(PickleError, match=said):
        open_file(path)


def test_a_text_of_lightgbm_with_an_objective_of_its_own_answers_the_plain_sum(
    tmp_path: Path,
) -> None:
    path = tmp_path / "model.txt"
    row = np.array([[30, 20, 2.0]])
    path.write_text(LIGHTGBM)
    squared = open_file(path).predict(row)
    path.write_text(LIGHTGBM.replace("objective=regression sqrt\n", ""))
    assert open_file(path).predict(row) == pytest.approx(squared**0.5)


def own(library: str, name: str, **state: Any) -> Record:
    return Record(f"{library}.{name}", state=state)


def lightgbm_booster(text: str = LIGHTGBM, **state: Any) -> Record:
    return own("lightgbm.basic", "Booster", handle=text, **state)


XGBOOST = (FILES / "xgboost-three.json").read_bytes()


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (own("lightgbm.sklearn", "LGBMRegressor"), "LGBMRegressor was never fitted"),
        (own("lightgbm.sklearn", "LGBMRegressor", _Booster=1), "LGBMRegressor was never fitted"),
        (own("lightgbm.basic", "Booster"), "Booster was never fitted"),
        (own("lightgbm.basic", "Booster", handle=1), "Booster was never fitted"),
        (
            own("lightgbm.sklearn", "LGBMClassifier", _Booster=lightgbm_booster()),
            "LGBMClassifier has an objective that gives no probabilities",
        ),
        (own("xgboost.sklearn", "XGBRegressor"), "XGBRegressor was never fitted"),
        (own("xgboost.core", "Booster"), "Booster was never fitted"),
        (own("xgboost.core", "Booster", handle="text"), "Booster was never fitted"),
    ],
)
def test_a_booster_that_was_never_fitted_is_refused(record: Record, said: str) -> None:
    with pytest.raises(PickleError, match=said):
        revive(record)


def test_a_booster_in_a_pickle_stops_at_its_best_round() -> None:
    row = np.array([[30, 20, 2.0]])
    every = revive(lightgbm_booster()).predict(row)
    for best in (0, -1, None, 4):
        assert revive(lightgbm_booster(best_iteration=best)).predict(row) == every
    model = revive(own("lightgbm.sklearn", "LGBMRegressor", _Booster=lightgbm_booster()))
    assert model.predict(row) == every
    ends = [revive(lightgbm_booster(best_iteration=best)) for best in (1, 2, 3)]
    assert [len(model.roots_) for model in ends] == [1, 2, 3]


def edit_xgboost(*edits: Callable[[Any], object], name: str = "xgboost-three.json") -> bytes:
    document = json.loads((FILES / name).read_text())
    for edit in edits:
        edit(document["learner"])
    return json.dumps(document).encode()


def put(path: str, value: object) -> Edit:
    """Set what stands at a path of keys in the learner."""
    *keys, last = path.split("/")

    def edit(learner: dict[str, Any]) -> None:
        for key in keys:
            learner = learner[key]
        learner[last] = value

    return edit


LINEAR = "xgboost-linear.json"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (edit_xgboost(put("objective/name", "rank:pairwise")), "ranks rows among each other"),
        (edit_xgboost(put("objective/name", "own")), "objective own is not known"),
        (edit_xgboost(put("objective/name", "binary:logistic")), "It answers 3 times yes or no"),
        (edit_xgboost(put("objective/name", "reg:squarederror")), "It answers 3 quantiles"),
        (edit_xgboost(put("learner_model_param/base_score", "nan")), "no whole model"),
        (edit_xgboost(put("learner_model_param/base_score", "[1, 2]")), "no whole model"),
        (edit_xgboost(put("gradient_booster/model/tree_info", [0])), "no whole model"),
        (edit_xgboost(put("gradient_booster/model/tree_info", [3] * 99)), "no whole model"),
        (edit_xgboost(put("gradient_booster/model/tree_info", [-1] * 99)), "no whole model"),
        (edit_xgboost(put("learner_model_param/num_feature", "0")), "takes no columns"),
        (edit_xgboost(put("gradient_booster/weight_drop", [1.0])), "no whole model"),
        (
            edit_xgboost(put("gradient_booster/model/weights", [1.0]), name=LINEAR),
            "no whole model",
        ),
        (
            edit_xgboost(
                put("objective/quantile_loss_param", {"quantile_alpha": "[0.1, 0.9]"}),
                name="xgboost-dart.json",
            ),
            "It answers 2 quantiles",
        ),
        (b"{", "no whole model"),
        (b"{}", "no whole model"),
        (b"binf", "breaks off|no whole model|damaged"),
    ],
)
def test_a_model_of_xgboost_that_no_page_can_show_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(PickleError, match=said):
        revive(read_xgboost(data))


@pytest.mark.parametrize("category", [-1, 2**26])
def test_categories_that_no_booster_has_are_refused(category: int) -> None:
    def edit(learner: dict[str, Any]) -> None:
        booster = learner["gradient_booster"]
        trees = booster.get("gbtree", booster)["model"]["trees"]
        tree = next(tree for tree in trees if tree["categories"])
        tree["categories"][0] = category

    with pytest.raises(PickleError, match="far more categories than a booster has"):
        revive(read_xgboost(edit_xgboost(edit, name="xgboost-categories.json")))


@pytest.mark.parametrize(
    ("state", "rounds"),
    [
        ({}, None),
        ({"best_ntree_limit": 2}, 2),  # rounds of three trees were told by their number
        ({"best_iteration": 1}, 2),
        ({"best_iteration": 99}, None),
        ({"best_iteration": None}, None),
    ],
)
def test_a_pickle_of_xgboost_stops_at_its_best_round(
    state: dict[str, Any], rounds: int | None
) -> None:
    data = edit_xgboost(put("attributes", {}))
    booster = own("xgboost.core", "Booster", handle=data)
    model = revive(own("xgboost.sklearn", "XGBClassifier", _Booster=booster, **state))
    every = len(revive(booster).roots_)
    assert len(model.roots_) == (every if rounds is None else 3 * rounds)


def test_a_classifier_of_an_objective_without_probabilities_is_refused() -> None:
    gamma = edit_xgboost(put("objective/name", "reg:gamma"), name="xgboost-dart.json")
    booster = own("xgboost.core", "Booster", handle=gamma)
    with pytest.raises(PickleError, match="fitted with the objective reg:gamma, which gives no"):
        revive(own("xgboost.sklearn", "XGBClassifier", _Booster=booster))


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"Z", None),
        (b"T", True),
        (b"F", False),
        (b"SU\x02ab", "ab"),
        (b"Ca", "a"),
        (b"i\xff", -1),
        (b"I\x01\x00", 256),
        (b"l\x00\x00\x00\x07", 7),
        (b"d\x3f\xc0\x00\x00", 1.5),
        (b"[i\x01SU\x01aZ]", [1, "a", None]),
        (b"[#U\x02TF", [True, False]),
        (b"[]", []),
        (b"{U\x01ai\x05U\x01b[]}", {"a": 5, "b": []}),
        (b"[" * 63 + b"]" * 63, None),
    ],
)
def test_binary_json_reads_as_its_values(data: bytes, value: object) -> None:
    found = read_ubjson(data)
    assert found == value or (value is None and isinstance(found, list))
    assert read_ubjson(b"[$I#U\x02\x00\x01\xff\xff").tolist() == [1, -1]


@pytest.mark.parametrize(
    "data",
    [b"", b"SU\x02a", b"SU", b"Sd\x3f\xc0\x00\x00", b"?", b"Si\xff", b"[#i\x02T", b"[$I!U\x00",
     b"[$I#i\xff", b"[$I#U\x02\x00", b"[T", b"{U\x01a", b"SU\x01\xff", b"[$S#U\x00"],
)  # fmt: skip
def test_damaged_binary_json_is_refused(data: bytes) -> None:
    with pytest.raises(PickleError, match="breaks off or holds odd values"):
        read_ubjson(data)


def test_binary_json_nests_64_deep() -> None:
    assert read_ubjson(b"[" * 64 + b"]" * 64)
    with pytest.raises(PickleError, match="more than 64 deep"):
        read_ubjson(b"[" * 65 + b"]" * 65)


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
