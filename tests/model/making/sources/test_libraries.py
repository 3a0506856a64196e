"""Models of other libraries are looked at, added and served without these libraries."""

from __future__ import annotations

import io
import json
import shutil
import sys
import zipfile
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.feature_extraction import DictVectorizer

from app import create_app
from app.config import Settings
from model.making.errors import AddError
from model.making.looking.files import look
from model.making.sources.file_contents import advise_content, name_content
from model.making.sources.library_files import restore_blanks
from model.making.sources.model_folders import open_model_folder
from tests.model.making.conftest import run
from tests.model.serving.libraries.make_files import CITIES, COLUMNS, FILES, SHOWN, make_rows
from tests.model.serving.libraries.reading import open_file

MLMODEL = """flavors:
  python_function:
    data: model.json
    loader_module: mlflow.xgboost
  xgboost:
    data: model.json
    model_class: xgboost.core.Booster
signature:
  inputs: '[{"type": "double", "name": "age", "required": true}, {"type": "double",
    "name": "income", "required": true}, {"type": "double", "name": "visit''s", "required":
    true}]'
  outputs: '[{"type": "tensor"}]'
"""


def write_folder(folder: Path) -> Path:
    """Write what MLflow writes for a booster."""
    folder.mkdir()
    (folder / "MLmodel").write_text(MLMODEL)
    shutil.copy(FILES / "xgboost-three.json", folder / "model.json")
    return folder


def test_a_booster_in_a_folder_of_mlflow_answers_rows_with_holes_as_its_library_did(
    tmp_path: Path,
) -> None:
    """All 40 rows of the API, within float32."""
    table = make_rows(600, 0)
    table["level"] = np.digitize(table["truth"], [4, 8])
    table[[*COLUMNS[:3], "level"]].to_csv(tmp_path / "data.csv", index=False)
    root = tmp_path / "models"
    root.mkdir()
    folder = write_folder(tmp_path / "booster")
    options = ["--name", "levels", "--data", tmp_path / "data.csv", "--target", "level"]
    added = run("add", folder, *options, "--models", root, "--yes")
    assert added.exit_code == 0, added.output
    assert "Served: as ONNX, compiled and compared" in added.output
    client = create_app(Settings(models=("levels",), ratelimit="off"), models=root).test_client()
    expected = json.loads((FILES / "answers.json").read_text())["xgboost-three.json"]
    for row, probabilities in zip(make_rows(SHOWN, 1)[COLUMNS[:3]].values, expected, strict=True):
        facts = {
            name: value
            for name, value in zip(COLUMNS[:3], row.tolist(), strict=True)
            if value == value
        }
        answer = client.post("/api/predict", json=facts).get_json()
        assert answer["label"] == str(int(np.argmax(probabilities)))
        given = list(answer["probabilities"].values())
        np.testing.assert_allclose(given, probabilities, atol=2e-6)
    assert not {"xgboost", "mlflow", "yaml"} & set(sys.modules)


def test_a_folder_says_its_model_and_its_columns(tmp_path: Path) -> None:
    """MLflow's and Hugging Face's, and a folder with one file."""
    found = open_model_folder(write_folder(tmp_path / "mlflow"))
    assert (found.file.name, found.columns) == ("model.json", ("age", "income", "visit's"))
    text = look([tmp_path / "mlflow"]).text
    assert "An MLflow model; its file is model.json." in text
    assert "Classes: 3: 0, 1, 2." in text
    face = tmp_path / "face"
    face.mkdir()
    shutil.copy(FILES / "skops-forest.skops", face / "forest.skops")
    assert open_model_folder(face).file.name == "forest.skops"
    (face / "other.pkl").write_bytes(b"")
    with pytest.raises(AddError, match=r"not clear which of its files .* forest.skops, other.pkl"):
        open_model_folder(face)
    (face / "README.md").write_text("---\ntags: a\nmodel_file: forest.skops\n---\n# A")
    assert open_model_folder(face).file.name == "forest.skops"
    sklearn = {"columns": ["b", "a"], "model": {"file": "other.pkl"}}
    (face / "config.json").write_text(json.dumps({"sklearn": sklearn}))
    found = open_model_folder(face)
    assert (found.file.name, found.columns) == ("other.pkl", ("b", "a"))


