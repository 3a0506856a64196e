"""The form as the templates draw it: the card's fields with what was typed and what is wrong."""

from dataclasses import dataclass

from app.presentation.submission import Submission
from model import Card
from model.contract.fields import AnyField

INPUT_MODES = {"integer": "numeric", "number": "decimal"}


@dataclass(frozen=True, slots=True)
class OptionView:
    """One option of a select."""

    value: str
    label: str
    selected: bool


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field: its texts, the value typed into it, and its error, "" where it is valid."""

    name: str
    kind: str
    label: str
    help: str
    unit: str
    required: bool
    value: str
    error: str
    input_mode: str
    options: tuple[OptionView, ...]

    @property
    def described_by(self) -> str:
        """Ids of the texts that describe the input and are shown."""
        ids = []
        if self.help:
            ids.append(f"{self.name}-hint")
        if self.error:
            ids.append(f"{self.name}-error")
        return " ".join(ids)


@dataclass(frozen=True, slots=True)
class FormView:
    """The whole form; ``more_open`` where an optional field is filled or wrong."""

    required: tuple[FieldView, ...]
    optional: tuple[FieldView, ...]
    more: str
    more_open: bool


def build_form(card: Card, submission: Submission | None) -> FormView:
    """Build the form with a submission's values, or empty."""
    views = [_build_field(field, submission) for field in card.fields]
    required = tuple(view for view in views if view.required)
    optional = tuple(view for view in views if not view.required)
    more_open = any(view.value.strip() or view.error for view in optional)
    return FormView(required, optional, card.more, more_open)


def _build_field(field: AnyField, submission: Submission | None) -> FieldView:
    value = "" if submission is None else submission.values[field.name]
    error = "" if submission is None else submission.errors.get(field.name, "")
    options: tuple[OptionView, ...] = ()
    if field.kind in ("choice", "flag"):
        blank = OptionView("", "Choose…" if field.required else "Not known", False)
        options = (
            blank,
            *(OptionView(item.value, item.label, item.value == value) for item in field.choices),
        )
    return FieldView(
        name=field.name,
        kind=field.kind,
        label=field.label,
        help=field.help,
        unit=getattr(field, "unit", ""),
        required=field.required,
        value=value,
        error=error,
        input_mode=INPUT_MODES.get(field.kind, "text"),
        options=options,
    )
