"""What the templates of results show, whatever the kind of the model."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from markupsafe import Markup

from app.presentation.explanations import ExplanationView
from app.presentation.figures import protect_figures
from app.presentation.scales import format_exact
from app.presentation.submission import Problem, Submission
from model.contract import formatting
from model.contract.fields import Option

MAX_CLASSES = 6
"""Classes that are shown with a bar each; one sentence sums up the others."""


class ClassView(NamedTuple):
    """One class: its probability for programs, for people, and as the length of a bar of 100.

    ``mark`` is the style of the bar, "up" for the one that stands out.
    """

    value: str
    label: str
    probability: str
    text: str
    bar: float
    mark: str = "within"


def present_classes(
    classes: Sequence[Option],
    probabilities: Sequence[float],
    format_share: Callable[[float], str],
    order: Sequence[Option] = (),
) -> tuple[ClassView, ...]:
    """Present the most probable classes.

    They stand in an ``order``; from the most probable one on where there is none.
    """
    shares = dict(zip(classes, probabilities, strict=True))
    most_probable = sorted(shares, key=lambda item: -shares[item])[:MAX_CLASSES]
    return tuple(
        ClassView(
            item.value,
            item.label,
            format_exact(shares[item]),
            format_share(shares[item]),
            round(shares[item] * 100, 1),
            "up" if item is most_probable[0] else "within",
        )
        for item in [item for item in order if item in most_probable] or most_probable
    )


def describe_hidden(
    probabilities: Sequence[float], format_share: Callable[[float], str], locale: str
) -> str:
    """Say how probable the classes are together that are not shown; "" where all are."""
    hidden = sorted(probabilities)[:-MAX_CLASSES]
    if not hidden:
        return ""
    rest = format_share(sum(hidden))
    if len(hidden) == 1:
        return f"The class not shown has {rest}."
    count = formatting.format_number(len(hidden), locale)
    return f"The {count} classes not shown have {rest} together."


def describe_unsure(noun: str) -> str:
    """Say of a model that it names a class, called a noun in sentences, without a probability."""
    return f"The model names the {noun} and does not say how sure it is."


class Notes(NamedTuple):
    """How far to trust a prediction; it depends only on which optional features are known.

    ``off`` is the figure that ends the sentence about its accuracy, "" where it is whole.
    ``evidence`` says what the range was measured on, and what that cannot promise.
    """

    origin: Markup
    accuracy: Markup = Markup()
    off: str = ""
    evidence: Markup = Markup()


def write_notes(origin: str, accuracy: str = "", off: str = "", evidence: str = "") -> Notes:
    """Write notes whose figures no translator changes; see ``Notes``."""
    off = off.removesuffix(".")  # of the unit
    return Notes(protect_figures(origin), protect_figures(accuracy), off, protect_figures(evidence))


Size = Literal["", "long", "longest"]
"""How long the words for the answer are."""


_MAX_LARGE, _MAX_LONG = 12, 40
"""Characters of an answer in large letters that fit the narrowest column, and in smaller ones."""


def measure_size(text: str) -> Size:
    """Choose the letters in which an answer takes few lines, however long it is."""
    return "longest" if len(text) > _MAX_LONG else "long" if len(text) > _MAX_LARGE else ""


class Result(NamedTuple):
    """What stands in ``#result``.

    ``state`` is the state of the result, ``label`` what the model answers, ``announcement`` what a
    screen reader says. ``value`` is the unrounded prediction or the class, ``text`` the same for
    people, whose ``size`` says whether it needs smaller letters. Without one, ``heading`` and
    ``sentence`` stand in their places, and ``lead`` before the sentence where there is room.
    ``certainty`` says in words how sure the model is, ``short_certainty`` the same on a phone.
    ``detail`` is what the template of one kind of model shows and no other; in an empty form it is
    that of the ``example`` that the sentence of that name describes. ``waiting`` is the name of the
    field that is still typed in: once it is left, the form is sent again. ``title`` is the title of
    a page with this result, ``query`` the address that leads to it. ``correlation_id`` is that of
    the post which it answers. With ``receipt`` a visitor can report on it.
    """

    state: Literal["empty", "waiting", "fresh", "withdrawn"]
    label: str
    heading: str = ""
    announcement: str = ""
    lead: str = ""
    sentence: str = ""
    problems: tuple[Problem, ...] = ()
    value: str = ""
    text: str = ""
    size: Size = ""
    certainty: str = ""
    short_certainty: str = ""
    detail: tuple[Any, ...] | None = None
    example: str = ""
    explanation: ExplanationView | None = None
    notes: Notes | None = None
    what_if: str = ""
    waiting: str = ""
    title: str = ""
    query: str = ""
    correlation_id: str = ""
    today: str = ""
    receipt: str = ""


def refuse(submission: Submission[Any], label: str, heading: str) -> Result:
    """Present a submission that has no answer, with what to fix."""
    return Result(
        "withdrawn",
        label,
        heading,
        announcement=f"{heading}. {'; '.join(submission.errors.values())}",
        lead="Fix this first: ",
        problems=submission.problems,
    )
