"""A data dictionary says what columns are called and measured in."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from model.making.columns.describing import infer_columns
from model.making.columns.drafting import draft_field
from model.making.columns.naming import (
    ask_for_class,
    ask_for_number,
    find_pair,
    name_columns,
    name_rows,
    name_target,
)
from model.making.dictionaries import Description, add_units, read_dictionary
from model.making.errors import AddError

TABLES = [
    "column,label,unit,help\nbp,Blood pressure,mmHg,\nsex,Sex,,1 = male; 2 = female\n",
    "Variable;Description;Units\nbp;Blood pressure;mmHg\nsex;Sex (1 = male, 2 = female);\n",
    "# Data\n\n| Column | Label | Unit | Notes |\n|---|---|:-:|---|\n"
    "| `bp` | Blood pressure | mmHg | |\n| sex | Sex | | 1: male, 2: female |\n",
]


@pytest.mark.parametrize("text", TABLES)
def test_a_table_in_csv_or_markdown_names_columns(tmp_path: Path, text: str) -> None:
    (tmp_path / "words").write_text(text, encoding="utf-8")
    found = read_dictionary(tmp_path / "words")
    assert (found["bp"].label, found["bp"].unit) == ("Blood pressure", "mmHg")
    assert found["sex"].codes == {"1": "male", "2": "female"}
    named = name_columns(["bp", "s5"], {"bp", "s5"}, found)
    assert [(item.label, item.unit, item.is_own) for item in named] == [
        ("Blood pressure", "mmHg", False),
        ("s5", "", True),
    ]


def test_codes_stay_what_a_file_has_and_words_are_their_labels() -> None:
    cells = pd.DataFrame({"sex": [1, 2] * 30})
    found = {"sex": Description(codes={"1": "male", "2": "female"})}
    (column,) = infer_columns(cells, ["sex"], set(), {}, described=found)
    drafted = draft_field(column, True, cells["sex"].to_numpy(float) - 1).field
    assert [(item.value, item.label) for item in drafted.options] == [
        ("1", "male"),
        ("2", "female"),
    ]
    assert [drafted.translate_cell(cell) for cell in ("2", 2.0, "female")] == ["2", "2", "2"]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "just words"])
def test_a_file_without_such_a_table_is_refused_with_what_to_write(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "words").write_text(text, encoding="utf-8")
    with pytest.raises(AddError, match="Write these in its first row"):
        read_dictionary(tmp_path / "words")


def test_units_are_added_to_columns_of_the_data_alone() -> None:
    assert add_units({}, [("bp", "mmHg")], ["bp"]) == {"bp": Description(unit="mmHg")}
    with pytest.raises(AddError, match=r"the data have no such column\. They have: bp"):
        add_units({}, [("bq", "mmHg")], ["bp"])
    with pytest.raises(AddError, match=r"Write a unit of at most 20 characters"):
        add_units({}, [("bp", "millimetres of mercury")], ["bp"])


@pytest.mark.parametrize(
    ("target", "file", "counts", "title"),
    [
        ("count", "bikes.csv", True, "How many bikes?"),
        ("num_rooms", "flats.csv", True, "How many rooms?"),
        (
            "selling_price",
            "used_cars_train.csv",
            False,
            "What is the selling price of this used car?",
        ),
        ("charges", "insurance.csv", False, "What are the charges?"),
        ("y", "houses.csv", False, "What does the model say of this house?"),
        ("medv", "train.csv", False, "What is medv?"),
        ("strength_mpa", "train.csv", False, "What is the strength?"),
        ("CO2 Emissions(g/km)", "data.csv", True, "What are the CO2 emissions?"),
        ("Miles_per_Gallon", "cars.csv", False, "How many miles per gallon?"),
    ],
)
def test_a_title_is_a_question_that_fits_the_target(
    target: str, file: str, counts: bool, title: str
) -> None:
    naming = name_target(target, is_number=True)
    assert ask_for_number(naming, name_rows(file), counts) == title


def test_a_title_asks_between_few_classes() -> None:
    rows = name_rows("tumours.csv")
    diagnosis, answer = name_target("diagnosis", False), name_target("target", False)
    assert ask_for_class(diagnosis, rows, ["benign", "malignant"]) == (
        "Is this tumour benign or malignant?"
    )
    assert ask_for_class(answer, name_rows("wines.csv"), ["Barolo", "Barbera"]) == (
        "Is this wine Barolo or Barbera?"
    )
    assert ask_for_class(answer, name_rows("data.csv"), ["0", "1", "2"]) == (
        "Which of 3 classes is it?"
    )
    assert ask_for_class(diagnosis, rows, ["Yes", "No"]) == "Diagnosis: yes or no?"
    plant = name_target("plant", False)
    assert ask_for_class(plant, name_rows("plants.csv"), [*"12345"]) == ("Which plant is it?")
    assert ask_for_class(name_target("label", False), name_rows("news.csv"), ["1", "2"]) == (
        "Which label is it?"
    )


def test_positive_and_negative_are_opinions_as_often_as_findings_and_stay() -> None:
    assert find_pair(["absent", "present"]) == ("absent", "present")
    assert find_pair(["negative", "positive"]) is None


def test_a_name_keeps_each_letter_that_is_a_latin_one() -> None:
    names = [
        item.name for item in name_columns(["odległość [km]", "Größe", "Œuvre", "がく"], set())
    ]
    assert names == ["odleglosc_km", "grosse", "oeuvre", "fact"]
