"""Models of rows of pixels answer pictures as their author's code does."""

import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnx
import pytest
from PIL import Image
from skl2onnx import to_onnx
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, MinMaxScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC

from app import create_app
from app.config import Settings
from model import PictureModel, load_model
from model.making import AddedModel, AddError, AddOptions, PictureOptions, add_from_files
from model.making.errors import NotProvedError
from model.making.pictures.cases import read_picture_cases
from tests.html import check_fragment, get_page, text_of
from tests.model.making.conftest import run
from tests.shape_pictures import CLASSES, write_shapes

BYTES = PictureOptions(scale="bytes", resize="squash", channels="RGB")
UNIT = PictureOptions(scale="unit", resize="squash", channels="RGB")


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


def name_all(added: AddedModel, folder: Path) -> list[str | None]:
    """The class that the model names for each picture; None where it refuses one."""
    model = load_model(added.folder)
    assert isinstance(model, PictureModel)
    model.predictor._statistics = None  # type: ignore[attr-defined]  # refuses none here
    files = [path.read_bytes() for path in sorted(folder.rglob("*.png"))]
    found = model.predict([model.card.field.read(content) for content in files])
    return [None if each is None else each.label for each in found]


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
    wrong = OneVsRestClassifier(SVC()).fit(rows, names)
    with pytest.raises(AddError, match=r"answers otherwise as ONNX .* Fit another classifier to"):
        add(shapes, save(shapes, wrong))
    with pytest.raises(AddError, match=r"no ONNX form of NearestCentroid\. Fit another classif"):
        add(shapes, save(shapes, NearestCentroid().fit(rows, names)))
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


@pytest.mark.parametrize(
    "fitted",
    [
        CalibratedClassifierCV(SVC(), cv=2),  # which gives no class any share, of bytes
        BernoulliNB(binarize=0.5),
        KNeighborsClassifier(2),
    ],
    ids=lambda fitted: type(fitted).__name__,
)
def test_other_classifiers_of_scikit_learn_answer_as_their_code_does(
    shapes: Path, fitted: Any
) -> None:
    rows, names = read(shapes / "train", (12, 12))
    added = add(shapes, save(shapes, fitted.fit(rows / 255, names)), pictures=UNIT)
    held, _ = read(shapes / "held", (12, 12))
    np.testing.assert_allclose(
        answer(added, shapes / "held"), fitted.predict_proba(held / 255), atol=1e-3
    )
    assert name_all(added, shapes / "held") == fitted.predict(held / 255).tolist()


def test_of_two_classes_that_are_equally_likely_the_first_is_named(
    shapes: Path, tmp_path: Path
) -> None:
    for part in ("train", "held"):
        shutil.copytree(shapes / part, tmp_path / part)
        shutil.rmtree(tmp_path / part / "triangle")
    (tmp_path / "models").mkdir()
    rows, names = read(tmp_path / "train", (12, 12))
    fitted = RandomForestClassifier(6, random_state=0).fit(rows, names)
    held, _ = read(tmp_path / "held", (12, 12))
    assert (fitted.predict_proba(held) == 0.5).any()
    added = add(tmp_path, save(tmp_path, fitted), pictures=BYTES)
    assert name_all(added, tmp_path / "held") == fitted.predict(held).tolist()


@pytest.fixture(scope="module")
def nameless(shapes: Path) -> tuple[AddedModel, list[str]]:
    """A support vector machine without probabilities, and what its own code says of ``held``."""
    rows, names = read(shapes / "train", (24, 24))
    fitted = make_pipeline(StandardScaler(), PCA(12, random_state=0), SVC()).fit(rows, names)
    added = add(shapes, save(shapes, fitted), name="nameless", holdout=str(shapes / "held"))
    held, _ = read(shapes / "held", (24, 24))
    return added, fitted.predict(held).tolist()


def test_a_classifier_without_probabilities_names_its_class_alone(
    nameless: tuple[AddedModel, list[str]], shapes: Path
) -> None:
    added, expected = nameless
    assert name_all(added, shapes / "held") == expected
    model = load_model(added.folder)
    assert isinstance(model, PictureModel)
    assert model.answer_columns == ("label",)
    assert model.manifest.probabilities is None
    assert not any("robabilit" in metric.label for metric in model.manifest.metrics)
    assert "probabilit" not in "".join(added.notes)
    assert "how sure" not in model.card.summary
    cases, _ = read_picture_cases(model, shapes / "held")
    assert {(case.probability, case.truth_probability) for case in cases.cases} == {(None, None)}


def test_nothing_says_how_sure_a_model_without_probabilities_is(
    nameless: tuple[AddedModel, list[str]], shapes: Path
) -> None:
    app = create_app(Settings(models=("nameless",)), models=nameless[0].folder.parent)
    client, raw = app.test_client(), next((shapes / "held" / "circle").iterdir()).read_bytes()
    form = {"image": (BytesIO(raw), "it.png"), "_explain": "1"}
    soup = check_fragment(client.post("/predict-fragment", data=form))
    assert not soup.select("#shares, data.probability, .heat")
    assert soup.select("data.prediction[value=circle]")
    assert text_of(soup, "#result .range").endswith("does not say how sure it is.")
    assert not get_page(client, "/").select('button[name="_explain"]')
    answered = client.post("/api/predict?contributions=true", data=raw, content_type="image/png")
    assert answered.json is not None
    assert {"label", "warnings", "model"} == answered.json.keys()
    described = client.get("/api/openapi.json").text
    assert "robabilit" not in described
    assert "contributions" not in described
    page = get_page(client, "/api").get_text()
    assert "probability" not in page
    assert "contributions" not in page
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("one.png", raw)
    sent = {"file": (BytesIO(file.getvalue()), "all.zip")}
    assert "robabilit" not in client.post("/batch", data=sent).text