@pytest.mark.parametrize("name", ["xgboost-two.json", "xgboost-leaves.ubj"])
def test_a_booster_of_two_numbers_answers_both_as_its_library_did(
    tmp_path: Path, name: str
) -> None:
    """A tree for each number, and trees with both in each leaf."""
    table = make_rows(600, 0)
    table["first"], table["second"] = table["truth"], table["age"] / 9 - table["truth"]
    table[[*COLUMNS[:3], "first", "second"]].to_csv(tmp_path / "data.csv", index=False)
    options = ["--name", "two", "--data", tmp_path / "data.csv", "--target", "first,second"]
    added = run("add", FILES / name, *options, "--models", tmp_path)
    assert added.exit_code == 0, added.output
    assert "Served: as ONNX, compiled and compared" in added.output
    client = create_app(Settings(models=("two",), ratelimit="off"), models=tmp_path).test_client()
    rows = make_rows(SHOWN, 1)[COLUMNS[:3]].astype(object)
    answers = client.post(
        "/api/predict", json=rows.where(rows.notna(), None).to_dict("records")
    ).get_json()
    found = [[a["outputs"][n]["prediction"] for n in ("first", "second")] for a in answers]
    expected = json.loads((FILES / "answers.json").read_text())[name]
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("given", ["a pipeline", "a step and a model", "an encoder and a model"])
def test_what_a_sparse_matrix_leaves_out_is_missing_to_xgboost(tmp_path: Path, given: str) -> None:
    """Also the numbers that are 0. ONNX and the dummies of a form have each of them as 0."""
    table = make_rows(600, 0)
    table.to_csv(tmp_path / "data.csv", index=False)
    first = open_file(FILES / "xgboost-sparse.pkl").steps[0][1]
    part = first.named_transformers_["onehotencoder"] if "encoder" in given else first
    joblib.dump(part, tmp_path / "step.joblib")
    parts = [FILES / "xgboost-sparse.json", tmp_path / "step.joblib", "--yes"]
    options = ["--name", "sparse", "--data", tmp_path / "data.csv", "--target", "truth"]
    files = [FILES / "xgboost-sparse.pkl"] if given == "a pipeline" else parts
    added = run("add", *files, *options, "--models", tmp_path)
    assert added.exit_code == 0, added.output
    assert "Served: as ONNX, compiled and compared" in added.output
    assert ("leaves out taken as missing" in added.output) == (given != "a pipeline")
    app = create_app(Settings(models=("sparse",), ratelimit="off"), models=tmp_path)
    rows = make_rows(SHOWN, 1)[COLUMNS].astype(object)
    answers = app.test_client().post(
        "/api/predict", json=rows.where(rows.notna(), None).to_dict("records")
    )
    found = [answer["prediction"] for answer in answers.get_json()]
    expected = json.loads((FILES / "answers.json").read_text())["xgboost-sparse.json"]
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)


def test_a_dict_vectorizer_leaves_out_dummies_and_keeps_numbers_that_are_0(tmp_path: Path) -> None:
    make_rows(600, 0).to_csv(tmp_path / "data.csv", index=False)
    vectorizer = DictVectorizer(sort=False)
    vectorizer.fit([*({"city": city} for city in CITIES), dict.fromkeys(COLUMNS[:3], 1)])
    joblib.dump(vectorizer, tmp_path / "names.joblib")
    files = [FILES / "xgboost-sparse.json", tmp_path / "names.joblib"]
    options = ["--name", "sparse", "--data", tmp_path / "data.csv", "--target", "truth", "--yes"]
    added = run("add", *files, *options, "--models", tmp_path)
    assert added.exit_code == 0, added.output
    app = create_app(Settings(models=("sparse",), ratelimit="off"), models=tmp_path)
    facts = [{"age": age, "income": 0, "visits": 3, "city": "Rome"} for age in range(18, 80)]
    answers = app.test_client().post("/api/predict", json=facts).get_json()
    model = open_file(FILES / "xgboost-sparse.json")
    rows = np.array([[np.nan, np.nan, 1, fact["age"], 0, 3] for fact in facts])
    expected = model.predict(rows)
    np.testing.assert_allclose([each["prediction"] for each in answers], expected, rtol=1e-5)
    rows[:, 4] = np.nan
    assert (model.predict(rows) != expected).all()


