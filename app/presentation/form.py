"""The form as the templates draw it: the card's fields with what was typed and what is wrong."""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import count
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

_LABEL_LINES = 3
"""Lines of a label that stands beside others."""

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


class FoldCount(NamedTuple):
    """What stands in the heading of one of several folds.

    ``filled`` says how many of its fields are, "" for none; ``names`` lists them, or says by its
    first fields what is in it. ``id`` is the fold's.
    """

    id: str
    filled: str
    names: str


class Hints(NamedTuple):
    """What the form says of its optional fields; it depends only on which of them are filled.

    ``filled`` says how many are, ``names`` lists their labels, ``percent`` is their share.
    ``best_field`` is the empty field that would narrow the range most, ``best_phrase`` its noun
    with a determiner, both "" where none does. ``gains`` has every optional field with how much
    narrower the range usually gets by it, "" where it is filled or nobody knows. ``folds`` are
    those of a form with several.
    """

    filled: str = ""
    names: str = ""
    percent: int = 0
    best_field: str = ""
    best_phrase: str = ""
    gains: tuple[tuple[str, str], ...] = ()
    folds: tuple[FoldCount, ...] = ()


NO_HINTS = Hints()
"""What the form says where nobody knows more."""


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field: its texts, the value typed into it, and its error, "" where it is valid.

    ``meanings``, ``reading`` and ``warning`` are those of ``Feedback``. ``attributes`` are the
    input's own: its type, its keyboard, its bounds. ``gain`` is how much narrower the range usually
    gets by it. ``is_name`` where the label is the name of a column, and no words. ``width`` is that
    of the column that it needs, in characters. Views are compared by what can differ between two of
    one field.
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
    width: int = field(default=0, compare=False)

    @property
    def spoken_unit(self) -> str:
        """The unit where the hint does not say it: the one in the box is for eyes."""
        said = rf"(?<![^\W\d_]){re.escape(self.unit)}(?!\w)"
        return "" if re.search(said, self.help) else self.unit

    @property
    def described_by(self) -> str:
        """Ids of the texts that describe the input and are shown."""
        ids = []
        if self.help or self.unit:
            ids.append(f"{self.name}-hint")
        if self.error or self.reading or self.warning:
            ids.append(f"{self.name}-error")
        return " ".join(ids)


@dataclass(frozen=True, slots=True)
class FoldView:
    """Some of the fields that may be left empty, below a heading.

    ``id`` is the element's. ``count`` is None in a form with one fold. It is ``open`` where a field
    in it is filled or wrong, or the form is short.
    """

    id: str
    heading: str
    count: FoldCount | None
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
    views = {
        field.name: build_field(field, submission, gains.get(field.name, "")) for field in card.form
    }
    folded = {
        heading: tuple(views.pop(item.name) for item in inside)
        for heading, inside in _fold_fields(card).items()
    }
    counts = {item.id: item for item in hints.folds}
    short = len(card.fields) <= SHORT
    # What somebody folded, or the draft of a long form, does not unfold by itself.
    opens = short and not any(item.default is not None for item in card.fields)
    folds = tuple(
        FoldView(
            fold,
            heading,
            counts.get(fold),
            inside,
            opens or any(view.value.strip() or view.error for view in inside),
        )
        for fold, (heading, inside) in zip(_name_folds(), folded.items(), strict=False)
    )
    return FormView(tuple(views.values()), folds, False, short, hints)


def count_folds(card: Card, known: Set[str]) -> tuple[FoldCount, ...]:
    """Count what is filled in each fold, where these fields are; nothing where there is but one."""
    folded = _fold_fields(card)
    if len(folded) < 2:
        return ()
    return tuple(
        _count_fold(fold, heading, inside, known, card.locale)
        for fold, (heading, inside) in zip(_name_folds(), folded.items(), strict=False)
    )


def count_filled(filled: int, every: int, locale: str) -> str:
    """Say how many of some fields are filled."""
    return " of ".join(formatting.format_number(count, locale) for count in (filled, every)) + (
        " filled"
    )


def _count_fold(
    fold: str, heading: str, inside: Sequence[AnyField], known: Set[str], locale: str
) -> FoldCount:
    labels = [field.label for field in inside if field.name in known]
    if not labels:
        return FoldCount(fold, "", _name_contents(heading, inside, locale))
    return FoldCount(fold, count_filled(len(labels), len(inside), locale), ", ".join(labels))


def _fold_fields(card: Card) -> dict[str, list[AnyField]]:
    """The fields in folds, by the heading of each fold."""
    folded: dict[str, list[AnyField]] = {}
    for item in card.form:
        if not (item.required or item.first):
            folded.setdefault(item.group or card.more, []).append(item)
    return folded


def _name_folds() -> Iterator[str]:
    """The folds' ids, in their order."""
    yield "more"
    yield from (f"more-{number}" for number in count(1))


def _name_contents(heading: str, fields: Sequence[AnyField], locale: str) -> str:
    """Name what a fold has in it by its first fields, without what its heading says."""
    said = heading.split(" (")[0].lower()
    labels = [
        " ".join(word for word in field.label.split() if word.lower() != said) or field.label
        for field in fields[:MAX_NAMED]
    ]
    labels = [formatting.lower_first(label, locale) for label in labels]
    if len(fields) > MAX_NAMED:
        labels.append(f"{formatting.format_number(len(fields) - MAX_NAMED, locale)} more")
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
    label, unit = field.label, field.suffix
    if len(unit) > LONGEST_UNIT:
        label, unit = f"{label} ({unit})", ""
    return FieldView(
        name=field.name,
        kind=field.kind,
        label=label,
        help=f"{formatting.end_sentence(field.help)} {field.default_text}"
        if field.help and field.default_text
        else field.help or field.default_text,
        unit=unit,
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
        width=max(
            *map(len, label.split()),
            math.ceil(len(label) / _LABEL_LINES),
            len(field.format_typed(field.example) + unit),
        ),
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