@pytest.mark.filterwarnings("ignore:The `probability` parameter was deprecated")
def test_a_name_that_its_probabilities_contradict_is_shown_alone(shapes: Path) -> None:
    rows, names = read(shapes / "train", (24, 24), "L")
    fitted = SVC(probability=True, C=0.3, random_state=0).fit(rows / 255, names)
    likeliest = fitted.classes_[fitted.predict_proba(rows / 255).argmax(axis=1)]
    assert (likeliest != fitted.predict(rows / 255)).any()
    added = add(shapes, save(shapes, fitted))
    assert "The page shows what predict says, without probabilities." in "".join(added.notes)
    held, _ = read(shapes / "held", (24, 24), "L")
    assert name_all(added, shapes / "held") == fitted.predict(held / 255).tolist()


@pytest.mark.parametrize("fitted", [LogisticRegression(max_iter=500), LinearSVC(max_iter=9999)])
def test_what_skl2onnx_writes_by_itself_answers_as_the_classifier_does(
    shapes: Path, tmp_path: Path, fitted: Any
) -> None:
    """It ends in a list of dictionaries; scores of a support vector machine became shares."""
    rows, names = read(shapes / "train", (12, 12))
    path = tmp_path / "model.onnx"
    example, old = rows[:1].astype(np.float32), {"": 10, "ai.onnx.ml": 1}
    onnx.save(to_onnx(fitted.fit(rows / 255, names), example, target_opset=old), path)
    added = add(shapes, [path], pictures=UNIT)
    held, _ = read(shapes / "held", (12, 12))
    assert name_all(added, shapes / "held") == fitted.predict(held / 255).tolist()
    model = load_model(added.folder)
    assert isinstance(model, PictureModel)
    assert model.card.output.probabilities == hasattr(fitted, "predict_proba")


def test_pictures_in_a_table_are_pictures_and_packed_ones_are_to_be_unpacked(
    shapes: Path, tmp_path: Path
) -> None:
    """A table of their names was read as one of numbers, and a ZIP was to get the ending ZIP."""
    rows, names = read(shapes / "train", (24, 24))
    files = save(tmp_path, SVC().fit(rows / 255, names))
    listed = shapes / "train" / "list.csv"
    paths = [path.relative_to(listed.parent) for path in sorted(listed.parent.rglob("*.png"))]
    lines = [f"{path},{name}\n" for path, name in zip(paths, names, strict=True)]
    listed.write_text("file,shape\n" + "".join(lines))
    held, _ = read(shapes / "held", (24, 24))
    added = add(shapes, files, data=listed)
    listed.unlink()
    assert name_all(added, shapes / "held") == SVC().fit(rows, names).predict(held).tolist()
    packed, arrays = tmp_path / "train.zip", tmp_path / "train.npz"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(shapes / "train" / paths[0], paths[0])
    np.savez(arrays, rows)
    for data in (packed, arrays):
        with pytest.raises(AddError, match=r"is an archive or an array of NumPy.* unpack it"):
            add(shapes, files, data=data)
    assert "if they are pixels, give pictures as --data" in run("look", *files).output


@pytest.mark.parametrize("model", [LogisticRegression(max_iter=500), SVC()])
def test_a_scaler_that_is_missing_is_named(shapes: Path, model: Any) -> None:
    """It was added by the way that suits it best, and was right for fewer than by its code."""
    rows, names = read(shapes / "train", (24, 24))
    scaler = StandardScaler().fit(rows)
    files = save(shapes, model.fit(scaler.transform(rows), names), scaler)
    with pytest.raises(
        NotProvedError, match=r"(?i)scaler .*stood before .* model\.pkl scaler\.pkl"
    ):
        add(shapes, files[:1])
    added = add(shapes, files)
    held, _ = read(shapes / "held", (24, 24))
    assert name_all(added, shapes / "held") == model.predict(scaler.transform(held)).tolist()


def test_rows_that_a_classifier_keeps_show_how_its_pictures_are_prepared(shapes: Path) -> None:
    rows, names = read(shapes / "train", (24, 24), "L")
    fitted = KNeighborsClassifier(3).fit(rows / 255 * 16, names)
    added = add(shapes, save(shapes, fitted))
    assert "numbers from 0 to 16. Prepared so, 60 of 60 pictures are among those" in added.notes[0]
    held, _ = read(shapes / "held", (24, 24), "L")
    expected = fitted.predict_proba(held / 255 * 16)
    np.testing.assert_allclose(answer(added, shapes / "held"), expected, atol=1e-3)


def test_a_range_that_no_way_to_prepare_pictures_gives_is_named(shapes: Path) -> None:
    """They were answered as it fits best, by a way of which its author knew nothing."""
    rows, names = read(shapes / "train", (24, 24), "L")
    fitted = KNeighborsClassifier(3).fit(rows / 10, names)
    files = save(shapes, fitted)
    with pytest.raises(NotProvedError, match=r"and 2\d\.\d+ or .* perhaps --scale 0,0\.039"):
        add(shapes, files)
    known = PictureOptions(scale="normalized", levels=((0.0,), (10 / 255,)))
    added = add(shapes, files, pictures=known)
    held, _ = read(shapes / "held", (24, 24), "L")
    assert name_all(added, shapes / "held") == fitted.predict(held / 10).tolist()
