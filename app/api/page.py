"""``GET /api``: the API in words, with examples that work as they are pasted."""

import json
import shlex
from collections.abc import Callable, Iterable

from flask import Response, request
from werkzeug.exceptions import BadRequest

from app.api.openapi import STATUSES, build_row
from app.api.parsing import BODY_BYTES, MAX_ROWS
from app.api.serializing import NO_STORE
from app.http.problems import DETAILS, get_phrase
from app.http.responses import respond
from app.kinds.classes import ClassSerializer
from app.kinds.number import NumberSerializer
from app.kinds.payload import Payload
from app.kinds.pictures.uploads import PICTURE_TYPES
from app.presentation.contexts import ApiContext, ApiField, Renderer, Row, Site
from model import AnyModel, Classifier, Features, ImageClassifier, Regressor
from model.contract.fields import AnyField, Option
from model.serving.batch import BatchPredictor

MAX_LINE = 72
"""Characters of a row that is written on one line."""

ROW_EXAMPLE = """\
import json
import urllib.request

rows = [
{rows}]
request = urllib.request.Request(
    {url},
    data=json.dumps(rows).encode(),
    headers={{"Content-Type": "application/json"}},
)
with urllib.request.urlopen(request) as response:
    answers = json.load(response)
for answer in answers:
    print(answer["{first}"], answer.get("{second}"))
"""

PICTURE_EXAMPLE = """\
import json
import urllib.request

with open("picture.jpg", "rb") as file:
    picture = file.read()
request = urllib.request.Request(
    {url},
    data=picture,
    headers={{"Content-Type": "image/jpeg"}},
)
with urllib.request.urlopen(request) as response:
    answer = json.load(response)
print(answer["label"], answer["probability"])
"""


def make_page_view(
    model: AnyModel, site: Site, prefix: str, render: Renderer
) -> Callable[[], Response]:
    """Make the view of one model; everything but the server's address is made once."""
    path = f"{prefix}/api/predict"
    describe = (
        _describe_pictures(model) if isinstance(model, ImageClassifier) else _describe_rows(model)
    )

    def page() -> Response:
        # Flask checks TRUSTED_HOSTS here and raises 400 for a name that is not listed.
        if not request.host:
            raise BadRequest  # the name has invalid characters
        context = describe(site, request.root_url.rstrip("/") + path)
        # Never stored: the address comes from the request.
        return respond(render("api/page.html", context), 200, NO_STORE)

    return page


def _describe_rows(model: Regressor | Classifier) -> Callable[[Site, str], ApiContext]:
    card = model.card
    rows = [build_row(card, example.values) for example in card.examples][:2]
    fields = tuple(_describe_field(field) for field in card.fields)
    sample = json.dumps(_answer_row(model, rows[0]), indent=2, ensure_ascii=False)
    first, second = "prediction", "interval"
    if isinstance(model, Classifier):
        first, second = "label", "probability"
    python = ROW_EXAMPLE.format(
        rows="".join(f"    {_format_literal(row)},\n" for row in rows),
        url="{url}",
        first=first,
        second=second,
    )
    labels = _list_labels(model.card.class_output.classes) if isinstance(model, Classifier) else ()
    megabytes = BODY_BYTES // 1024**2

    def describe(site: Site, url: str) -> ApiContext:
        return ApiContext(
            site=site,
            heading="JSON API",
            url=url,
            curl=f"curl {shlex.quote(url)} \\\n  -H 'Content-Type: application/json' \\\n"
            f"  -d {shlex.quote(json.dumps(rows[0]))}",
            python=python.replace("{url}", json.dumps(url)),
            sample=sample,
            request_text=f"Send one row as an object, or a list of {MAX_ROWS:,} rows at most, as "
            f"application/json, {megabytes} MB at most. One row gets one answer, a list gets a "
            "list in the same order. A number is a JSON number, not a string. A fact that is not "
            "known is null or left out. An unknown key is an error. With an error in any row, "
            "nothing is predicted.",
            fields=fields,
            labels=labels,
            statuses=_list_statuses(),
        )

    return describe


def _describe_pictures(model: ImageClassifier) -> Callable[[Site, str], ApiContext]:
    field = model.card.field
    types = " or ".join(PICTURE_TYPES)
    file = f"{field.accepted_text[:1].upper()}{field.accepted_text[1:]}, as a form sends it"

    def describe(site: Site, url: str) -> ApiContext:
        return ApiContext(
            site=site,
            heading="JSON API",
            url=url,
            curl=f"curl {shlex.quote(url)} -F {field.name}=@picture.jpg",
            python=PICTURE_EXAMPLE.format(url=json.dumps(url)),
            sample="",
            request_text=f"{file} (multipart/form-data), or as the body itself ({types}).",
            fields=(ApiField(field.name, field.label, "file", True),),
            labels=_list_labels(model.card.output.classes),
            statuses=_list_statuses(),
        )

    return describe


def _answer_row(model: Regressor | Classifier, row: Features) -> Payload:
    features, _ = model.card.validate_row(row)
    rows = [features] if features is not None else []
    if isinstance(model, Classifier):
        (classified,) = BatchPredictor(model).predict(rows, contributions=True)
        return ClassSerializer(model).serialize(classified)
    (predicted,) = BatchPredictor(model).predict(rows, contributions=True)
    return NumberSerializer(model).serialize(predicted)


def _format_literal(row: Features) -> str:
    """The row as a Python literal, over several lines where it is long."""
    parts = [
        f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
        if isinstance(value, str)
        else f"{json.dumps(name)}: {value!r}"
        for name, value in row.items()
    ]
    line = "{" + ", ".join(parts) + "}"
    if len(line) <= MAX_LINE:
        return line
    return "{\n" + "".join(f"        {part},\n" for part in parts) + "    }"


def _describe_field(field: AnyField) -> ApiField:
    if field.kind == "choice":
        accepts = "one of " + ", ".join(json.dumps(item.value) for item in field.choices)
    elif field.kind == "flag":
        accepts = "true or false"
    else:
        kind = "whole number" if field.kind == "integer" else "number"
        accepts = f"{kind}, {field.format_number(field.min)} to {field.format_value(field.max)}"
    return ApiField(field.name, field.label, accepts, field.required)


def _list_labels(classes: Iterable[Option]) -> tuple[Row, ...]:
    """The form's label of each class, by its value; none where both are the same everywhere."""
    if all(item.value == item.label for item in classes):
        return ()
    return tuple(Row(item.value, item.label) for item in classes)


def _list_statuses() -> tuple[Row, ...]:
    return tuple(Row(f"{status} {get_phrase(status)}", DETAILS[status]) for status in STATUSES)
