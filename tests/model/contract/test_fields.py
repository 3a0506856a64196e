"""The kinds of field: what they accept, their messages and their codes."""

import math
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from model.contract.fields import INVALID, AnyField, NumberField
from model.contract.fields.choice import MOST_CHOICES
from model.contract.fields.text import MOST_LENGTH
from model.contract.outputs import NumberOutput
from model.contract.pictures import ImageField
from tests.model.contract.refusals import refusal

ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyField)
INTEGER = {"kind": "integer", "name": "rooms", "label": "Rooms", "noun": "rooms",
           "determiner": "the number of", "min": 1, "max": 2000, "example": 4}  # fmt: skip
NUMBER = {"kind": "number", "name": "area", "label": "Area", "noun": "living area",
          "unit": "m²", "min": 0.5, "max": 5000, "example": 120}  # fmt: skip
CHOICE = {
    "kind": "choice",
    "name": "roof",
    "label": "Roof",
    "noun": "roof",
    "example": "flat",
    "choices": [{"value": "flat", "label": "Flat"}, {"value": "0", "label": "None"}],
}
FLAG = {"kind": "flag", "name": "pool", "label": "Pool", "noun": "there is a pool",
        "example": True}  # fmt: skip


OUTPUT = {"kind": "number", "label": "Price", "noun": "price", "format": "number"}

TRICKS = [
    "{NAME.__class__}", "{NAME.real}", "{NAME[0]}", "{NAME!r}", "{NAME!s}", "{NAME:>9}",
    "{NAME:{NAME}}", "{NAME:%Y}", "{0}", "{}", "{:>9}", "{other}", "{ NAME }", "{NAME", "NAME}",
    "{", "{NAME!}", "{NAME[}",
]  # fmt: skip
"""What ``str.format`` takes beside a name alone, or what it stumbles over."""


def field(block: dict[str, Any], **changes: Any) -> Any:
    return ADAPTER.validate_python({**block, **changes})


@pytest.mark.parametrize(
    ("block", "raw", "value"),
    [
        (INTEGER, "4", 4),
        (INTEGER, "4.0", 4),
        (INTEGER, 4, 4),
        (INTEGER, 4.0, 4),
        (NUMBER, "120 m²", 120.0),
        (NUMBER, 0.5, 0.5),
        (CHOICE, "flat", "flat"),
        (CHOICE, "0", "0"),
        (FLAG, "yes", True),
        (FLAG, "no", False),
        (FLAG, False, False),
    ],
)
def test_a_good_value_is_accepted(block: dict[str, Any], raw: object, value: object) -> None:
    accepted = field(block).validate_value(raw)
    assert accepted == value
    assert type(accepted) is type(value)


@pytest.mark.parametrize(
    ("block", "raw", "words"),
    [
        (INTEGER, "", "Enter the number of rooms"),
        (INTEGER, None, "Enter the number of rooms"),
        (INTEGER, "x", "Rooms must be a number, like 4"),
        (INTEGER, True, "Rooms must be a number, like 4"),
        (INTEGER, [4], "Rooms must be a number, like 4"),
        (INTEGER, math.nan, "Rooms must be a number, like 4"),
        (INTEGER, math.inf, "Rooms must be a number, like 4"),
        (INTEGER, "4.5", "Rooms must be a whole number, like 4"),
        (INTEGER, "4,5", "Rooms must be a whole number, like 4"),
        (INTEGER, "4.5 rooms", "Rooms must be a whole number, like 4"),
        (INTEGER, "2½", "Rooms must be a whole number, like 4"),
        (INTEGER, 0, "Rooms must be between 1 and 2,000"),
        (INTEGER, 10**400, "Rooms must be between 1 and 2,000"),
        (NUMBER, "0.4", "Area must be between 0.5 and 5,000"),
        (CHOICE, "", "Choose the roof"),
        (CHOICE, "Flat", "Roof must be one from the list"),
        (CHOICE, 0, "Roof must be one from the list"),
        (FLAG, "", "Say whether there is a pool"),
        (FLAG, "maybe", "Pool must be yes or no"),
    ],
)
def test_a_bad_value_is_refused_in_words(block: dict[str, Any], raw: object, words: str) -> None:
    assert refusal(field(block), raw) == words


