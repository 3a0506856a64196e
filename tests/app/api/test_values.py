"""The JSON API refuses the values that the form refuses, in the same words."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.app.api.sending import PREDICT, ROW, by_pointer, check_problem, send
from tests.html import post_fragment, text_of


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("beds", 99),
        ("beds", -1),
        ("beds", 2.5),
        ("baths", 1e300),
        ("sqft", 10**400),
        ("condition", "Splendid"),
        ("year_built", 1492),
    ],
)
def test_errors_have_the_words_of_the_form(client: FlaskClient, name: str, value: Any) -> None:
    soup = post_fragment(client, {**ROW, name: "9" * 30 if value == 10**400 else value}, 422)
    (error,) = send(client, {**ROW, name: value}, 422)["errors"]
    words = text_of(soup, f"#{name}-error").removeprefix("Error: ")
    if isinstance(value, float) and value == 1e300:
        words = "Bathrooms must be between 0.5 and 8"  # the form does not read 1e300 at all
    assert error == {"field": name, "message": words, "pointer": f"/{name}"}


@pytest.mark.parametrize("value", [True, False, "x", "", [], {}, [3], {"value": 3}], ids=repr)
def test_a_value_that_is_no_number_is_refused(client: FlaskClient, value: Any) -> None:
    found = send(client, {**ROW, "beds": value}, 422)
    assert by_pointer(found) == {"/beds": "Bedrooms must be a number, like 3"}


def test_a_number_as_text_is_read_as_the_form_reads_it(client: FlaskClient) -> None:
    plain = send(client, {**ROW, "lot_area": 9500})
    texts = {"beds": "3 bedrooms", "baths": "2½", "sqft": "1,850 sq ft", "lot_area": "9.500"}
    assert send(client, texts) == plain


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("basement_sqft", "1.000", "Basement: 1,000 or 1?"),
        ("baths", "2,5", "Bathrooms must be a plain number. Write 2.5"),
        ("sqft", "172 m²", "Square feet must be in sq ft: 172 m² is 1,851"),
        ("beds", "three", "Bedrooms must be a plain number. Write 3"),
    ],
)
def test_a_text_that_is_not_clear_gets_what_to_write(
    client: FlaskClient, name: str, value: str, says: str
) -> None:
    assert by_pointer(send(client, {**ROW, name: value}, 422)) == {f"/{name}": says}


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1E+400"])
def test_a_number_beyond_all_floats_is_refused(client: FlaskClient, number: str) -> None:
    body = json.dumps(ROW).replace("2.5", number)
    response = client.post(PREDICT, data=body, content_type="application/json")
    assert response.status_code == 422
    assert by_pointer(check_problem(response)) == {"/baths": "Bathrooms must be a number, like 2.5"}


@pytest.mark.parametrize("value", ["", " ", 3, True, ["Good"], "good"], ids=repr)
def test_an_unknown_choice_is_refused(client: FlaskClient, value: Any) -> None:
    found = send(client, {**ROW, "condition": value}, 422)
    assert by_pointer(found) == {"/condition": "Condition must be one from the list"}


def test_missing_required_fields_are_errors(client: FlaskClient) -> None:
    assert by_pointer(send(client, {"beds": None}, 422)) == {
        "/beds": "Enter the number of bedrooms",
        "/baths": "Enter the number of bathrooms",
        "/sqft": "Enter the living area",
    }


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("year_build", 'There is no field "year_build". Did you mean "year_built"?'),
        ("Lot Area", 'There is no field "Lot Area". Did you mean "lot_area"?'),
        ("zzz", 'There is no field "zzz"'),
        ("x" * 60, f'There is no field "{"x" * 60}"'),
        ("x" * 61, "There is no such field"),
        ("\ud800", "There is no such field"),
    ],
)
def test_an_unknown_key_is_refused_with_a_suggestion(
    client: FlaskClient, key: str, says: str
) -> None:
    (error,) = send(client, {**ROW, key: 1}, 422)["errors"]
    assert error["field"] is None
    assert error["message"] == says
    assert error["pointer"] == ("" if says == "There is no such field" else f"/{key}")


def test_a_pointer_is_escaped(client: FlaskClient) -> None:
    (error,) = send(client, [{**ROW, "a/b~c": 1}], 422)["errors"]
    assert error["pointer"] == "/0/a~1b~0c"


def test_every_fault_of_a_list_has_its_place_and_nothing_is_predicted(
    client: FlaskClient,
) -> None:
    found = send(client, [ROW, {**ROW, "beds": 99}, 7, {"sqft": "x"}], 422)
    assert list(by_pointer(found)) == ["/1/beds", "/2", "/3/beds", "/3/baths", "/3/sqft"]
    assert found["detail"] == "3 of 4 rows have errors. No prediction was made."


def test_faults_are_counted_where_they_are_too_many_to_list(client: FlaskClient) -> None:
    found = send(client, [{}] * 400, 422)
    assert len(found["errors"]) == 1000
    assert found["detail"].endswith("The first 1,000 of 1,200 errors are listed.")


@pytest.mark.parametrize("body", [3, "row", None, True, 2.5], ids=repr)
def test_a_body_that_is_neither_row_nor_list_is_refused(client: FlaskClient, body: Any) -> None:
    assert "" in by_pointer(send(client, body, 422))
