"""A network and its pictures become a model: input, order of classes, refusals and samples."""

import json
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import Result
from PIL import Image

from model import PictureModel, load_model, read_card
from model.contract.pictures import ImageField
from model.contract.preprocessing import LevelScale, Preprocessing
from model.making import (
    AddedModel,
    AddError,
    AddOptions,
    NotProvedError,
    PictureOptions,
    add_from_files,
)
from model.making.pictures.labelled import read_labelled
from tests.html import check_fragment, text_of
from tests.model.making.conftest import run
from tests.shape_pictures import CLASSES, SIDE, draw_shape, make_network, write_shapes

BYTES = Preprocessing(
    width=SIDE, height=SIDE, layout="NHWC", colour="RGB", type="uint8", scale="bytes"
)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders ``train`` and ``held`` of shapes, and the folder ``models``."""
    root = tmp_path_factory.mktemp("shapes")
    write_shapes(root / "train", 30, 1)
    write_shapes(root / "held", 20, 2)
    (root / "models").mkdir()
    return root


def options_of(root: Path, model: onnx.ModelProto, name: str = "shapes") -> AddOptions:
    path = root / f"{name}.onnx"
    onnx.save(model, path)
    return AddOptions(paths=(path,), name=name, data=root / "train", force=True)


def add(options: AddOptions, root: Path) -> AddedModel:
    return add_from_files(options, root / "models", lambda _: None, lambda _: True)


@pytest.fixture(scope="module")
def added(shapes: Path) -> AddedModel:
    """A network of bytes with its channels last, whose classes are not in alphabetical order."""
    options = options_of(shapes, make_network(shapes / "train", BYTES))
    holdout = str(shapes / "held")
    return add(replace(options, holdout=holdout, publish_rows=True), shapes)


def load(added: AddedModel) -> PictureModel:
    model = load_model(added.folder)
    assert isinstance(model, PictureModel)
    return model


def test_unseen_pictures_get_the_class_of_the_network(added: AddedModel, shapes: Path) -> None:
    model = load(added)
    assert model.manifest.classes == CLASSES
    assert model.preprocessing == BYTES
    network = onnx.load(shapes / "shapes.onnx")
    from model.serving.predictors import open_session

    session, rng, refused = open_session(network.SerializeToString()), np.random.default_rng(9), 0
    field = model.card.field
    for number in range(60):
        path = shapes / "new.png"
        draw_shape(CLASSES[number % 3], rng).save(path)
        picture = field.validate_value(path.read_bytes())
        (prediction,) = model.predict([picture])
        with Image.open(path) as image:
            squashed = image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        raw = session.run(None, {"input_1": np.asarray(squashed)[None]})[0][0]
        refused += prediction is None
        if prediction is not None:
            assert prediction.label == CLASSES[int(raw.argmax())]
    assert refused <= 1


def test_it_says_what_it_tried_and_in_which_order_the_classes_stand(added: AddedModel) -> None:
    notes = "\n".join(added.notes)
    assert "10 ways to prepare a picture were tried" in notes
    assert "do not stand in the order of the alphabet: square, circle, triangle" in notes
    report = (added.folder / "REPORT.md").read_text()
    assert "Squashed to 48 × 48 pixels, in RGB, NHWC, bytes" in report
    manifest = load(added).manifest
    assert manifest.probabilities is not None
    assert manifest.probabilities.rows == 60
    assert manifest.false_alarms is not None
    assert manifest.false_alarms <= 0.05


def test_pictures_unlike_the_data_are_refused(added: AddedModel) -> None:
    model, rng = load(added), np.random.default_rng(3)
    others = [
        Image.fromarray(rng.integers(0, 256, (64, 96, 3), dtype=np.uint8)),
        Image.new("RGB", (96, 64), "black"),
        Image.new("RGB", (96, 64), "white"),
        Image.linear_gradient("L").convert("RGB"),
        Image.effect_mandelbrot((96, 64), (-2, -1, 1, 1), 50).convert("RGB"),
    ]
    from model.contract.pictures import Picture

    found = model.predict([Picture(image, *image.size, 0.0) for image in others])
    assert found == [None] * len(others)


@pytest.mark.parametrize(
    ("preprocessing", "ends_in", "pooled"),
    [
        (Preprocessing(width=48, height=48, colour="RGB", scale="imagenet", resize="crop"),
         "logits", True),
        (Preprocessing(width=64, height=48, layout="NHWC", colour="BGR", scale="signed",
                       resize="letterbox"), "softmax", False),
        (Preprocessing(width=48, height=48, layout="NHW", scale="unit"), "softmax", True),
        (Preprocessing(width=48, height=48, scale="normalized", mean=(0.1307,), spread=(0.3081,)),
         "logits", True),
        (Preprocessing(width=48, height=48, scale="inverted"), "logits", False),
    ],
    ids=["cut and standardised", "BGR with black bars", "grey without channels",
         "grey normalized as MNIST is", "black for white"],
)  # fmt: skip
def test_the_input_is_found(
    shapes: Path, preprocessing: Preprocessing, ends_in: str, pooled: bool
) -> None:
    network = make_network(shapes / "train", preprocessing, ends_in=ends_in, pooled=pooled)
    model = load(add(options_of(shapes, network, "found"), shapes))
    assert model.preprocessing == preprocessing
    assert model.manifest.classes == CLASSES
    assert model.predictor.has_map is pooled


def test_a_person_says_by_which_mean_and_spread_levels_are_normalized(
    shapes: Path, tmp_path: Path
) -> None:
    network = make_network(shapes / "train", replace_scale("imagenet"), ends_in="logits")
    path = options_of(shapes, network, "said").paths[0]
    command = ["add", path, "--name", "said", "--data", shapes / "train", "--models", tmp_path]
    result = run(*command, "--resize", "center", "--scale", "0.48,0.46,0.41,0.23,0.22,0.23")
    assert result.exit_code == 0, result.output
    found = load_model(tmp_path / "said")
    assert isinstance(found, PictureModel)
    assert found.preprocessing.resize == "center"
    assert found.preprocessing.mean == (0.48, 0.46, 0.41)
    assert found.preprocessing.spread == (0.23, 0.22, 0.23)
    for wrong in ("mnist", "0.5", "0.5,0", "0.5,nan", "1,2,3"):
        result = run(*command, "--force", "--scale", wrong)
        assert result.exit_code == 2
        assert f"--scale {wrong}: write bytes, unit, " in result.output


def test_a_network_sees_pictures_shrunk_as_its_author_shrank_them(
    shapes: Path, tmp_path: Path
) -> None:
    """Fine grain is all that tells the classes: an average of all pixels has none of it."""
    rng = np.random.default_rng(0)
    for name, grain in (("coarse", 60), ("fine", 25)):
        (tmp_path / name).mkdir()
        for number in range(40):
            levels = rng.normal(128, grain, (96, 96)).clip(0, 255).astype(np.uint8)
            Image.fromarray(levels).save(tmp_path / name / f"{number}.png")
    nearest = Preprocessing(width=24, height=24, interpolation="nearest")
    network = make_network(tmp_path, nearest, ("coarse", "fine"), "logits", pooled=True)
    known = PictureOptions(scale="unit", resize="squash")
    options = replace(options_of(shapes, network, "grain"), data=tmp_path, pictures=known)
    added = add(options, shapes)
    assert load(added).preprocessing.interpolation == "nearest"
    assert load(added).card.field.side == 256
    said = replace(known, interpolation="bicubic")
    assert load(add(replace(options, pictures=said, as_is=True), shapes)).preprocessing == (
        nearest.model_copy(update={"interpolation": "bicubic"})
    )


def test_what_is_under_transparent_parts_is_what_training_saw(shapes: Path, tmp_path: Path) -> None:
    for path in sorted((shapes / "train").rglob("*.png")):
        with Image.open(path) as image:
            image.putalpha(image.convert("L").point(lambda level: 0 if level > 160 else 255))
            (tmp_path / path.parent.name).mkdir(exist_ok=True)
            image.save(tmp_path / path.parent.name / path.name)
    options = options_of(shapes, make_network(shapes / "train", BYTES), "icons")
    made = add(replace(options, data=tmp_path, holdout=str(tmp_path)), shapes)
    assert load(made).card.field.transparency == "ignored"
    assert (
        load(made).manifest.metrics
        == load(add(replace(options, holdout=str(shapes / "train")), shapes)).manifest.metrics
    )


def test_an_order_of_classes_that_the_pictures_disprove_is_refused(shapes: Path) -> None:
    options = options_of(shapes, make_network(shapes / "train", BYTES), "order")
    wrong = replace(options, classes=("triangle", "circle", "square"))
    with pytest.raises(NotProvedError, match="or write --classes square,circle,triangle"):
        add(wrong, shapes)
    assert load(add(replace(options, classes=CLASSES), shapes)).manifest.classes == CLASSES
    taken = load(add(replace(wrong, as_is=True), shapes)).manifest.classes
    assert taken == ("triangle", "circle", "square")


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\x93NUMPY", b"\x1f\x8b\x08"])
def test_an_archive_or_an_array_is_no_table_of_files(
    shapes: Path, tmp_path: Path, start: bytes
) -> None:
    path = tmp_path / "pictures"
    path.write_bytes(start + bytes(100))
    options = options_of(shapes, make_network(shapes / "train", BYTES), "packed")
    with pytest.raises(AddError, match="is an archive or an array of NumPy"):
        add(replace(options, data=path), shapes)


def replace_scale(scale: LevelScale) -> Preprocessing:
    return Preprocessing(width=SIDE, height=SIDE, colour="RGB", scale=scale)


def draw_in_turn(folder: Path, sizes: Sequence[tuple[int, int]], seed: int) -> None:
    """Draw pictures of these sizes, of each class in turn, into a folder for each."""
    rng = np.random.default_rng(seed)
    for number, size in enumerate(sizes):
        path = folder / CLASSES[number % 3] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        draw_shape(CLASSES[number % 3], rng, size).save(path)


def test_pictures_of_many_sizes_do_not_say_what_a_network_takes(
    shapes: Path, tmp_path: Path
) -> None:
    draw_in_turn(tmp_path, [(60 + number, 64) for number in range(30)], seed=4)
    network = make_network(shapes / "train", replace_scale("unit"), ends_in="logits")
    for dimension in network.graph.input[0].type.tensor_type.shape.dim[2:]:
        dimension.dim_param = "side"
    with pytest.raises(AddError, match=r"of many sizes\. Say to which one your code scaled them"):
        add(replace(options_of(shapes, network, "sizes"), data=tmp_path), shapes)


def test_one_sigmoid_is_the_probability_of_the_class_that_the_pictures_say(shapes: Path) -> None:
    two = shapes / "two"
    for part in ("train", "held"):
        for name in ("square", "circle"):
            shutil.copytree(shapes / part / name, two / part / name, dirs_exist_ok=True)
    (two / "models").mkdir(exist_ok=True)
    network = make_network(two / "train", BYTES, ("square", "circle"), "sigmoid")
    model = load(add(options_of(two, network), two))
    assert model.manifest.classes == ("square", "circle")
    picture = model.card.field.validate_value((two / "held" / "circle" / "003.png").read_bytes())
    (explained,) = model.explain([picture])
    assert explained.saliency is not None
    assert explained.saliency_label == "circle"


def test_two_ways_that_fit_as_well_are_shown_with_the_option_that_decides(shapes: Path) -> None:
    """Few pictures cannot tell whether a picture was cut or squashed."""
    few = shapes / "few"
    write_shapes(few / "train", 4, 5)
    (few / "models").mkdir()
    options = options_of(few, make_network(shapes / "train", BYTES))
    with pytest.raises(NotProvedError, match=r"Say which one .*: --\w+ \w+, or --\w+ \w+"):
        add(options, few)
    assert list((few / "models").iterdir()) == []
    decided = replace(options, pictures=PictureOptions(resize="squash", channels="RGB"))
    assert load(add(decided, few)).preprocessing.resize == "squash"


def test_a_cut_that_fits_a_little_better_than_the_whole_picture_is_asked_about(
    shapes: Path, tmp_path: Path
) -> None:
    """It shows things larger, which networks often know better than as they were trained."""
    draw_in_turn(tmp_path, [(72, 64)] * 90, seed=1)
    cut = replace_scale("unit").model_copy(update={"resize": "crop"})
    options = options_of(shapes, make_network(tmp_path, cut, ends_in="logits"), "cut")
    options = replace(options, data=tmp_path)
    known = PictureOptions(scale="unit", channels="RGB")
    with pytest.raises(NotProvedError, match="--resize crop, or --resize squash"):
        add(replace(options, pictures=known), shapes)
    decided = replace(options, pictures=replace(known, resize="crop"))
    assert load(add(decided, shapes)).preprocessing == cut


def test_classes_that_are_not_the_networks_are_refused(shapes: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        for number in range(15):
            draw_shape(str(rng.choice(CLASSES)), rng).save(tmp_path / name / f"{number}.png")
    options = options_of(shapes, make_network(shapes / "train", BYTES), "other")
    with pytest.raises(NotProvedError, match="In whatever order its classes stand"):
        add(replace(options, data=tmp_path, pictures=PictureOptions(resize="squash")), shapes)


def test_a_table_names_files_and_classes(shapes: Path) -> None:
    rows = [
        f"train/{name}/{path.name},{name},{number}"
        for name in CLASSES
        for number, path in enumerate(sorted((shapes / "train" / name).iterdir()))
    ]
    table = shapes / "labels.csv"
    table.write_text("\n".join(["file,class,number", *rows]))
    options = options_of(shapes, make_network(shapes / "train", BYTES), "table")
    added = add(replace(options, data=table, target="class"), shapes)
    assert load(added).manifest.data.rows == 90


def spoil(folder: Path, how: str) -> None:
    """Spoil a folder of pictures in one way."""
    if how == "one class":
        for name in CLASSES[1:]:
            shutil.rmtree(folder / name)
    elif how == "capitals":
        shutil.copytree(folder / "circle", folder / "Circle")
    elif how == "no folders":
        for name in CLASSES:
            for path in (folder / name).iterdir():
                path.rename(folder / f"{name}-{path.name}")
            (folder / name).rmdir()
    elif how == "an empty class":
        (folder / "hexagon").mkdir()
    elif how == "four classes":
        shutil.copytree(folder / "circle", folder / "hexagon")
    elif how == "all broken":
        for path in folder.rglob("*.png"):
            path.write_bytes(b"no picture")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("one class", "has only the class 'square'. Put the pictures of each class into a folder"),
        ("capitals", "classes 'Circle' and 'circle', which differ only by capitals"),
        ("no folders", "no folder for each class. Make one for each"),
        ("an empty class", "hexagon has no pictures"),
        ("four classes", "answers 3 classes, and the pictures have 4"),
        ("all broken", "can be read"),
    ],
)
def test_pictures_that_cannot_be_used_are_refused_and_nothing_is_left(
    shapes: Path, tmp_path: Path, how: str, words: str
) -> None:
    data = tmp_path / "data"
    shutil.copytree(shapes / "train", data)
    spoil(data, how)
    (tmp_path / "models").mkdir()
    options = options_of(tmp_path, make_network(shapes / "train", BYTES))
    with pytest.raises(AddError, match=words):
        add(replace(options, data=data), tmp_path)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_table_of_rows_is_refused_with_how_a_network_for_rows_is_added(
    shapes: Path, tmp_path: Path
) -> None:
    """As tutorials have it: a network of Keras that learned rows of customers."""
    (tmp_path / "models").mkdir()
    (tmp_path / "customers.csv").write_text("tenure,churn\n3,yes\n40,no\n")
    options = options_of(tmp_path, make_network(shapes / "train", BYTES))
    with pytest.raises(AddError, match=r"names pictures: tenure, churn\. .* added as ONNX: export"):
        add(replace(options, data=tmp_path / "customers.csv"), tmp_path)


def test_broken_pictures_are_counted_and_named(shapes: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(shapes / "train", data)
    for number in range(7):
        (data / "circle" / f"{number:03}.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (tmp_path / "models").mkdir()
    options = options_of(tmp_path, make_network(shapes / "train", BYTES))
    added = add(replace(options, data=data), tmp_path)
    (note,) = (note for note in added.notes if "could not be read" in note)
    assert note.startswith("7 files could not be read and left out: circle/000.png (is damaged")
    assert note.endswith("and 2 more.")


def test_a_scan_of_16_bits_keeps_its_levels(shapes: Path, tmp_path: Path) -> None:
    """A TIFF file was clipped at 255 of its 65,535 levels, so that it was white."""
    for path in (shapes / "train").rglob("*.png"):
        with Image.open(path) as image:
            levels = np.asarray(image.convert("L")).astype(np.uint16) * 257
        scan = tmp_path / path.parent.name / f"{path.stem}.tif"
        scan.parent.mkdir(exist_ok=True)
        Image.fromarray(levels).save(scan)
    found = read_labelled(tmp_path, "")
    (_, picture), *_ = found.read([0], SIDE)
    assert found.broken == []
    assert len(np.unique(np.asarray(picture.image))) > 20


@pytest.mark.parametrize("count", [30, 60])
def test_a_network_that_answers_a_number_is_refused_as_what_it_is(
    shapes: Path, tmp_path: Path, count: int
) -> None:
    rng = np.random.default_rng(3)
    for age in range(count):
        draw_shape("circle", rng).save(tmp_path / f"{age}.png")
    lines = ["file,age", *(f"{age}.png,{age}" for age in range(count))]
    (tmp_path / "ages.csv").write_text("\n".join(lines))
    two = ("square", "circle")
    options = options_of(shapes, make_network(shapes / "train", BYTES, two, "sigmoid"), "age")
    with pytest.raises(AddError, match="answers a number for a picture, such as an age, is not"):
        add(replace(options, data=tmp_path / "ages.csv", target="age"), shapes)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"net/data.pkl": b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01"}, "weights alone"),
        ({"net/data.pkl": b"\x80\x02c__main__\nNet\nq\x00)"}, "pickled module"),
        ({"net/constants.pkl": b"", "net/code/a.py": b"", "net/data.pkl": b""}, "TorchScript"),
        ({"net/notes.txt": b""}, "no file of PyTorch"),
    ],
)
def test_a_file_of_pytorch_is_refused_with_what_to_do(
    shapes: Path, members: dict[str, bytes], words: str
) -> None:
    path = shapes / "net.pt"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(AddError, match=words):
        add(AddOptions(paths=(path,), name="net", data=shapes / "train"), shapes)


def test_the_command_adds_and_checks_it(shapes: Path) -> None:
    onnx.save(make_network(shapes / "train", BYTES), shapes / "command.onnx")
    models = ["--models", shapes / "models"]
    data = ["--data", shapes / "train", "--holdout", shapes / "held"]
    more = ["--locale", "de_DE"]
    done = run("add", shapes / "command.onnx", "--name", "command", *data, *models, *more)
    assert done.exit_code == 0, done.output
    assert read_card(shapes / "models" / "command" / "card.toml").locale == "de_DE"
    assert "finding how pictures are prepared" in done.stdout
    done = run("check", "command", *models)
    assert done.exit_code == 0, done.output
    assert "is sound" in done.stdout


def test_two_networks_are_compared_on_the_same_pictures(added: AddedModel, shapes: Path) -> None:
    few = write_shapes(shapes / "few", 2, 7)
    options = options_of(shapes, make_network(few, BYTES), "hasty")
    add(replace(options, holdout=str(shapes / "held"), as_is=True), shapes)
    write_shapes(shapes / "later", 30, 8)

    def compare(new: str, old: str, data: Path) -> Result:
        given = ("--against", old, "--data", data, "--models", shapes / "models")
        return run("check", new, *given)

    better = compare("shapes", "hasty", shapes / "later")
    assert better.exit_code == 0, better.output
    lines = [line.strip().partition(":")[0] for line in better.stdout.splitlines() if "%" in line]
    assert lines[0] == "Right"
    assert "by more than chance explains." in better.stdout
    worse = compare("hasty", "shapes", shapes / "later")
    assert worse.exit_code == 4
    assert "keep shapes." in worse.stderr
    same = compare("shapes", "shapes", shapes / "train")
    assert "train is what shapes was made with." in same.stdout
    assert "it may be chance" in same.stdout
    shutil.copytree(shapes / "later", shapes / "odd")
    for name in CLASSES:
        (shapes / "odd" / name).rename(shapes / "odd" / f"no {name}")
    refused = compare("shapes", "hasty", shapes / "odd")
    assert "no triangle; hasty answers circle, square, triangle." in refused.stderr
    assert run("check", "shapes", "--data", shapes / "later").exit_code == 2


def test_a_field_reads_what_the_card_says(added: AddedModel) -> None:
    field = load(added).card.field
    assert isinstance(field, ImageField)
    assert field.side == 256
    golden = json.loads((added.folder / "manifest.json").read_text())["golden"]
    assert all(len(item["probabilities"]) == 3 for item in golden)


def test_a_sample_is_answered_at_its_address(added: AddedModel) -> None:
    from app import create_app
    from app.config import Settings
    from tests.html import get_page

    client = create_app(Settings(models=("shapes",)), added.folder.parent).test_client()
    soup = get_page(client, "/")
    links = [str(link["href"]) for link in soup.select(".samples a")]
    assert links == [f"/?sample={number}" for number in range(1, 7)]
    for image in soup.select(".samples img"):
        response = client.get(str(image["src"]))
        assert response.mimetype == "image/jpeg"
        assert len(response.data) < 8_000
    page = get_page(client, "/?sample=2")
    assert page.select_one("#result data.prediction") is not None
    assert len(page.select("#shares li")) == 3
    assert page.select_one('input[form=form][name="sample"][value="2"]') is not None
    assert client.get("/samples/7.jpg").status_code == 404
    response = client.post(
        "/predict-fragment", data={"sample": "2"}, content_type="multipart/form-data"
    )
    assert response.status_code == 200
    assert not get_page(client, "/?sample=9").select("#result data.prediction")


def test_a_network_without_a_map_looks_only_when_it_is_asked(shapes: Path) -> None:
    from app import create_app
    from app.config import Settings
    from tests.html import get_page

    network = make_network(shapes / "train", BYTES, pooled=False)
    added = add(replace(options_of(shapes, network, "flat"), publish_rows=True), shapes)
    client = create_app(Settings(models=("flat",)), added.folder.parent).test_client()
    (button,) = get_page(client, "/").select("#form button[name=_explain]")
    assert button.get_text() == "Show the answer and where it looked"
    plain = client.post(
        "/predict-fragment", data={"sample": "1"}, content_type="multipart/form-data"
    )
    assert not check_fragment(plain).select(".heat rect")
    asked = check_fragment(
        client.post(
            "/predict-fragment",
            data={"sample": "1", "_explain": "1"},
            content_type="multipart/form-data",
        )
    )
    assert len(asked.select(".heat rect")) == 49
    assert "Red counts for the answer" in text_of(asked, "figcaption")
