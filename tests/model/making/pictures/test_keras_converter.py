"""Models of Keras that a Python with TensorFlow and tf2onnx converts: `KERAS_PYTHON` names one."""

import json
import os
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from model import PictureModel, load_model
from model.making import AddError, AddOptions
from model.making.pictures import keras_environment
from model.making.pictures.keras import find_code
from model.making.pictures.opening import open_file
from tests.model.making.conftest import run
from tests.shape_pictures import CLASSES, write_shapes

WITHOUT = sys.executable
"""A Python without TensorFlow."""

WITH = os.environ.get("KERAS_PYTHON", "")

FILE = Path(__file__).parent / "keras_files" / "sequential_3.keras"

FIT = """
import json
import os
import sys
from pathlib import Path

import numpy as np

if sys.argv[1] == "2":
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tf_keras as keras
else:
    import keras
sys.path.insert(0, ".")
layers = keras.layers


def build(first):
    given = keras.Input((48, 48, 3))
    x = layers.Normalization(mean=[0.4, 0.5, 0.6], variance=[0.2, 0.3, 0.2])(first(given))
    x = layers.LayerNormalization()(layers.Conv2D(12, 5, strides=4)(x))
    x = layers.Conv2D(12, 3, padding="same", groups=4, activation="gelu")(x)
    x = layers.Conv2DTranspose(8, 3, activation="relu")(x)
    return keras.Model(given, layers.Dense(3, activation="softmax")(layers.Flatten()(x)))


def make(name):
    if name.startswith("lambda"):
        return build(layers.Lambda(lambda pictures: pictures / 255.0))
    if name.startswith("own"):
        from own import Net
        return Net()
    return build(layers.Rescaling(1 / 255.0))


keras.utils.set_random_seed(0)
pictures, labels, held = (np.load(f"{name}.npy") for name in ("train", "labels", "held"))
for name in sys.argv[2:]:
    model = make(name)
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(pictures, labels, epochs=12, verbose=0)
    model.save(name)
    Path(name + ".json").write_text(json.dumps(model.predict(held, verbose=0).tolist()))
"""

OWN = """
import keras


@keras.saving.register_keras_serializable("mine")
class Net(keras.Model):
    def __init__(self, **more):
        super().__init__(**more)
        self.near = keras.layers.Conv2D(12, 5, strides=4, activation="relu")
        self.far = keras.layers.Dense(3, activation="softmax")

    def call(self, pictures):
        return self.far(keras.ops.reshape(self.near(pictures / 255.0), (-1, 11 * 11 * 12)))
"""


def write_model(path: Path, kind: str, **more: Any) -> Path:
    """A file of Keras 3 with a layer of another kind in the place of its third."""
    with zipfile.ZipFile(FILE) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                config["config"]["layers"][3] |= {"class_name": kind, **more}
                content = json.dumps(config).encode()
            new.writestr(name, content)
    return path


def try_to_open(path: Path, says: bool = False, **more: Any) -> tuple[str, list[str]]:
    """What is wrong, and what was asked before."""
    asked: list[str] = []

    def ask(text: str) -> bool:
        asked.append(text)
        return says

    with pytest.raises(AddError) as caught:
        open_file(AddOptions((path,), "net", path.parent, **more), ask, lambda _: None)
    return str(caught.value), asked


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of caches."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "caches"


