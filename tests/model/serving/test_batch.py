"""Many rows at once get what each gets alone: the form's errors, the API's numbers and warnings."""

import datetime as dt
import io
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from model import Features, NumberModel, PictureModel
from model.contract.arrays import Float32Array
from model.contract.fields import (
    ChoiceField,
    DateField,
    FlagField,
    IntegerField,
    NumberField,
    Option,
)
from model.contract.reading import DecimalSign
from model.contract.tables import Block, ReadOptions, TableError, open_table
from model.contract.tables.table import EncodedCells
from model.serving import predictors
from model.serving.batch import Answers, BatchPredictor, ItemPredictor, Summary, unusual
from model.serving.batch.columns import FieldReader, read_json_value
from model.serving.batch.parallel import answer_in_processes
from model.serving.kinds.pictures import NetworkOutput
from model.serving.mismatches import describe_mismatch
from tests.loading import load_as
from tests.tools import ROOT

FIELD: dict[str, Any] = {"name": "x", "label": "X", "noun": "x"}

DAY = DateField(**FIELD, kind="date", min="2000-01-01", max="2020-01-01", example="2010-05-31")


def answer(model: NumberModel, text: str, **options: Any) -> tuple[Answers, list[str]]:
    table = open_table(io.BytesIO(text.encode()), "my.csv")
    predictor = BatchPredictor(model, table.header, table.sample, **options)
    (block,) = table.blocks
    return predictor.predict(block), predictor.notes


def draw_rows(model: NumberModel, rows: int, seed: int) -> list[dict[str, str]]:
    """Rows like the training rows, with holes and with mistakes."""
    rng = np.random.default_rng(seed)
    assert model.neighbors is not None
    codes = model.neighbors.rows[rng.integers(0, len(model.neighbors.rows), rows)]
    mistakes = [
        "", " ", "abc", "-3", "1e3", "9999999", "1,850", "1.850", "2½", "3.5", "nan!", "0",
        "1 850", "$5", "Gilbert", "gilbert", "two", "nan0", "12,5", "١٢", "1850 sq ft", "5'000",
    ]  # fmt: skip
    drawn = []
    for row in codes.tolist():
        cells = {}
        for field, code in zip(model.card.fields, row, strict=True):
            value = "" if math.isnan(code) else field.format_typed(field.decode(code))
            kind = rng.random()
            if kind < 0.04:
                value = mistakes[rng.integers(len(mistakes))]
            elif kind < 0.15 and not field.required:
                value = ""
            cells[field.name] = value
        drawn.append(cells)
    return drawn


def to_csv(rows: Sequence[dict[str, str]]) -> str:
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(",".join(f'"{cell}"' for cell in line) for line in lines) + "\n"


def compare_with_single_rows(model: NumberModel, rows: list[dict[str, str]]) -> int:
    """Compare a file's answers with those of the form and the model, row by row; how many wrong."""
    found, _ = answer(model, to_csv(rows))
    right: dict[int, Features] = {}
    for index, row in enumerate(rows):
        features, errors = model.card.validate_row({n: v for n, v in row.items() if v})
        assert found.errors.get(index, {}) == errors, row
        if features is not None:
            right[index] = features
    explained = model.explain(list(right.values()), contributions=False)
    columns = [found.values[name] for name in model.answer_columns]
    for (index, _), one in zip(right.items(), explained, strict=True):
        assert [column[index] for column in columns] == pytest.approx(
            model.tabulate(one.prediction), rel=1e-6
        )
        assert (index in found.unusual) == one.out_of_distribution
        if one.mismatch is not None:
            assert describe_mismatch(model.card, one.mismatch) in found.unusual[index]
    assert all(np.isnan(columns[0][index]) for index in found.errors)
    return len(found.errors)


