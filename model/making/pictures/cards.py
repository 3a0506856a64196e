"""Drafts the card of a network for pictures."""

from collections.abc import Sequence
from pathlib import Path

from model.contract.errors import ModelError
from model.contract.formatting import capitalize
from model.contract.pictures import FORMATS_TEXT, ImageField
from model.contract.preprocessing import Preprocessing
from model.making.columns.naming import Naming, RowNaming, ask_for_class
from model.making.errors import AddError
from model.making.writing.toml import format_lines
from model.serving.loading import read_card

_LONGEST_TITLE = 60


def draft_title(naming: Naming, labels: Sequence[str]) -> str:
    """Draft the question that the classes answer: with their names where they are short."""
    listed = f"{', '.join(labels[:-1])} or {labels[-1]}?"
    if len(listed) <= _LONGEST_TITLE:
        return capitalize(listed)
    return ask_for_class(naming, RowNaming(), labels)


def make_field(preprocessing: Preprocessing) -> ImageField:
    """Make the one field of the form."""
    return ImageField(
        kind="image",
        name="image",
        label="Picture",
        noun="picture",
        determiner="a",
        help=f"{capitalize(FORMATS_TEXT)} of up to 10 MB.",
        side=preprocessing.read_side,
        transparency="ignored",
    )


def write_picture_card(
    path: Path,
    title: str,
    classes: Sequence[str],
    labels: Sequence[str],
    naming: Naming,
    data_text: str,
    preprocessing: Preprocessing,
    refuses: bool,
    locale: str,
    names_only: bool,
) -> None:
    """Draft the card, write it, and read it back.

    Raises:
        AddError: if it is not valid.
    """
    head = {
        "format": 2,
        "kind": "pictures",
        "title": title,
        "summary": "Choose a picture. A model, which learned from "
        f"{data_text}, says which one it shows{'' if names_only else ' and how sure it is'}.",
        "locale": locale,
        "data_text": data_text,
        "limits": [
            f"It knows {len(classes)} answers: {', '.join(labels[:12])}"
            f"{' and others' if len(labels) > 12 else ''}. It will choose one of them for "
            + ("every picture that it does not refuse." if refuses else "every picture."),
            f"It sees a picture at {preprocessing.width} × {preprocessing.height} pixels, "
            f"{'in grey' if preprocessing.colour == 'grey' else 'in colour'}, and no finer detail.",
            "A program drafted this card from the pictures. Nobody has written yet what the model "
            "cannot know.",
        ],
        "not_for": [
            "a decision about a person",
            "anything but trying it out, until somebody has written what it is for",
        ],
    }
    last = labels[-1]
    output: dict[str, object] = {
        "label": naming.label,
        "noun": naming.noun,
        "classes": [
            {"value": value, "label": label} for value, label in zip(classes, labels, strict=True)
        ],
    }
    if names_only:
        output["probabilities"] = False
    else:
        counts = f"{last}, blue against it" if len(classes) == 2 else "the answer, blue against it"
        output["map_text"] = f"Red counts for {counts}; the stronger the colour, the more."
    keys = make_field(preprocessing).model_dump(mode="json", exclude_defaults=True)
    text = "\n".join(
        [
            "# Drafted by `flask --app wsgi model add`. What it says is a guess: read it, and "
            "write better.\n",
            format_lines(head),
            "[output]\n" + format_lines(output),
            "[[fields]]\n" + format_lines(keys),
        ]
    )
    path.write_text(text, encoding="utf-8")
    try:
        read_card(path)
    except ModelError as error:
        raise AddError(f"The drafted card is not valid: {error}") from error
