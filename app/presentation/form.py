"""The form as the templates draw it: the card's fields with what was typed and what is wrong."""

from dataclasses import dataclass
from typing import Any

from app.presentation.submission import Feedback, Submission
from model import Card
from model.contract.fields import AnyField, Meaning
from model.contract.pictures import ImageField


@dataclass(frozen=True, slots=True)
class OptionView:
    """One option of a select."""

    value: str
    label: str
    selected: bool


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field: its texts, the value typed into it, and its error, "" where it is valid.

    ``meanings`` and ``reading`` are those of ``Feedback``. ``attributes`` are the input's own:
    its type, its keyboard, its bounds.
    """

    name: str
    kind: str
    label: str
    help: str
    unit: str
    required: bool
    value: str
    error: str
    attributes: dict[str, str]
    options: tuple[OptionView, ...]
    suggestions: tuple[str, ...] = ()
    meanings: tuple[Meaning, ...] = ()
    reading: str = ""

    @property
    def described_by(self) -> str:
        """Ids of the texts that describe the input and are shown."""
        ids = []
        if self.help:
            ids.append(f"{self.name}-hint")
        if self.error or self.reading:
            ids.append(f"{self.name}-error")
        return " ".join(ids)


@dataclass(frozen=True, slots=True)
class FormView:
    """The whole form; ``more_open`` where an optional field is filled or wrong.

    ``upload`` where a field takes a file.
    """

    required: tuple[FieldView, ...]
    optional: tuple[FieldView, ...] = ()
    more: str = ""
    more_open: bool = False
    upload: bool = False


def build_form(card: Card, submission: Submission[Any] | None) -> FormView:
    """Build the form with a submission's values, or empty."""
    views = [build_field(field, submission) for field in card.fields]
    required = tuple(view for view in views if view.required)
    optional = tuple(view for view in views if not view.required)
    more_open = any(view.value.strip() or view.error for view in optional)
    return FormView(required, optional, card.more, more_open)


def build_field(field: AnyField | ImageField, submission: Submission[Any] | None) -> FieldView:
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
        label=field.label,
        help=field.help,
        unit=field.suffix,
        required=field.required,
        value=field.format_input(typed),
        error=feedback.error,
        attributes=field.input_attributes,
        options=options,
        suggestions=field.suggestions,
        meanings=feedback.meanings,
        reading=feedback.reading,
    )