def test_holes_and_mistakes_get_the_form_s_errors_and_the_rest_the_model_s_answers(
    house: NumberModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (predictors, unusual):
        monkeypatch.setattr(module, "_ROWS_AT_ONCE", 100)
    rows = draw_rows(house, 2_500, seed=7)
    assert 300 < compare_with_single_rows(house, rows) < 1_200


def test_the_api_says_the_same(house: NumberModel, client: FlaskClient) -> None:
    rows = [row for row in draw_rows(house, 300, seed=8) if all(row[n] for n in ("beds", "sqft"))]
    found, _ = answer(house, to_csv(rows))
    right = [index for index in range(len(rows)) if index not in found.errors]
    sent = [{name: cell.strip() or None for name, cell in rows[index].items()} for index in right]
    response = client.post("/api/predict", json=sent)
    assert response.status_code == 200
    for index, said in zip(right, response.json or [], strict=True):
        low, high = said["interval"]["low"], said["interval"]["high"]
        assert [found.values[name][index] for name in ("prediction", "low", "high")] == (
            pytest.approx([said["prediction"], low, high], rel=1e-6)
        )
        warnings = [warning["message"] for warning in said["warnings"]]
        assert warnings == ([found.unusual[index]] if index in found.unusual else [])
    wrong = next(iter(found.errors))
    problem = client.post(
        "/api/predict", json={n: c.strip() or None for n, c in rows[wrong].items()}
    )
    assert {e["field"]: e["message"] for e in (problem.json or {})["errors"]} == found.errors[wrong]


def test_cells_that_stand_for_nothing_are_unknown_where_a_fact_may_be(house: NumberModel) -> None:
    text = "beds,baths,sqft,lot_area,garage_cars\n3,2,1850,NA,?\n3,2,1850,None,n/a\n3,NA,1850,,\n"
    found, _ = answer(house, text)
    assert list(found.errors) == [2]
    assert found.errors[2] == {"baths": "Bathrooms must be a number, like 2.5"}
    plain, _ = answer(house, "beds,baths,sqft\n3,2,1850\n")
    assert found.values["prediction"][0] == plain.values["prediction"][0]


def test_a_file_with_decimal_commas_is_read_so_and_says_so(house: NumberModel) -> None:
    rows = "3;2,5;1850\n2;1,0;900\n4;3;1.850\n"
    found, notes = answer(house, "beds;baths;sqft\n" + rows)
    plain, _ = answer(house, "beds,baths,sqft\n3,2.5,1850\n2,1,900\n4,3,1850\n")
    assert not found.errors
    assert found.values["prediction"].tolist() == plain.values["prediction"].tolist()
    assert "Its numbers have a comma before the decimals." in notes


def test_what_a_form_would_ask_back_the_column_answers() -> None:
    field = NumberField(**FIELD, kind="number", min=0, max=9000, example=1)
    settled = field.settle_decimals(".")
    assert settled.read_cell("1.850") == 1.85
    assert settled.read_cell("7e-05") == 7e-05


@pytest.mark.parametrize(
    ("field", "cell", "value"),
    [
        (FlagField(**FIELD, kind="flag", example=True), "True", True),
        (FlagField(**FIELD, kind="flag", example=True, no="Nein"), "nein", False),
        (FlagField(**FIELD, kind="flag", example=True), 0, False),
        (FlagField(**FIELD, kind="flag", example=True, required=False), math.nan, None),
        (NumberField(**FIELD, kind="number", min=0, max=1, example=0.5), "7e-05", 7e-05),
        (IntegerField(**FIELD, kind="integer", min=0, max=9, example=5), "3.0", 3),
        (FlagField(**FIELD, kind="flag", example=True, required=False), "NULL", None),
        (
            DAY,
            dt.datetime(2010, 5, 31, 12),
            "2010-05-31",
        ),
        (
            DAY,
            "2010-05-31 00:00:00",
            "2010-05-31",
        ),
    ],
)  # fmt: skip
def test_cells_that_programs_write_are_read(field: Any, cell: object, value: object) -> None:
    assert field.read_cell(cell) == value


def test_a_choice_takes_its_labels_and_codes_that_became_numbers() -> None:
    options = Option(value="1", label="First class"), Option(value="2", label="Second")
    field = ChoiceField(**FIELD, kind="choice", choices=options, example="1")
    assert [field.read_cell(cell) for cell in ("1", "First class", "2.0", 2, 2.0, " 2 ")] == [
        "1", "1", "2", "2", "2", "2",
    ]  # fmt: skip
    reader = FieldReader(field, field.read_cell)
    assert reader.read_column(("3", "first class"), texts=True)[1] == dict.fromkeys(
        (0, 1), "X must be one from the list"
    )


def test_values_that_are_equal_to_a_dict_are_told_apart() -> None:
    field = IntegerField(**FIELD, kind="integer", min=0, max=9, example=5)
    reader = FieldReader(field, read_json_value(field))
    cells = [1, True, 1.0, "1", None, [1], [2], {"a": 1}]
    codes, messages = reader.read_column(cells, texts=False)
    assert codes[[0, 2, 3]].tolist() == [1, 1, 1]
    assert sorted(messages) == [1, 4, 5, 6, 7]
    assert messages[4] == "Enter the x"


@pytest.mark.parametrize("strict", [False, True])
def test_a_list_or_an_object_is_no_unknown_value(strict: bool) -> None:
    field = IntegerField(**FIELD, kind="integer", min=0, max=9, example=5, required=False)
    reader = FieldReader(field, read_json_value(field) if strict else field.read_cell)
    codes, messages = reader.read_column([[1], None, {"a": 1}, 2], texts=False)
    assert messages == dict.fromkeys((0, 2), "X must be a number, like 5")
    assert np.isnan(codes[1])
    assert codes[3] == 2


def test_distinct_numbers_are_read_together_and_as_one_by_one() -> None:
    field = NumberField(**FIELD, kind="number", min=-5, max=9000, example=1, required=False)
    rng = np.random.default_rng(0)
    texts = [f"{value:.{rng.integers(0, 9)}f}" for value in rng.normal(0, 3000, 2000)]
    texts += [
        "",
        "NA",
        "1e3",
        "9,5",
        "1.850",
        "-0",
        "5\n6",
        "0" * 45,
        "٣",
        " 7",
        "12.345 ",
        "1" * 30,
    ]
    codes, messages = FieldReader(field, field.read_cell).read_column(texts, texts=True)
    for index, text in enumerate(texts):
        alone, message = FieldReader(field, field.read_cell).read_column((text,), texts=True)
        assert messages.get(index) == message.get(0), text
        np.testing.assert_array_equal(codes[index], alone[0])
    indices = rng.integers(0, len(texts), 500)
    taken, wrong = FieldReader(field, field.read_cell).read_column(
        EncodedCells(texts, indices, texts=True), texts=False
    )
    np.testing.assert_array_equal(taken, codes[indices])
    assert wrong == {row: messages[i] for row, i in enumerate(indices.tolist()) if i in messages}


@pytest.mark.parametrize("sign", [".", ","])
def test_a_line_break_in_a_number_is_wrong_in_its_row_alone(sign: DecimalSign) -> None:
    field = NumberField(**FIELD, kind="number", min=0, max=9, example=1).settle_decimals(sign)
    cells = ["1", "2\n3", "4", "5\n"]
    codes, messages = FieldReader(field, field.read_cell).read_column(cells, texts=True)
    assert codes[[0, 2, 3]].tolist() == [1, 4, 5]
    assert messages == {1: "X must be a number, like 1"}


def test_columns_of_numbers_are_held_against_the_bounds(house: NumberModel) -> None:
    sqft = np.array([1850.0, 99.0, np.nan, 1850.5])
    block = Block([np.array([3.0] * 4), [2.5] * 4, sqft], 4, texts=False)
    found = BatchPredictor(house, ("beds", "baths", "sqft")).predict(block)
    assert found.errors == {
        1: {"sqft": "Square feet must be between 300 and 6,000"},
        2: {"sqft": "Enter the living area"},
        3: {"sqft": "Square feet must be a whole number, like 1,850"},
    }


def test_a_row_that_breaks_the_arithmetic_has_an_error_and_the_others_answers(
    house: NumberModel,
) -> None:
    class Breaking:
        def predict(self, matrix: Float32Array) -> Any:
            values, scales = house.predictor.predict(matrix)
            values[matrix[:, 0] == 0] = np.inf
            return values, scales

    model = replace(house, predictor=Breaking())
    found, _ = answer(model, "beds,baths,sqft\n3,2,1850\n0,2,1850\n3,2,1850\n")
    assert found.errors == {1: {"": "The model gives no finite number for this row"}}
    assert np.isfinite(found.values["prediction"][[0, 2]]).all()


def test_a_row_that_ends_the_arithmetic_of_all_leaves_the_others_their_answers(
    house: NumberModel,
) -> None:
    class Raising:
        def predict(self, matrix: Float32Array) -> Any:
            if (matrix[:, 0] == 0).any():
                raise ArithmeticError
            return house.predictor.predict(matrix)

    years = ["1960", "", "1990", "1960", "", "2000"]
    rows = [f"{beds},2,1850,{year}" for beds, year in zip("304513", years, strict=True)]
    text = "\n".join(["beds,baths,sqft,year_built", *rows, ""])
    model = replace(house, predictor=Raising())
    found, expected = answer(model, text)[0], answer(house, text)[0]
    no_answer = {1: {"": "The model gives no finite number for this row"}}
    assert found.errors == no_answer
    for name in house.answer_columns:
        assert np.isnan(found.values[name][1])
        np.testing.assert_allclose(
            np.delete(found.values[name], 1), np.delete(expected.values[name], 1), rtol=1e-6
        )
    table = open_table(io.BytesIO(text.encode()), "my.csv")
    predictor = BatchPredictor(model, table.header, table.sample)
    for contributions in (False, True):
        explained, errors = predictor.explain(table.sample, contributions)
        assert errors == no_answer
        assert explained[1] is None
        for row in (0, 2, 3, 4, 5):
            one = explained[row]
            assert one is not None
            assert one.prediction.value == pytest.approx(expected.values["prediction"][row])
            assert ("year_built" in one.known) == bool(years[row])
            assert (one.shapley is not None) == contributions
    empty = Block([[]] * 4, 0)
    for contributions in (False, True):
        assert predictor.explain(empty, contributions) == ([], {})
    assert predictor.predict(empty).errors == {}


def test_cells_that_were_read_are_forgotten_where_they_become_too_many(
    house: NumberModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = to_csv(draw_rows(house, 300, seed=4))
    expected = answer(house, rows)[0]
    monkeypatch.setattr("model.serving.batch.columns._MOST_KNOWN", 3)
    found = answer(house, rows)[0]
    assert found.errors == expected.errors
    np.testing.assert_array_equal(found.values["prediction"], expected.values["prediction"])


def test_ours_get_another_name_where_the_table_has_one_like_it(house: NumberModel) -> None:
    predictor = BatchPredictor(
        house, ("beds", "baths", "sqft", "Prediction", "formcast_prediction")
    )
    assert predictor.columns == (
        "formcast_formcast_prediction", "low", "high", "warning", "error",
    )  # fmt: skip


def test_a_table_without_a_required_column_is_refused(house: NumberModel) -> None:
    with pytest.raises(TableError, match=r"needs a column for sqft \(Square feet\)"):
        answer(house, "beds,baths\n3,2\n")


def test_a_summary_names_the_first_wrong_rows(house: NumberModel) -> None:
    rows = ["3,2,1850"] * 5 + ["99,2,1850", "3,2"] + ["3,x,1850"] * 20
    table = open_table(
        io.BytesIO("\n".join(["beds,baths,sqft", *rows]).encode()), "my.csv", ReadOptions(rows=4)
    )
    predictor, summary = BatchPredictor(house, table.header, table.sample), Summary()
    for block in table.blocks:
        summary.add(predictor.predict(block))
    assert (summary.rows, summary.answered, summary.wrong) == (27, 5, 22)
    assert summary.reasons[:2] == [
        (5, "Bedrooms must be between 0 and 8"),
        (6, "This row has 2 cells, but the first line names 3 columns"),
    ]
    assert len(summary.reasons) == 10


def test_processes_answer_in_order() -> None:
    assert list(answer_in_processes(range(9), partial(partial, abs), 2)) == list(range(9))


def test_pictures_are_answered_one_by_one_and_broken_ones_have_their_error() -> None:
    model = load_as(PictureModel, ROOT / "model" / "chest_xray")
    golden = (model.folder / model.manifest.golden[0].picture).read_bytes()
    predictor = ItemPredictor(model)
    ((block, found),) = predictor.predict_files([("a.png", golden), ("b.png", b"no picture")])
    assert block.columns == [["a.png", "b.png"]]
    assert found.values["label"][1] is None
    assert "must be a JPEG" in found.errors[1][model.card.field.name]
    assert predictor.columns[0] == "label"


def test_a_picture_that_is_none_of_its_kind_or_breaks_the_arithmetic_has_its_error() -> None:
    model = load_as(PictureModel, ROOT / "model" / "chest_xray")
    golden = (model.folder / model.manifest.golden[0].picture).read_bytes()
    name = model.card.field.name

    def predict(share: float, score: float) -> Answers:
        output = NetworkOutput(np.array([1 - share, share]), None, score)

        class Stub:
            has_map = False

            def predict(self, seen: object) -> NetworkOutput:
                return output

        return ItemPredictor(replace(model, predictor=Stub())).predict([golden] * 2)

    right = predict(0.75, -1.0)
    assert (right.rows, right.errors) == (2, {})
    assert right.values["label"] == ["PNEUMONIA"] * 2
    assert right.values["probability_PNEUMONIA"] == pytest.approx([0.75] * 2, abs=2e-3)
    refused = {name: model.card.output.refusal_text}
    broken = {"": "The model gives no finite number for this row"}
    for share, score, error in ((0.75, 0.5, refused), (math.nan, -1.0, broken)):
        found = predict(share, score)
        assert found.errors == {0: error, 1: error}
        assert found.values["label"] == [None] * 2
        assert np.isnan(found.values["probability_NORMAL"]).all()
