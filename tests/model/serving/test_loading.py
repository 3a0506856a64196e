"""A folder is served only when card, manifest and artifact agree; the message says what to do."""

import json
import math
import re
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from model import ModelError, NumberModel, load_model, load_models
from model.contract.arrays import Float32Array
from tests.loading import change_file, load_as
from tests.tools import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the house price model that a test may spoil."""
    copy = tmp_path / "house_price"
    shutil.copytree(ROOT / "model" / "house_price", copy)
    return copy


def change_manifest(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def change_card(folder: Path, old: str, new: str) -> None:
    path = folder / "card.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def line_with(folder: Path, text: str) -> int:
    lines = (folder / "card.toml").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_the_bundled_model_loads_and_is_ready(house: NumberModel) -> None:
    assert house.slug == "house-price"
    assert re.fullmatch("[0-9a-f]{8}", house.version)
    assert load_models(ROOT / "model", ("house-price",)).keys() == {"house-price"}


def test_a_model_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model 'nothing'.*can name: .*house-price"):
        load_model(ROOT / "model" / "nothing")


@pytest.mark.parametrize("name", ["card.toml", "manifest.json", "model.onnx"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name} is missing"):
        load_model(folder)


def test_a_wrong_key_in_the_card_is_named_with_its_line(folder: Path) -> None:
    change_card(folder, 'label = "Bathrooms"', 'labl = "Bathrooms"')
    with pytest.raises(ModelError, match=r"line \d+: fields\.1\.") as raised:
        load_model(folder)
    assert "card.toml" in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("built in {value}", "built in {value.__class__}", r"fields\.3\.reason_text"),
        ("{low} and {high}", "{low!r} and {high}", r"output\.range_text"),
    ],
)
def test_a_sentence_that_is_no_sentence_is_named_with_its_very_line(
    folder: Path, old: str, new: str, place: str
) -> None:
    change_card(folder, old, new)
    says = r"can have the placeholders .*\}, and no others\. Write them just like that"
    with pytest.raises(ModelError, match=rf"line {line_with(folder, new)}: {place}: .*{says}"):
        load_model(folder)


def test_a_wrong_bound_is_named_with_its_very_line(folder: Path) -> None:
    change_card(folder, "max = 6000", 'max = "much"')
    line = line_with(folder, 'max = "much"')
    with pytest.raises(ModelError, match=rf"line {line}: fields\.2\.max"):
        load_model(folder)


def test_a_card_that_is_not_toml_says_where(folder: Path) -> None:
    change_card(folder, "[output]", "[output")
    with pytest.raises(ModelError, match=r"not TOML: .*line \d+"):
        load_model(folder)


def test_an_example_that_is_refused_stops_the_start(folder: Path) -> None:
    change_card(folder, "beds = 2, baths = 1", "beds = 99, baths = 1")
    with pytest.raises(ModelError, match="beds: Bedrooms must be between 0 and 8"):
        load_model(folder)


def test_a_column_that_no_field_asks_for_is_named_with_the_line_to_write(folder: Path) -> None:
    text = (folder / "card.toml").read_text()
    block = text[text.index('[[fields]]\nname = "fireplaces"') : text.index("[[examples]]")]
    text = text.replace(block, "").replace(", fireplaces = 2", "")
    (folder / "card.toml").write_text(text)
    with pytest.raises(ModelError, match=r'\[\[fields\]\] with name = "fireplaces"'):
        load_model(folder)


def test_a_field_that_the_model_does_not_know_is_named(folder: Path) -> None:
    change_card(
        folder,
        "[[examples]]",
        '[[fields]]\nname = "pool"\nkind = "flag"\nlabel = "Pool"\nnoun = "there is a pool"\n'
        "required = false\nexample = true\n\n[[examples]]",
    )
    with pytest.raises(ModelError, match="knows no column 'pool'"):
        load_model(folder)


def test_choices_in_another_order_are_refused(folder: Path) -> None:
    change_card(folder, 'value = "Very_Poor", label', 'value = "Very_Bad", label')
    with pytest.raises(ModelError, match="choices of 'condition'"):
        load_model(folder)


def test_another_coverage_than_the_calibrated_one_is_refused(folder: Path) -> None:
    change_card(folder, "coverage = 0.9", "coverage = 0.99")
    with pytest.raises(ModelError, match=r"output.coverage = 0.99, .* calibrated for 0.9"):
        load_model(folder)


def test_a_changed_artifact_is_not_loaded(folder: Path) -> None:
    path = folder / "model.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="is not the file that was trained"):
        load_model(folder)


def test_a_changed_prediction_stops_the_start(folder: Path) -> None:
    def change_value(manifest: dict[str, Any]) -> None:
        manifest["golden"][1]["value"] *= 1.01

    change_manifest(folder, change_value)
    with pytest.raises(ModelError, match="golden row 1 predicts"):
        load_model(folder)


class NotANumber:
    """A predictor whose every answer is NaN."""

    def predict(self, rows: Float32Array) -> tuple[Float32Array, None]:
        return np.full(len(rows), np.nan, np.float32), None


@pytest.mark.parametrize(
    ("factor", "is_taken"),
    [(1 + 9e-5, True), (1 - 9e-5, True), (1 + 1.2e-4, False), (1 - 1.2e-4, False)],
)
def test_a_golden_answer_may_differ_by_a_ten_thousandth(
    house: NumberModel, factor: float, is_taken: bool
) -> None:
    """Machines add floats in another order."""
    golden = house.manifest.golden[0]
    changed = golden.model_copy(update={"value": golden.value * factor})
    manifest = house.manifest.model_copy(update={"golden": (changed,)})
    with nullcontext() if is_taken else pytest.raises(ModelError, match="golden row 0 predicts"):
        replace(house, manifest=manifest).check_golden()


def test_an_answer_that_is_no_number_is_not_the_golden_one(
    house: NumberModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the model or its manifest has the NaN."""
    for golden in house.manifest.golden:
        spoiled = golden.model_copy(update={"value": math.nan})
        manifest = house.manifest.model_copy(update={"golden": (spoiled,)})
        with pytest.raises(ModelError, match=r"golden row 0 predicts .*, it was nan"):
            replace(house, manifest=manifest).check_golden()
    with pytest.raises(ModelError, match="answered a number that is not finite"):
        replace(house, predictor=NotANumber()).check_golden()


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
@pytest.mark.parametrize(
    "place",
    [
        ("golden", 1, "value"), ("golden", 1, "low"), ("golden", 1, "high"),
        ("golden", 1, "features", "sqft"), ("metrics", 0, "value"), ("axis", 0), ("axis", 1),
        ("reference", "sqft"), ("ood_thresholds",), ("calibration", "coverage"),
        *(("calibration", "groups", 3, key) for key in ("width", "error")),
        *(("calibration", "groups", 3, key, 0) for key in ("knots", "lows", "highs")),
        ("calibration", "groups", 3, "ood_threshold"),
    ],
    ids=str,
)  # fmt: skip
def test_a_number_of_the_manifest_that_is_not_finite_stops_the_start(
    folder: Path, place: tuple[str | int, ...], number: str
) -> None:
    def spoil(manifest: Any) -> None:
        for part in place[:-1]:
            manifest = manifest[part]
        manifest[place[-1]] = ["number"] if place == ("ood_thresholds",) else "number"

    change_manifest(folder, spoil)
    change_file(folder / "manifest.json", '"number"', number)
    named = ".".join(map(str, place))
    with pytest.raises(ModelError, match=rf"manifest\.json: {re.escape(named)}[^:]*: .*finite"):
        load_model(folder)


