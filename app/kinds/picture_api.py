"""The API of a model of pictures, for programs and for people."""

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from app.kinds.adapter import KindSchemas, Schema, list_labels
from app.kinds.parsing import BODY_BYTES
from app.kinds.schemas import ANSWER, NUMBER, build_answer, build_class_properties, build_object
from app.limits.upload_budget import UploadSlot
from app.limits.uploads import Upload, read_body, read_uploads
from app.presentation.contexts import ApiField, ApiTexts
from model.contract.formatting import capitalize
from model.contract.outputs import ClassOutput
from model.contract.pictures import FORMATS_TEXT, MEDIA_TYPES, MEGABYTES, ImageField

BASE64_TEXT = f"{BODY_BYTES * 3 // 4 // 100_000 / 10:g} MB at most here"
"""How large a picture inside of a JSON text can be."""

PYTHON = """\
import json
import urllib.request

with open("picture.jpg", "rb") as file:
    picture = file.read()
request = urllib.request.Request(
    {url},
    data=picture,
    headers={"Content-Type": "image/jpeg"},
)
with urllib.request.urlopen(request) as response:
    answer = json.load(response)
print({found})
"""


def build_tool_schema(field: ImageField) -> Schema:
    """Describe what an assistant sends: a picture inside of JSON."""
    picture = {
        "type": "string",
        "contentEncoding": "base64",
        "title": field.label,
        "description": f"The bytes of {field.accepted_text}, in base64; {BASE64_TEXT}.",
    }
    return build_object({field.name: picture})


def build_picture_schemas(field: ImageField, output: ClassOutput) -> KindSchemas:
    """Describe the API for programs."""
    file = {
        "type": "string",
        "contentMediaType": "application/octet-stream",
        "title": field.label,
        "description": field.help,
    }
    form = {
        "schema": {
            "type": "object",
            "properties": {field.name: file},
            "required": [field.name],
        },
        "encoding": {field.name: {"contentType": ", ".join(MEDIA_TYPES)}},
    }
    values = [item.value for item in output.classes]
    about = {"type": "string", "enum": values[-1:] if len(values) == 2 else values}
    line = {"type": "array", "items": NUMBER}
    contributions = build_object({"label": about, "map": {"type": "array", "items": line}})
    contributions["description"] = (
        "A coarse map of the picture, rows from its top, in log-odds: above 0 where a cell "
        "counts for the label."
    )
    return KindSchemas(
        output.label,
        {
            "Answer": build_answer(
                build_class_properties(output), contributions if output.probabilities else None
            )
        },
        f"{capitalize(FORMATS_TEXT)} of {MEGABYTES} MB at most, as a form "
        "sends it or as the body itself.",
        {"multipart/form-data": form, **{kind: {} for kind in MEDIA_TYPES}},
        ANSWER,
    )


def describe_picture_api(field: ImageField, output: ClassOutput) -> ApiTexts:
    """Describe the API for people."""
    accepted = field.accepted_text
    keys = ("label", "probability") if output.probabilities else ("label",)
    return ApiTexts(
        curl=f"-F {field.name}=@picture.jpg",
        python=PYTHON.replace("{found}", ", ".join(f'answer["{key}"]' for key in keys)),
        request_text=f"{capitalize(accepted)}, as a form sends it "
        f"(multipart/form-data), or as the body itself ({', '.join(MEDIA_TYPES)}).",
        fields=(ApiField(field.name, field.label, "file", True),),
        labels=list_labels(output.classes),
    )


def read_files(name: str, slot: UploadSlot) -> Upload:
    """Read the files that were sent: under ``name`` in a form, or one as the body itself.

    Raises:
        UnsupportedMediaType: for a body that is compressed, or neither a form nor a picture.
        HTTPException: 408, 411, 413 or 503 for a body that is not read.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType
    if request.mimetype == "multipart/form-data":
        return read_uploads(name, slot)
    if request.mimetype in MEDIA_TYPES:
        return Upload([read_body(slot)])
    raise UnsupportedMediaType
