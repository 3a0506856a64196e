"""Models that the repo has never seen, from one command to pages with reasons."""

from dataclasses import replace
from pathlib import Path

import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import KNNImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler

from app.kinds.classes import ClassAdapter
from model import ClassModel, NumberModel
from model.making import add_model
from model.serving.fact_groups import FactGroups
from tests.html import post_fragment, text_of
from tests.loading import load_as
from tests.model.making.conftest import AddedModels, run
from tests.models import MODEL_FACTORIES
from tests.shapes import NUMBERS, cars
from tests.tabular_checks import check_bounds, check_pages, check_prediction, parse_features

every_given = pytest.mark.parametrize("name", list(MODEL_FACTORIES))


@every_given
def test_its_pages_are_well_formed_and_its_reasons_add_up(
    added_models: AddedModels, name: str
) -> None:
    prefix = "/" if name == next(iter(MODEL_FACTORIES)) else f"/{name}/"
    check_pages(added_models.app.test_client(), prefix, added_models.load(name))


@every_given
def test_it_answers_up_to_its_bounds_and_with_what_may_be_left_empty(
    added_models: AddedModels, name: str
) -> None:
    model = added_models.load(name)
    for example in model.card.examples:
        for field in model.card.fields:
            check_bounds(model, field, example.values)
        for optional in model.card.optional:
            check_prediction(model, parse_features(model, {**example.values, optional: ""}))


@every_given
def test_the_command_says_what_it_guessed_and_what_to_write(
    added_models: AddedModels, name: str
) -> None:
    said = added_models.outputs[name]
    for field in added_models.load(name).card.names:
        assert field in said
    assert f"{added_models.root / name / 'card.toml'}: limits and not_for first" in said
    assert run("check", name, "--models", added_models.root).exit_code == 0


def test_what_does_not_compile_is_served_as_it_was_saved(added_models: AddedModels) -> None:
    served = {name: added_models.load(name).manifest.served for name in MODEL_FACTORIES}
    assert {name for name, file in served.items() if file == "model.joblib"} == {"odd"}
    assert "FunctionTransformer is not supported" in added_models.outputs["odd"]


def test_what_is_said_of_the_comparison_is_what_was_done(added_models: AddedModels) -> None:
    compiled = "Served: as ONNX, compiled and compared with the saved model on all 344 rows\n"
    assert compiled in added_models.outputs["penguins"]
    given = "as the ONNX file that you gave, in the app's form, compared with it on all 400 rows."
    assert given in added_models.outputs["boosted"]
    assert (
        "not compared with the model that it was exported from" in added_models.outputs["boosted"]
    )
    for name in ("boosted", "odd"):
        assert "compiled and compared" not in added_models.outputs[name]


def test_names_that_html_does_not_know_become_names_labels_and_units(
    added_models: AddedModels,
) -> None:
    card = added_models.load("penguins").card
    length, sex = card.by_name["flipper_length_mm"], card.by_name["sex_m_f"]
    assert (length.label, length.kind, getattr(length, "unit", "")) == (
        "Flipper length", "integer", "mm",
    )  # fmt: skip
    assert (sex.label, sex.kind) == ("Sex", "choice")


def test_what_some_rows_lack_may_be_left_empty(added_models: AddedModels) -> None:
    assert added_models.load("penguins").card.optional == ("flipper_length_mm", "island", "sex_m_f")
    assert added_models.load("passengers").card.optional == ("age",)
    wide = added_models.load("wide").card
    assert sum(wide.by_name[name].default is None for name in wide.optional) == 8


def test_yes_and_no_in_every_spelling_becomes_a_flag_and_codes_a_choice(
    added_models: AddedModels,
) -> None:
    model = added_models.load("passengers")
    assert isinstance(model, ClassModel)
    card = model.card
    flags = [name for name in card.names if card.by_name[name].kind == "flag"]
    assert flags == ["adult_male", "alone", "is_child"]
    assert card.by_name["pclass"].kind == "choice"
    assert [item.label for item in card.output.classes] == ["No", "Yes"]


def test_a_model_without_probabilities_does_not_pretend(added_models: AddedModels) -> None:
    model = added_models.load("labels")
    assert isinstance(model, ClassModel)
    (prediction,) = model.predict([parse_features(model, model.card.examples[0].values)])
    assert prediction.probabilities is None