@pytest.mark.parametrize("key", ["max", "min", "example"])
@pytest.mark.parametrize("number", ["inf", "-inf", "nan"])
def test_a_number_of_the_card_that_is_not_finite_stops_the_start(
    folder: Path, key: str, number: str
) -> None:
    text = (folder / "card.toml").read_text()
    block = text[text.index('name = "baths"') : text.index('name = "sqft"')]
    line = next(line for line in block.splitlines() if line.startswith(f"{key} = "))
    change_card(folder, block, block.replace(line, f"{key} = {number}"))
    with pytest.raises(ModelError, match=rf"line \d+: fields\.1\.{key}[^:]*: .*finite"):
        load_model(folder)


def test_a_missing_group_of_the_calibration_stops_the_start(folder: Path) -> None:
    change_manifest(folder, lambda manifest: manifest["calibration"]["groups"].pop())
    with pytest.raises(ModelError, match="lacks 1 of the sets"):
        load_model(folder)


def test_an_unknown_key_in_the_manifest_is_refused(folder: Path) -> None:
    change_manifest(folder, lambda manifest: manifest.update(colour="red"))
    with pytest.raises(ModelError, match="colour"):
        load_model(folder)


class Bomb:
    """A pickle that leaves a mark when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


def test_a_joblib_file_with_a_wrong_hash_is_never_unpickled(folder: Path, tmp_path: Path) -> None:
    mark = tmp_path / "exploded"
    joblib.dump(Bomb(mark), folder / "model.joblib")
    change_manifest(folder, lambda manifest: manifest.update(served="model.joblib"))
    with pytest.raises(ModelError):
        load_model(folder)
    assert not mark.exists()


def test_another_scikit_learn_does_not_load_a_joblib_file(folder: Path) -> None:
    def age(manifest: dict[str, Any]) -> None:
        manifest["served"] = "model.joblib"
        manifest["versions"]["scikit-learn"] = "1.0.2"

    change_manifest(folder, age)
    with pytest.raises(ModelError, match=r"saved by scikit-learn 1.0.2.*scikit-learn==1.0.2"):
        load_model(folder)


def test_the_compiled_form_answers_as_the_joblib_file(folder: Path, house: NumberModel) -> None:
    change_manifest(folder, lambda manifest: manifest.update(served="model.joblib"))
    slow = load_as(NumberModel, folder)
    rng = np.random.default_rng(0)
    for example in house.card.examples:
        values = {
            name: value
            for name, value in example.values.items()
            if house.card.by_name[name].required or rng.random() < 0.7
        }
        features, _ = house.card.validate_row(values)
        assert features is not None
        (fast,), (found,) = house.predict([features]), slow.predict([features])
        assert found.value == pytest.approx(fast.value, rel=1e-4)
        assert found.interval is not None


def test_serving_the_compiled_form_does_not_import_scikit_learn() -> None:
    import subprocess
    import sys

    code = (
        "import sys, wsgi; wsgi.app.test_client().get('/?beds=3&baths=2&sqft=1500');"
        "print([m for m in ('sklearn', 'scipy', 'pandas', 'joblib') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                         check=True)  # fmt: skip
    assert run.stdout.strip() == "[]"
