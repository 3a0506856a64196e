"""What the templates of results show, whatever the kind of the model."""

from typing import Any, Literal, NamedTuple

from app.presentation.explanations import ExplanationView
from app.presentation.submission import Problem

FIX_TEXT = "Please fix this first:"
"""The sentence above the fields that are wrong."""


class ClassView(NamedTuple):
    """One class: its probability for programs, for people, and as the length of a bar of 100."""

    value: str
    label: str
    probability: str
    text: str
    bar: float


class Notes(NamedTuple):
    """What stands below a prediction and depends only on which optional features are known.

    ``narrowing_field`` is the field that would narrow the interval most, ``narrowing_phrase`` its
    noun with a determiner, ``narrowing_percent`` by how much; all are "" where there is none.
    """

    origin: str
    accuracy: str = ""
    narrowing_field: str = ""
    narrowing_phrase: str = ""
    narrowing_percent: str = ""


class Result(NamedTuple):
    """What stands in ``#result``.

    ``state`` is the state of the result, ``announcement`` what a screen reader says. ``value`` is
    the unrounded prediction or the class, ``text`` the same for people, ``query`` the address that
    leads to the same result. ``certainty`` says in words how sure the model is; ``detail`` is what
    the template of one kind of model shows and no other. ``waiting`` is the name of the field that
    a waiting result waits for.
    """

    state: Literal["empty", "fresh", "waiting", "withdrawn"]
    heading: str
    noun: str = ""
    announcement: str = ""
    sentence: str = ""
    problems: tuple[Problem, ...] = ()
    value: str = ""
    text: str = ""
    certainty: str = ""
    detail: tuple[Any, ...] | None = None
    explanation: ExplanationView | None = None
    notes: Notes | None = None
    what_if: str = ""
    waiting: str = ""
    query: str = ""
    today: str = ""
