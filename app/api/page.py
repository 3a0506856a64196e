"""``GET /api``: the API in words, with examples that work as they are pasted."""

import json
import shlex
from collections.abc import Callable, Iterable

from flask import Response, request
from werkzeug.exceptions import BadRequest

from app.api.openapi import STATUSES, plain_row
from app.api.parsing import BODY_BYTES, MOST_ROWS
from app.api.serializing import FRESH
from app.http.problems import DETAILS, phrase
from app.http.responses import respond
from app.kinds.classes import ClassSerializer
from app.kinds.number import NumberSerializer
from app.kinds.payload import Payload
from app.kinds.pictures import RAW
from app.presentation.contexts import ApiContext, ApiField, Renderer, Row, Site
from model import AnyModel, Classifier, Features, ImageClassifier, Regressor
from model.contract.fields import AnyField, Option
from model.serving.batch import BatchPredictor

LINE = 72
"""Characters of a row that stand in one line."""

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


def api_page(model: AnyModel, site: Site, prefix: str, render: Renderer) -> Callable[[], Response]:
    """The view of one model; everything but the address of the server is made once."""
    path = f"{prefix}/api/predict"
    describe = _of_pictures(model) if isinstance(model, ImageClassifier) else _of_rows(model)

    def page() -> Response:
        # Flask's own: with TRUSTED_HOSTS set, a name that is not listed ends in a 400 here.
        if not request.host:
            raise BadRequest  # the name has characters that no name has
        context = describe(site, request.root_url.rstrip("/") + path)
        # Never stored: the address comes from whoever asked.
        return respond(render("api/page.html", context), 200, FRESH)

    return page


def _of_rows(model: Regressor | Classifier) -> Callable[[Site, str], ApiContext]:
    card = model.card
    rows = [plain_row(card, example.values) for example in card.examples][:2]
    fields = tuple(_field(field) for field in card.fields)
    sample = json.dumps(_answer_to(model, rows[0]), indent=2, ensure_ascii=False)
    first, second = "prediction", "interval"
    if isinstance(model, Classifier):
        first, second = "label", "probability"
    python = ROW_EXAMPLE.format(
        rows="".join(f"    {_literal(row)},\n" for row in rows),
        url="{url}",
        first=first,
        second=second,
    )
    labels = _labels(model.card.classes.classes) if isinstance(model, Classifier) else ()
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
            takes=f"Send one row as an object, or a list of {MOST_ROWS:,} rows at most, as "
            f"application/json, {megabytes} MB at most. One row gets one answer, a list gets a "
            "list in the same order. A number is a number, not a text; a fact that is not known "
            "is null or left out. A key that is no field is an error. With an error in any row, "
            "nothing is predicted.",
            fields=fields,
            labels=labels,
            statuses=_statuses(),
        )

    return describe


def _of_pictures(model: ImageClassifier) -> Callable[[Site, str], ApiContext]:
    field = model.card.field
    said = f"{field.takes[:1].upper()}{field.takes[1:]}, as a form sends it"

    def describe(site: Site, url: str) -> ApiContext:
        return ApiContext(
            site=site,
            heading="JSON API",
            url=url,
            curl=f"curl {shlex.quote(url)} -F {field.name}=@picture.jpg",
            python=PICTURE_EXAMPLE.format(url=json.dumps(url)),
            sample="",
            takes=f"{said} (multipart/form-data), or as the body itself ({' or '.join(RAW)}).",
            fields=(ApiField(field.name, field.label, "file", True),),
            labels=_labels(model.card.output.classes),
            statuses=_statuses(),
        )

    return describe


def _answer_to(model: Regressor | Classifier, row: Features) -> Payload:
    features, _ = model.card.validate_row(row)
    asked = [features] if features is not None else []
    if isinstance(model, Classifier):
        return ClassSerializer(model).serialize(
            BatchPredictor(model).predict(asked, contributions=True)[0]
        )
    return NumberSerializer(model).serialize(
        BatchPredictor(model).predict(asked, contributions=True)[0]
    )


def _literal(row: Features) -> str:
    """The row as Python has it, over several lines where it is long."""
    parts = [
        f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
        if isinstance(value, str)
        else f"{json.dumps(name)}: {value!r}"
        for name, value in row.items()
    ]
    line = "{" + ", ".join(parts) + "}"
    if len(line) <= LINE:
        return line
    return "{\n" + "".join(f"        {part},\n" for part in parts) + "    }"


def _field(field: AnyField) -> ApiField:
    if field.kind == "choice":
        takes = "one of " + ", ".join(json.dumps(item.value) for item in field.choices)
    elif field.kind == "flag":
        takes = "true or false"
    else:
        kind = "whole number" if field.kind == "integer" else "number"
        takes = f"{kind}, {field.format(field.min)} to {field.display(field.max)}"
    return ApiField(field.name, field.label, takes, field.required)


def _labels(classes: Iterable[Option]) -> tuple[Row, ...]:
    """What the form shows for each class, by its value; nothing where both are the same."""
    if all(item.value == item.label for item in classes):
        return ()
    return tuple(Row(item.value, item.label) for item in classes)


def _statuses() -> tuple[Row, ...]:
    return tuple(Row(f"{status} {phrase(status)}", DETAILS[status]) for status in STATUSES)