@pytest.mark.parametrize("block", [INTEGER, NUMBER, CHOICE, FLAG])
def test_an_optional_field_may_be_unknown_and_encodes_as_nan(block: dict[str, Any]) -> None:
    optional = field(block, required=False)
    assert optional.validate_value("  ") is None
    assert math.isnan(optional.encode(None))
    assert optional.decode(math.nan) is None


@pytest.mark.parametrize(
    ("block", "value"), [(INTEGER, 4), (NUMBER, 0.5), (CHOICE, "0"), (FLAG, True), (FLAG, False)]
)
def test_decoding_inverts_encoding(block: dict[str, Any], value: object) -> None:
    made = field(block)
    assert made.decode(made.encode(value)) == value
    assert made.validate_value(made.decode_typed(made.encode(value))) == value


def test_a_label_in_braces_does_not_break_a_message() -> None:
    assert refusal(field(INTEGER, label="{rooms}"), "x") == "{rooms} must be a number, like 4"


@pytest.mark.parametrize("key", ["reason_text", "comparison_text", "larger_text", "smaller_text"])
@pytest.mark.parametrize("place", TRICKS)
def test_a_sentence_has_names_alone_in_its_places(key: str, place: str) -> None:
    known = field(INTEGER).placeholders[key][-1]
    text = f"it is {place.replace('NAME', known)}"
    with pytest.raises(ValidationError, match=rf"{key} can have .*\{{{known}\}}, and no others"):
        field(INTEGER, **{key: text})


def test_a_brace_that_is_text_is_written_twice() -> None:
    assert field(INTEGER, reason_text="{{it}} has {value}").split_reason(4) == (
        "{it} has ",
        "4",
        "",
    )


@pytest.mark.parametrize("place", TRICKS)
def test_the_ranges_have_names_alone_in_their_places(place: str) -> None:
    trick = place.replace("NAME", "low")
    for key in ("range_text", "outside_text"):
        with pytest.raises(ValidationError, match=f"{key} can have the placeholders"):
            NumberOutput.model_validate({**OUTPUT, key: f"{{share}} {trick} to {{high}}"})


@pytest.mark.parametrize("key", ["reason_text", "comparison_text"])
@pytest.mark.parametrize("place", TRICKS)
def test_a_sentence_of_a_picture_has_names_alone_in_its_places(key: str, place: str) -> None:
    changes = {"kind": "image", key: place.replace("NAME", "value")}
    with pytest.raises(ValidationError, match=f"{key} can have the placeholders"):
        ImageField.model_validate({"name": "x", "label": "X", "noun": "x", **changes})


@pytest.mark.parametrize(
    ("block", "changes", "says"),
    [
        (INTEGER, {"min": 5000}, "min must be below max"),
        (INTEGER, {"min": 4, "max": 4}, "min must be below max: min = 4, max = 4"),
        (INTEGER, {"example": 0}, "example = 0 is outside min and max"),
        (INTEGER, {"example": 2001}, "example = 2001 is outside min and max"),
        (INTEGER, {"seen_min": 0}, "seen_min = 0 is outside min and max"),
        (INTEGER, {"seen_max": 2001}, "seen_max = 2001 is outside min and max"),
        (INTEGER, {"name": "Rooms!"}, "pattern"),
        (INTEGER, {"colour": "red"}, "Extra inputs"),
        (INTEGER, {"reason_text": "it has {valu}"}, r"placeholders \{noun\} and \{value\}, and no"),
        (INTEGER, {"reason_text": "it has {value.real}"}, "reason_text can have the placeholders"),
        (INTEGER, {"reason_text": "it has {value!r}"}, "reason_text can have the placeholders"),
        (INTEGER, {"reason_text": "it has {value:99}"}, "reason_text can have the placeholders"),
        (INTEGER, {"reason_text": "it has {value"}, "reason_text can have the placeholders"),
        (INTEGER, {"larger_text": "{} more"}, r"larger_text can have the placeholders \{amount\}"),
        (CHOICE, {"example": "steep"}, "not one of the choices"),
        (CHOICE, {"choices": [{"value": "a", "label": "A"}] * 2}, "twice"),
        ({**INTEGER, "kind": "colour"}, {}, "colour"),
    ],
)
def test_a_field_that_makes_no_sense_is_no_field(
    block: dict[str, Any], changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValidationError, match=says):
        field(block, **changes)


