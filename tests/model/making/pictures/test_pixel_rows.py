"""Models of rows of pixels answer pictures as their author's code does."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnx
import pytest
from PIL import Image
from skl2onnx import to_onnx
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import LabelEncoder, MinMaxScaler, StandardScaler
from sklearn.svm import SVC

from model import PictureModel, load_model
from model.making import AddedModel, AddError, AddOptions, PictureOptions, add_from_files
from model.making.errors import NotProvedError
from tests.shape_pictures import CLASSES, write_shapes


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders ``train`` and ``held`` of shapes, and the folder ``models``."""
    root = tmp_path_factory.mktemp("rows")
    write_shapes(root / "train", 30, 1)
    write_shapes(root / "held", 5, 2)
    (root / "models").mkdir()
    return root


def read(folder: Path, size: tuple[int, int], mode: str = "RGB") -> tuple[Any, list[str]]:
    rows, names = [], []
    for path in sorted(folder.rglob("*.png")):
        with Image.open(path) as image:
            rows.append(np.array(image.convert(mode).resize(size)).flatten())
        names.append(path.parent.name)
    return np.array(rows), names


def add(root: Path, files: Sequence[Path], **others: Any) -> AddedModel:
    options = AddOptions(paths=tuple(files), name="rows", data=root / "train", force=True)
    options = replace(options, **others)
    return add_from_files(options, root / "models", lambda _: None, lambda _: True)


def save(root: Path, *parts: Any) -> list[Path]:
    paths = [root / f"{number}.pkl" for number in range(len(parts))]
    for path, part in zip(paths, parts, strict=True):
        joblib.dump(part, path)
    return paths


def answer(added: AddedModel, folder: Path) -> Any:
    """The probabilities of all pictures, in the order of the alphabet."""
    model = load_model(added.folder)
    assert isinstance(model, PictureModel)
    order = np.argsort(model.manifest.classes)
    found = []
    for path in sorted(folder.rglob("*.png")):
        picture = model.card.field.read(path.read_bytes())
        seen = model.preprocessing.fit(picture.image)
        found.append(model.predictor.predict(seen).probabilities[order])
    return np.array(found)


def test_a_classifier_behind_its_scaler_and_components_answers_pictures(shapes: Path) -> None:
    rows, names = read(shapes / "train", (24, 24))
    scaler, encoder = StandardScaler().fit(rows), LabelEncoder().fit(names)
    components = PCA(12, random_state=0).fit(scaler.transform(rows))
    fitted = LogisticRegression(max_iter=500).fit(
        components.transform(scaler.transform(rows)), encoder.transform(names)
    )
    added = add(shapes, save(shapes, fitted, components, encoder, scaler))
    assert "LogisticRegression of scikit-learn behind PCA behind StandardScaler" in added.served
    held, _ = read(shapes / "held", (24, 24))
    expected = fitted.predict_proba(components.transform(scaler.transform(held)))
    np.testing.assert_allclose(answer(added, shapes / "held"), expected, atol=1e-3)


def test_a_flat_network_takes_pictures_that_are_no_square_where_their_size_is_said(
    shapes: Path,
) -> None:
    rows, names = read(shapes / "train", (24, 16))
    fitted = LogisticRegression(max_iter=500).fit(rows / 255, names)
    options = {id(fitted): {"zipmap": False}}
    path = shapes / "flat.onnx"
    onnx.save(to_onnx(fitted, rows[:1].astype(np.float32), options=options), path)
    with pytest.raises(AddError, match="takes 1152 numbers, which are not the pixels of a square"):
        add(shapes, [path])
    known = PictureOptions(size=(24, 16), scale="unit", resize="squash")
    added = add(shapes, [path], pictures=known)
    held, _ = read(shapes / "held", (24, 16))
    expected = fitted.predict_proba(held / 255)
    np.testing.assert_allclose(answer(added, shapes / "held"), expected, atol=1e-3)


def test_what_cannot_be_served_is_refused_with_what_to_do(shapes: Path) -> None:
    rows, names = read(shapes / "train", (16, 16), "L")
    with pytest.raises(AddError, match=r"SVC that names a class .* Fit CalibratedClassifierCV"):
        add(shapes, save(shapes, SVC().fit(rows, names)))
    numbers = [CLASSES.index(name) for name in names]
    with pytest.raises(AddError, match="LinearRegression, which names no class"):
        add(shapes, save(shapes, LinearRegression().fit(rows, numbers)))
    scalers = StandardScaler().fit(rows), MinMaxScaler().fit(rows)
    files = save(shapes, LogisticRegression(max_iter=500).fit(rows / 255, names), *scalers)
    with pytest.raises(AddError, match=r"In which order .*: --before \S+1.pkl --before \S+2.pkl"):
        add(shapes, files)
    (shapes / "net.json").write_text('{"class_name": "Sequential"}')
    with pytest.raises(AddError, match=r"net\.json"):
        add(shapes, [shapes / "net.json"])


@pytest.mark.parametrize("are_numbers", [False, True])
def test_classes_that_its_file_names_are_not_named_anew(shapes: Path, are_numbers: bool) -> None:
    """They were called as it fits the folders best, without a word of their own names."""
    rows, names = read(shapes / "train", (24, 24))
    turned = [CLASSES[CLASSES.index(name) - 1] for name in names]
    encoder = LabelEncoder().fit(turned)
    truth = encoder.transform(turned) if are_numbers else turned
    parts = [LogisticRegression(max_iter=300).fit(rows, truth), *[encoder] * are_numbers]
    with pytest.raises(NotProvedError, match=r"gives, or the model's own file, at most 48% of"):
        add(shapes, save(shapes, *parts))
    order = tuple(CLASSES[(CLASSES.index(name) + 1) % 3] for name in encoder.classes_)
    added = add(shapes, save(shapes, *parts), classes=order)
    model = load_model(added.folder)
    assert isinstance(model, PictureModel)
    assert model.manifest.classes == order