def test_names_with_blanks_are_found_again_where_only_one_column_fits(tmp_path: Path) -> None:
    """LightGBM writes an underscore for a blank, and would ask for a column that is not there."""
    text = (FILES / "lightgbm-categories.txt").read_text()
    text = text.replace("=age income visits city", "=my_age income n city")
    (tmp_path / "a.txt").write_text(text)
    fitted = open_file(tmp_path / "a.txt")
    columns = ["my age", "income", "n", "city"]
    assert restore_blanks(fitted, [*columns, "my_age"]) == {}
    assert restore_blanks(fitted, columns[1:]) == {}
    assert restore_blanks(fitted, columns) == {"my_age": "my age"}
    table = make_rows(SHOWN, 1).astype({"city": object})[COLUMNS]
    table.columns = columns
    expected = json.loads((FILES / "answers.json").read_text())["lightgbm-categories.txt"]
    np.testing.assert_allclose(fitted.predict(table), expected)


def test_a_folder_cannot_lead_out_of_itself(tmp_path: Path) -> None:
    (tmp_path / "secret.pkl").write_bytes(b"")
    folder = write_folder(tmp_path / "mlflow")
    (folder / "MLmodel").write_text(MLMODEL.replace("model.json", "../secret.pkl"))
    assert open_model_folder(folder).file == folder / "model.json"
    (folder / "model.json").unlink()
    with pytest.raises(AddError, match="no model is in there"):
        open_model_folder(folder)


def test_code_around_a_model_of_mlflow_is_not_left_out_in_silence(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "mlflow")
    text = "    artifacts:\n      model:\n        path: model.json\n    python_model: code.pkl\n"
    (folder / "MLmodel").write_text(f"flavors:\n  python_function:\n{text}")
    with pytest.raises(AddError, match=r"own code .*, which may be .*model\.json\. Else write"):
        open_model_folder(folder)
    text = text.replace("code.pkl", "null")
    (folder / "MLmodel").write_text(f"flavors:\n  python_function:\n{text}")
    assert open_model_folder(folder).file == folder / "model.json"


def test_a_pipeline_of_spacy_is_named(tmp_path: Path) -> None:
    for name in ("config.cfg", "meta.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(AddError, match=r"a pipeline of spaCy\. Write a class"):
        open_model_folder(tmp_path)


def test_python_code_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    path.write_text("def score(row): return 1")
    assert "--module FILE.py" in look([path]).text


def _zip_schema(text: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("schema.json", text)
    return written.getvalue()


@pytest.mark.parametrize(
    ("data", "advice"),
    [
        (b"CBM1" + bytes(40), "format='onnx'"),
        (b'{"features_info":{"float_features":[]}}', "format='onnx'"),
        (b"\xba\x16O/\0", "If another library wrote it"),
        (b'{"ctr_data":{}}', "format='onnx'"),
        (b"(\xb5/\xfd", "Unpack it"),
        (b"\x93NUMPY", "joblib.dump"),
        (b"<?xml version='1.0'?><PMML/>", "joblib.dump"),
        (b"X\n\0\0\0\3\0\4\5\2", "xgb.save"),
        (bytes(4) + b"TFL3", "model.keras"),
        (_zip_schema("{}"), "joblib.dump"),
    ],
)
def test_what_is_not_read_is_named_with_the_line_that_exports_it(
    data: bytes, advice: str, tmp_path: Path
) -> None:
    path = tmp_path / "model"
    path.write_bytes(data)
    assert advice in advise_content(name_content(path))
    assert advice in look([path]).text


def test_look_says_what_each_file_is() -> None:
    """Inputs and classes as the files have them."""
    for name, said in {
        "xgboost-three.ubj": "An XGBoost model in UBJSON.",
        "xgboost-0.90-dart.model": "An XGBoost model in its old binary form.",
        "lightgbm-categories.txt": "Inputs: 4, by name: age, income, visits, city.",
        "xgboost-0.90-classes.pkl": "Classes: 3: high, low, middle.",
        "statsmodels-products.pkl": "Inputs: 3, by name: city, age, income.",
        "statsmodels-table.pkl": "Inputs: 3, by name: age, income, visits.",
        "skops-forest.skops": "A skops file, saved by scikit-learn 1.",
    }.items():
        found = look([FILES / name])
        assert said in found.text
        assert found.servable