@pytest.mark.parametrize("changes", [{"example": 1}, {"example": 2000}, {"seen_min": 1}])
def test_a_field_may_say_as_much_as_its_bounds(changes: dict[str, Any]) -> None:
    assert field(INTEGER, **changes).seen_bounds == ((1, 2000) if "seen_min" in changes else ())


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({}, (None, None)),
        ({"seen_min": 5}, (10, None)),
        ({"seen_min": 20}, (20, None)),
        ({"seen_max": 1500}, (None, 1000)),
        ({"seen_max": 500}, (None, 500)),
    ],
)
def test_narrower_bounds_take_what_was_seen_along(
    seen: dict[str, int], expected: tuple[int | None, int | None]
) -> None:
    narrow = field(INTEGER, **seen).with_code_bounds(10.0, 1000.0)
    assert (narrow.min, narrow.max) == (10, 1000)
    assert (narrow.seen_min, narrow.seen_max) == expected


@pytest.mark.parametrize(
    ("changes", "value", "said"),
    [
        ({"seen_min": 10}, 9, "Below what the model has seen, which begins at 10"),
        ({"seen_min": 10}, 10, ""),
        ({"seen_max": 1500}, 1501, "Above what the model has seen, which ends at 1,500"),
        ({"seen_max": 1500}, 1500, ""),
        ({}, 2000, ""),
    ],
)
def test_a_form_says_which_values_no_row_of_the_data_had(
    changes: dict[str, Any], value: int, said: str
) -> None:
    assert field(INTEGER, **changes).describe_unseen(value) == said


def test_a_small_number_is_shown_with_four_digits_and_a_difference_with_its_noun() -> None:
    field = NumberField(
        name="bmi", kind="number", label="BMI", noun="body mass index", min=-0.2, max=0.2,
        example=0.05,
    )  # fmt: skip
    assert field.format_value(0.001754) == "0.001754"
    assert field.format_difference(0.0126, 0.0546) == "body mass index 0.042 more"
    with pytest.raises(PydanticCustomError, match=r"between -0\.2 and 0\.2"):
        field.validate_value("0.5")


YEAR = {"kind": "integer", "name": "built", "label": "Year built", "noun": "year", "min": 1950,
        "max": 1960, "example": 1955, "grouping": False}  # fmt: skip
SQFT = {"kind": "integer", "name": "sqft", "label": "Square feet", "noun": "living area",
        "unit": "sq ft", "min": 300, "max": 6000, "example": 1850}  # fmt: skip
COLD = {"kind": "number", "name": "cold", "label": "Cold", "noun": "cold", "min": -40,
        "max": -0.5, "example": -4}  # fmt: skip


@pytest.mark.parametrize(
    ("block", "typed"),
    [
        *((SQFT, typed) for typed in ("2", "24", "0", "1,", "1,8", "1,85", "$", "٢", "1850 s")),
        *((YEAR, typed) for typed in ("1", "19", "195")),
        *((COLD, typed) for typed in ("-", "-0", "-.", "-0.")),
        *((NUMBER, typed) for typed in (".", "0", "0.", "3 1/", "120 m")),
        *((CHOICE, typed) for typed in ("f", "Fl", "non")),
        *((FLAG, typed) for typed in ("y", "N")),
    ],
)
def test_a_text_on_the_way_to_a_value_is_incomplete(block: dict[str, Any], typed: str) -> None:
    kind = field(block)
    kind.localise("en_US")
    with pytest.raises(PydanticCustomError):
        kind.read(typed)
    assert kind.is_incomplete(typed)


