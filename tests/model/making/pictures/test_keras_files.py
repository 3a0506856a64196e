"""Files of Keras give what Keras itself answers; a file that is refused says what to do."""

import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from onnx import helper

from model.making import AddError
from model.making.looking.files import look
from model.making.pictures import opening
from model.making.pictures.keras import UnknownLayerError, convert_keras, read_keras
from model.serving.predictors import open_session

FILES = Path(__file__).parent / "keras_files"
NAMES = sorted(path.name for path in FILES.iterdir() if path.suffix in (".h5", ".keras"))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_answers_as_in_keras(name: str) -> None:
    """The answers are those of Keras 2 and Keras 3, see ``make_keras_files``."""
    model = convert_keras(read_keras(FILES / name))
    with np.load(FILES / f"{name}.npz") as kept:
        given, expected = kept["given"].astype(np.float32), kept["answers"]
    answers = open_session(model.SerializeToString()).run(None, {"input": given})[0]
    assert expected.std() > 1e-3
    assert np.abs(answers - expected).max() < 1e-5


def test_files_of_both_releases_are_among_them() -> None:
    assert {name.rpartition("_")[2] for name in NAMES} == {"2.h5", "3.h5", "3.keras"}


def test_looking_at_a_file_says_what_it_takes() -> None:
    found = look([FILES / "sequential_2.h5", FILES / "functional_3.keras"])
    assert found.servable
    assert "a model of Keras 2." in found.text
    assert "a picture of 24 × 24 pixels in colour (NHWC), as float32" in found.text
    assert "a picture of 21 × 25 pixels in colour" in found.text


def test_an_unknown_layer_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(FILES / "sequential_3.keras") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                config["config"]["layers"][3]["class_name"] = "Lambda"
                content = json.dumps(config).encode()
            new.writestr(name, content)
    with pytest.raises(UnknownLayerError, match="a layer of the kind Lambda"):
        convert_keras(read_keras(path))


def test_a_file_that_is_no_whole_model_says_what_to_do(tmp_path: Path) -> None:
    weights, text, archive = (tmp_path / name for name in ("w.h5", "t.h5", "a.keras"))
    with h5py.File(weights, "w") as file:
        file["dense/kernel:0"] = np.zeros((2, 2))
    text.write_text("no model")
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("notes.txt", "no model")
    cut = tmp_path / "cut.h5"
    cut.write_bytes((FILES / "sequential_2.h5").read_bytes()[:5000])
    for path, words in (
        (weights, "holds weights alone"),
        (text, "cannot be read as a model of Keras"),
        (archive, "no model of Keras 3"),
        (cut, "cannot be read as a model of Keras"),
    ):
        with pytest.raises(AddError, match=words):
            read_keras(path)


def test_a_network_of_a_table_is_told_how_it_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, answer = (helper.make_tensor_value_info(name, 1, [None, 8]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [rows], [answer])
    monkeypatch.setattr(opening, "convert_keras", lambda _: helper.make_model(graph))
    with pytest.raises(AddError, match=r"takes no pictures\. .* with its data in a CSV file"):
        opening.open_path(next(FILES.glob("*.keras")))