def test_many_optional_facts_are_calibrated_by_how_many_are_unknown(
    added_models: AddedModels,
) -> None:
    model = added_models.load("wide")
    assert isinstance(model, NumberModel)
    calibration = model.manifest.calibration
    assert calibration is not None
    unknown = len(model.card.optional)
    assert [group.unknown for group in calibration.groups] == list(range(unknown + 1))
    assert FactGroups(calibration.groups, model.card.optional).count_missing() == 0


def test_figures_are_of_rows_that_the_model_has_not_seen_or_there_are_none(
    added_models: AddedModels,
) -> None:
    assert added_models.load("penguins").manifest.how.startswith(
        "On 114 rows that the model had not seen"
    )
    assert added_models.load("passengers").manifest.how.startswith("On 200 rows")
    assert added_models.load("labels").manifest.metrics == ()
    assert "Nothing was measured" in added_models.outputs["labels"]


def test_a_calibrated_classifier_says_how_much_that_helped(added_models: AddedModels) -> None:
    manifest = added_models.load("passengers").manifest
    figures = {metric.name: metric.value for metric in manifest.metrics}
    assert manifest.probabilities is not None
    assert figures["log_loss"] < figures["log_loss_before"]
    assert figures["off"] < figures["off_before"]


def test_errors_of_a_linear_range_are_said_in_the_unit_of_the_answer(
    added_models: AddedModels,
) -> None:
    model = added_models.load("diabetes")
    values = {name: str(value) for name, value in model.card.examples[0].values.items()}
    soup = post_fragment(added_models.app.test_client(), values, path="/diabetes/predict-fragment")
    assert "half the time it is off by less than 4" in text_of(soup, "#notes")


def test_similar_rows_show_what_was_observed(added_models: AddedModels) -> None:
    model = added_models.load("penguins")
    values = {name: str(value) for name, value in model.card.examples[0].values.items()}
    answer = added_models.app.test_client().post("/predict-fragment", data=values)
    assert 'class="similar"' in answer.text
    assert " in None" not in answer.text


def test_how_often_a_class_was_right_is_said_for_the_facts_that_are_given(
    added_models: AddedModels,
) -> None:
    model = added_models.load("penguins")
    assert isinstance(model, ClassModel)
    assert model.accuracies is not None
    assert model.accuracies.count_missing() == 0
    adapter, every = ClassAdapter(model), frozenset(model.card.optional)
    said = {
        known: adapter.get_notes(known).accuracy.striptags() for known in (every, frozenset[str]())
    }
    for known, text in said.items():
        group = model.accuracies.find(known)
        assert f"for {group.right:.1%} of {group.rows} cases that it had not seen" in text
    assert said[every] != said[frozenset()]


def test_one_figure_for_all_rows_is_not_said_to_hold_with_facts_left_empty(
    added_models: AddedModels,
) -> None:
    model = added_models.load("penguins")
    assert isinstance(model, ClassModel)
    old = replace(model, manifest=model.manifest.model_copy(update={"accuracies": ()}))
    adapter = ClassAdapter(old)
    every = frozenset(model.card.optional)
    assert adapter.get_notes(every).accuracy.striptags() == model.manifest.accuracy
    assert "may be wrong more often" in adapter.get_notes(frozenset()).accuracy


def test_steps_that_hand_each_other_tables_answer_without_warnings(
    tmp_path: Path, root: Path
) -> None:
    """Each warning is an error in the tests; a server would write one for each answer."""
    table = cars()
    numbers = make_pipeline(KNNImputer(), RobustScaler()).set_output(transform="pandas")
    columns = make_column_transformer((numbers, NUMBERS), verbose_feature_names_out=False)
    model = make_pipeline(columns, LinearRegression()).fit(table[NUMBERS], table["price"])
    add_model(model, table[NUMBERS], table["price"], name="mine", root=root)
    served = load_as(NumberModel, root / "mine")
    rows = table[NUMBERS][:5].rename(columns=dict(zip(NUMBERS, served.card.names, strict=True)))
    answers = [answer.value for answer in served.predict(rows.to_dict("records"))]
    assert answers == pytest.approx(model.predict(table[NUMBERS][:5]), rel=1e-6)