@pytest.mark.parametrize(
    ("block", "typed"),
    [
        *((SQFT, typed) for typed in ("60000", "7000", "-", "-5", "abc", "2.5555", "1850 x")),
        *((YEAR, typed) for typed in ("2", "18", "1949", "197", "19a")),
        *((COLD, typed) for typed in ("4", "-41", "-400", "--")),
        *((NUMBER, typed) for typed in ("99999", "three", "5²")),
        *((CHOICE, typed) for typed in ("x", "flatt", "Flats")),
        *((FLAG, typed) for typed in ("yess", "1")),
    ],
)
def test_a_text_that_no_typing_makes_a_value_is_not_incomplete(
    block: dict[str, Any], typed: str
) -> None:
    kind = field(block)
    kind.localise("en_US")
    with pytest.raises(PydanticCustomError):
        kind.read(typed)
    assert not kind.is_incomplete(typed)


@pytest.mark.parametrize(
    ("values", "sent", "meant"),
    [
        (("1", "2"), 2, "2"),
        (("1", "2"), 2.0, "2"),
        (("1.0", "2.5"), 1, "1.0"),
        (("01", "02"), 2, "02"),
        (("-1", "0"), -1, "-1"),
        (("False", "True"), True, "True"),
        (("1", "2"), 3, None),
        (("1", "2"), True, None),
        (("1", "01"), 1, None),
        (("red", "2"), 1e309, None),
    ],
)
def test_a_choice_takes_the_number_in_json_that_one_of_its_values_writes(
    values: tuple[str, ...], sent: object, meant: str | None
) -> None:
    choices = [{"value": value, "label": value} for value in values]
    read = field(CHOICE, choices=choices, example=values[0]).read_json(sent)
    assert read == (INVALID if meant is None else meant)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (1, True), (0, False), (1.0, True), (False, False), (2, None), (0.5, None),
        ("TRUE", True), ("n", False), ("yes", True), ("tak", True), ("VRAI", True), ("nein", False),
    ],
)  # fmt: skip
def test_a_flag_takes_in_json_what_data_have_for_yes_and_no(
    sent: object, meant: bool | None
) -> None:
    read = field(FLAG).read_json(sent)
    assert read is (INVALID if meant is None else meant)


LONG = {"label": 60, "noun": 60, "help": 200, "group": 60, "unit": 20}
TEXT = {"kind": "text", "name": "story", "label": "Story", "noun": "story", "example": "x"}
SEARCH = CHOICE | {"kind": "search", "example": "v0"}
OPTION = {"value": "flat", "label": "Flat"}
OPTIONS = [{"value": f"v{place}", "label": f"Place {place}"} for place in range(MOST_CHOICES + 1)]


@pytest.mark.parametrize(
    ("block", "key", "taken", "refused"),
    [
        *[
            (NUMBER | {"required": False}, key, ["x" * most], ["x" * (most + 1)])
            for key, most in LONG.items()
        ],
        (NUMBER, "label", ["x"], [""]),
        (NUMBER, "noun", ["x"], [""]),
        (TEXT, "max_length", [1, MOST_LENGTH], [0, MOST_LENGTH + 1]),
        (TEXT, "example", ["x"], [""]),
        (CHOICE, "choices", [CHOICE["choices"]], [[OPTION]]),
        (SEARCH, "choices", [OPTIONS[:2], OPTIONS[:-1]], [OPTIONS[:1], OPTIONS]),
        *[
            (CHOICE, f"choices.1.{key}", ["x", "x" * 100], ["", "x" * 101])
            for key in ("value", "label")
        ],
    ],
)
def test_the_ends_of_what_a_card_may_say_of_a_field(
    block: dict[str, Any], key: str, taken: list[Any], refused: list[Any]
) -> None:
    def build(value: object) -> object:
        if key.startswith("choices."):
            return field(block, choices=[OPTION, OPTION | {"value": "b", key[10:]: value}])
        return field(block, **{key: value})

    for value in taken:
        build(value)
    for value in refused:
        with pytest.raises(ValidationError, match=rf"\n\w+\.{key}\n"):
            build(value)


def test_choices_are_listed_for_programs_as_people_read_them() -> None:
    choices = [{"value": "weiß", "label": "Weiß"}, {"value": '"大"', "label": "Large"}]
    colour = field(CHOICE, choices=choices, example="weiß")
    assert colour.accepted_json_text == 'one of "weiß", "\\"大\\""'
