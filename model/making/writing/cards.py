"""The card of an added model: its sentences, and its file."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

from model.contract import formatting
from model.contract.card import Card
from model.contract.errors import ModelError
from model.contract.fields import Value
from model.making.columns.drafting import REASONS_OPTIONAL, DraftField, DraftOutput
from model.making.columns.naming import RowNaming, name_rows
from model.making.errors import AddError
from model.making.kinds.output_kind import OutputKind
from model.making.measuring.arranging import Arrangement
from model.making.options import AddOptions
from model.making.writing.toml import format_lines
from model.serving.loading import read_card

_REFERENCE = {True: "Without a text", False: "A typical case without a text"}
"""What the reasons start from, by whether a text is the only fact."""


def write_card(
    path: Path,
    options: AddOptions,
    kind: OutputKind,
    arranged: Arrangement,
    output: DraftOutput,
    examples: Mapping[str, Mapping[str, Value]],
    *,
    warning: str,
    tried: str,
    summary: str,
) -> Card:
    """Draft the card, write it, and read it back.

    Args:
        path: its file.
        options: what the person asks for.
        kind: how the model answers.
        arranged: the rows and their fields; the most important required one is varied first.
        output: what the model answers.
        examples: values as a visitor would type them, by title.
        warning: what the page says first, "" for nothing.
        tried: how the model was put together.
        summary: what the model's folder says of it, "" for nothing.

    Raises:
        AddError: if the drafted card is not valid.
    """
    data, dataset, importance = options.data.name, arranged.dataset, arranged.importance
    naming = name_rows(data)
    if output.title == f"How many {naming.rows}?":
        naming = RowNaming()  # a row is what they are counted for, an hour perhaps
    noun = naming.rows
    count = formatting.format_number(dataset.training_rows, options.locale)
    rows = f"{count} {noun}" if noun != "rows" else f"{count} rows of {data}"
    every = len(dataset.fields)
    first = sum(item.required or item.field.first for item in dataset.fields)
    folded = any(item.field.default is not None for item in dataset.fields)
    facts = "one fact" if every == 1 else f"{every} facts"
    if folded:
        facts = f"{first} facts or, if you know more, up to {every}"
    learned = f"An answer from {facts}, learned from {rows}."
    varying = [index for index, item in enumerate(dataset.fields) if item.field.varies]
    required = [index for index in varying if dataset.fields[index].required] or varying
    head = {
        "format": 2,
        "kind": kind.name,
        "title": output.title,
        "summary": f"{warning} {summary or learned}".strip(),
        "locale": options.locale,
        "what_if": dataset.fields[max(required, key=importance.__getitem__)].name
        if required
        else "",
        "rows_noun": noun,
        "case_noun": naming.case,
        **({"reference_text": f"A typical {naming.case}"} if naming.is_known else {}),
        **(
            {"reference_text": _REFERENCE[len(dataset.texts) == len(dataset.fields)]}
            if dataset.texts
            else {}
        ),
        "data_text": rows,
        "limits": [
            *([warning] if warning else []),
            f"It knows {rows}, and sees the facts on the form and nothing else.",
            "A program drafted this card from the data. Nobody has written yet what the model "
            "cannot know.",
        ],
        "not_for": [
            "a decision about a person",
            "anything but trying it out, until somebody has written what it is for",
        ],
    }
    named = {"label": output.naming.label, "noun": output.naming.noun}
    blocks = [
        "# Drafted by `flask --app wsgi model add`. What it says is a guess: read it, and write "
        "better.\n" + "".join(f"# {line}\n" for line in textwrap.wrap(tried, 96)),
        format_lines(head),
        "[output]\n" + format_lines(named | output.keys),
        *(
            "[[fields]]\n" + _comment(item) + format_lines(field_keys(item))
            for item in dataset.fields
        ),
        *(
            "[[examples]]\n" + format_lines({"title": title, "values": values})
            for title, values in examples.items()
        ),
    ]
    path.write_text("\n".join(blocks), encoding="utf-8")
    try:
        card = read_card(path).tabular
    except ModelError as error:
        raise AddError(f"The drafted card is not valid: {error}") from error
    assert card is not None  # noqa: S101 (it was just written)
    return card


def _comment(drafted: DraftField) -> str:
    """The comment above a field: why it may be left empty."""
    if drafted.required:
        return ""
    if drafted.field.default is not None:
        return (
            "# It matters less, so it stands in a fold. Left empty, it is taken as its default.\n"
        )
    reason = REASONS_OPTIONAL[drafted.missing_in_training]
    text = f"May be left empty, as in {drafted.column.missing} rows. {reason}"
    return "".join(f"# {line}\n" for line in textwrap.wrap(text, 96))


def field_keys(drafted: DraftField) -> dict[str, object]:
    """Return the keys of a field's block in the card, with their values."""
    keys = drafted.field.model_dump(mode="json", exclude_defaults=True)
    return {"name": keys["name"], "kind": keys["kind"], **keys}