def write_uv(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """Let a shell script take the place of uv, for which there is no network."""
    path = folder / "uv"
    path.write_text("\n".join(("#!/bin/sh", *lines)))
    path.chmod(0o755)
    monkeypatch.setattr(keras_environment, "find_uv", lambda: str(path))


def test_a_python_that_cannot_convert_is_said_in_a_sentence(tmp_path: Path) -> None:
    path = write_model(tmp_path / "net.keras", "GroupNormalization")
    said, asked = try_to_open(path, python=WITHOUT)
    assert "cannot convert" in said
    assert "No module named 'tensorflow'. Install it there, or name another Python." in said
    assert not asked
    assert "cannot convert" in try_to_open(path, python="/bin/true")[0]


def test_without_a_python_and_without_uv_both_ways_are_said(
    tmp_path: Path, caches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras_environment, "find_uv", lambda: "")
    path = write_model(tmp_path / "net.keras", "GroupNormalization")
    said, asked = try_to_open(path)
    assert "a layer of the kind GroupNormalization" in said
    assert "--python PATH" in said
    assert "offers to install them by uv" in said
    assert not asked
    assert "--python PATH" in run("look", path).output


def test_nothing_is_installed_before_somebody_says_yes(
    tmp_path: Path, caches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_uv(tmp_path, monkeypatch, f"touch {shlex.quote(str(tmp_path / 'called'))}")
    path = write_model(tmp_path / "net.keras", "GroupNormalization")
    said, (asked,) = try_to_open(path)
    assert "2.3 GB in " + str(caches) in asked
    assert "Nothing was installed and nothing added" in said
    write_shapes(tmp_path / "data", 1, 1)
    add = ("add", path, "--name", "net", "--data", tmp_path / "data", "--models", tmp_path)
    result = run(*add)
    assert result.exit_code == 4
    assert "2.3 GB" in result.output
    assert result.output.rstrip().endswith("--yes")
    assert not (tmp_path / "called").exists()


def test_an_environment_that_was_made_is_found_again(
    tmp_path: Path, caches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_model(tmp_path / "net.keras", "GroupNormalization")
    write_uv(tmp_path, monkeypatch, "echo no space left >&2", "exit 1")
    said, asked = try_to_open(path, says=True)
    assert "uv could not install TensorFlow: no space left" in said
    assert len(asked) == 1
    python = shlex.quote(sys.executable)
    folder = shlex.quote(str(caches / "formcast" / "keras" / "bin"))
    write_uv(tmp_path, monkeypatch, f"mkdir -p {folder}", f"ln -sf {python} {folder}/python")
    for questions in (1, 0):
        said, asked = try_to_open(path, says=True)
        assert "No module named 'tensorflow'" in said
        assert len(asked) == questions


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"class_name": "Lambda", "config": {}}, "of the kind Lambda"),
        ({"class_name": "function", "module": "builtins"}, "of the kind function"),
        ({"class_name": "run", "module": "subprocess"}, "run of the module subprocess"),
        ({"class_name": "TFOpLambda", "config": {"function": "io.write_file"}}, "tf.io.write_file"),
        ({"class_name": "TFOpLambda", "config": {"function": "print"}}, "tf.print"),
        ({"class_name": "TFOpLambda", "config": {"function": "math.multiply"}}, ""),
        ({"class_name": "Dense", "module": "keras.layers"}, ""),
        ({"class_name": "Model", "compile_config": {"class_name": "function"}}, ""),
    ],
)
def test_what_runs_code_is_found_wherever_it_stands(item: dict[str, Any], words: str) -> None:
    found = find_code({"class_name": "Model", "config": {"layers": [{"config": [item]}]}})
    assert found.endswith(words) if words else not found


def test_a_file_that_runs_code_needs_trust(tmp_path: Path) -> None:
    path = write_model(tmp_path / "net.keras", "Mine", module="mine")
    said, _ = try_to_open(path, python=WITHOUT)
    assert "with Mine of the module mine: loading it runs code of whoever made it" in said
    assert "add --trust, and --module FILE.py" in said
    assert "No module named 'tensorflow'" in try_to_open(path, python=WITHOUT, trust=True)[0]


def list_pictures(folder: Path) -> list[Path]:
    return [file for name in CLASSES for file in sorted((folder / name).iterdir())]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures, and with models in files of Keras 2 and 3 with their answers."""
    folder = tmp_path_factory.mktemp("keras")
    write_shapes(folder / "train", 40, 1)
    write_shapes(folder / "held", 10, 2)
    for name in ("train", "held"):
        pictures = []
        for file in list_pictures(folder / name):
            with Image.open(file) as image:
                pictures.append(np.asarray(image.resize((48, 48), Image.Resampling.BICUBIC)))
        np.save(folder / f"{name}.npy", np.array(pictures, dtype=np.float32))
    np.save(folder / "labels.npy", np.repeat(np.arange(3), 40))
    (folder / "fit.py").write_text(FIT)
    (folder / "own.py").write_text(OWN)
    for release, names in (
        ("2", ("plain2.h5", "plain2.keras", "lambda2.h5")),
        ("3", ("plain3.h5", "plain3.keras", "lambda3.keras", "own3.keras")),
    ):
        subprocess.run([WITH, "fit.py", release, *names], cwd=folder, check=True)
    return folder


@pytest.mark.skipif(not WITH, reason="KERAS_PYTHON names no Python with TensorFlow and tf2onnx")
@pytest.mark.second_tier
@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("plain2.h5", ()),
        ("plain2.keras", ()),
        ("lambda2.h5", ("--trust",)),
        ("plain3.h5", ()),
        ("plain3.keras", ()),
        ("lambda3.keras", ("--trust",)),
        ("own3.keras", ("--trust", "--module", "own.py", "--resize", "squash")),
    ],
)
def test_unseen_pictures_get_the_class_of_keras(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, more: tuple[str, ...]
) -> None:
    monkeypatch.chdir(trained)
    add = ("add", name, "--name", "net", "--data", "train", "--models", tmp_path)
    if more:
        assert "add --trust" in " ".join(run(*add, "--python", WITH).output.split())
    result = run(*add, "--python", WITH, *more)
    assert result.exit_code == 0, result.output
    assert "converted by Keras itself" in " ".join(result.output.split())
    assert run("check", "net", "--models", tmp_path).exit_code == 0
    model = load_model(tmp_path / "net")
    assert isinstance(model, PictureModel)
    expected = np.array(json.loads(Path(f"{name}.json").read_text()))
    given = [file.read_bytes() for file in list_pictures(Path("held"))]
    found = model.predict([model.card.field.validate_value(content) for content in given])
    labels = [
        (prediction.label, CLASSES[row.argmax()])
        for prediction, row in zip(found, expected, strict=True)
        if prediction is not None
    ]
    assert len(labels) >= 25
    assert all(label == other for label, other in labels)
