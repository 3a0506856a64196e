"""The form as the templates draw it: the card's fields with what was typed and what is wrong."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

from babel.lists import format_list

from app.presentation.submission import Feedback, Submission
from model import Card
from model.contract import formatting
from model.contract.fields import AnyField, Meaning
from model.contract.outputs import OutputBase
from model.contract.pictures import ImageField

MAX_NAMED = 2
"""Fields in a fold that its heading names."""

LONGEST_UNIT = 8
"""Characters of a unit that leave room for a number in an input; a longer one joins the label."""

SHORT = 10
"""Fields of a form that is about as high as a window."""
_HASH_DIGITS = 16
"""Hexadecimal digits of a form's hash: it tells a few versions apart and guards nothing."""


@dataclass(frozen=True, slots=True)
class OptionView:
    """One option of a select."""

    value: str
    label: str
    selected: bool


class Hints(NamedTuple):
    """What the form says of its optional fields; it depends only on which of them are filled.

    ``filled`` says how many are, ``names`` lists their labels, ``percent`` is their share.
    ``best_field`` is the empty field that would narrow the range most, ``best_phrase`` its noun
    with a determiner, both "" where none does. ``gains`` has every optional field with how much
    narrower the range usually gets by it, "" where it is filled or nobody knows.
    """

    filled: str = ""
    names: str = ""
    percent: int = 0
    best_field: str = ""
    best_phrase: str = ""
    gains: tuple[tuple[str, str], ...] = ()


NO_HINTS = Hints()
"""What the form says where nobody knows more."""


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field: its texts, the value typed into it, and its error, "" where it is valid.

    ``meanings``, ``reading`` and ``warning`` are those of ``Feedback``. ``attributes`` are the
    input's own: its type, its keyboard, its bounds. ``gain`` is how much narrower the range usually
    gets by it. ``is_name`` where the label is the name of a column, and no words. Views are
    compared by what can differ between two of one field.
    """

    name: str
    kind: str
    label: str
    help: str
    unit: str
    required: bool
    value: str
    error: str
    attributes: dict[str, str] = field(compare=False)
    options: tuple[OptionView, ...] = field(compare=False)
    gain: str = ""
    suggestions: tuple[str, ...] = field(default=(), compare=False)
    meanings: tuple[Meaning, ...] = ()
    reading: str = ""
    warning: str = ""
    is_name: bool = field(default=False, compare=False)

    @property
    def described_by(self) -> str:
        """Ids of the texts that describe the input and are shown."""
        ids = []
        if self.help:
            ids.append(f"{self.name}-hint")
        if self.error or self.reading or self.warning:
            ids.append(f"{self.name}-error")
        return " ".join(ids)


@dataclass(frozen=True, slots=True)
class FoldView:
    """Some of the fields that may be left empty, below a heading.

    ``id`` is the element's. ``contents`` names the fields, "" in a form with one fold. It is
    ``open`` where a field in it is filled or wrong, or the form is short.
    """

    id: str
    heading: str
    contents: str
    fields: tuple[FieldView, ...]
    open: bool


@dataclass(frozen=True, slots=True)
class FormView:
    """The whole form: the fields that stand first, and the folds with the others.

    ``upload`` where a field takes a file, ``short`` where the form is about as high as a window.
    ``explain`` are the words of a second button, which also asks for an explanation; "" for none.
    """

    first: tuple[FieldView, ...]
    folds: tuple[FoldView, ...] = ()
    upload: bool = False
    short: bool = False
    hints: Hints = NO_HINTS
    explain: str = ""


def build_form(card: Card, submission: Submission[Any] | None, hints: Hints) -> FormView:
    """Build the form with a submission's values, or empty."""
    gains = dict(hints.gains)
    views = [build_field(field, submission, gains.get(field.name, "")) for field in card.fields]
    folded: dict[str, list[FieldView]] = {}
    first = []
    for item, view in zip(card.fields, views, strict=True):
        if item.required or item.first:
            first.append(view)
        else:
            folded.setdefault(item.group or card.more, []).append(view)
    short = len(views) <= SHORT
    # What somebody folded, or the draft of a long form, does not unfold by itself.
    opens = short and not any(item.default is not None for item in card.fields)
    folds = tuple(
        FoldView(
            f"more-{number}" if number else "more",
            heading,
            _name_contents(heading, inside, card.locale) if len(folded) > 1 else "",
            tuple(inside),
            opens or any(view.value.strip() or view.error for view in inside),
        )
        for number, (heading, inside) in enumerate(folded.items())
    )
    return FormView(tuple(first), folds, False, short, hints)


def _name_contents(heading: str, views: Sequence[FieldView], locale: str) -> str:
    """Name what a fold has in it by its first fields, without what its heading says."""
    said = heading.split(" (")[0].lower()
    labels = [
        " ".join(word for word in view.label.split() if word.lower() != said) or view.label
        for view in views[:MAX_NAMED]
    ]
    if len(views) > MAX_NAMED:
        labels.append(f"{formatting.format_number(len(views) - MAX_NAMED, locale)} more")
    return format_list(labels, "unit", locale="en")


def build_field(
    field: AnyField | ImageField, submission: Submission[Any] | None, gain: str = ""
) -> FieldView:
    """Build one field with its value and its error; no server can put a chosen file back."""
    typed = "" if submission is None else submission.values.get(field.name, "")
    feedback = Feedback("") if submission is None else submission.get_feedback(field.name)
    options: tuple[OptionView, ...] = ()
    if field.options:
        blank = OptionView("", "Choose…" if field.required else "Not known", False)
        options = (
            blank,
            *(OptionView(item.value, item.label, item.value == typed) for item in field.options),
        )
    return FieldView(
        name=field.name,
        kind=field.kind,
        label=field.label
        if len(field.suffix) <= LONGEST_UNIT
        else f"{field.label} ({field.suffix})",
        help=". ".join(filter(None, (field.help, field.default_text))),
        unit=field.suffix if len(field.suffix) <= LONGEST_UNIT else "",
        required=field.required,
        value=field.format_input(typed),
        error=feedback.error,
        attributes=field.input_attributes,
        options=options,
        gain=gain,
        suggestions=field.suggestions,
        meanings=feedback.meanings,
        reading=feedback.reading,
        warning=feedback.warning,
        is_name=field.is_column_name,
    )


def hash_form(fields: Iterable[AnyField | ImageField], output: OutputBase, locale: str) -> str:
    """Hash what a form means: fields, units, choices, output, and how numbers are read.

    Wording, bounds and the model's version are no part of it: an answer to a form with others is
    still an answer to what is on the screen.
    """
    meanings = [
        {
            **field.model_dump(include={"name", "kind", "required"}),
            "unit": field.suffix,
            "choices": sorted({*field.categories, *(option.value for option in field.options)}),
        }
        for field in sorted(fields, key=attrgetter("name"))
    ]
    answer = output.model_dump(
        include={
            "format": True,
            "unit": True,
            "others": {"__all__": {"name", "unit", "format"}},
            "classes": {"__all__": {"value"}},
            "clusters": {"__all__": {"value"}},
        }
    )
    text = json.dumps([meanings, answer, locale], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_DIGITS]
