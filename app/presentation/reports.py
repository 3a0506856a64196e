"""The words around a report on an answer: what is asked, what is kept, what came of it."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from app.feedback.outcomes import OutputValue, ReportedOutcome
from app.feedback.receipts import format_number
from app.presentation.contexts import ReportForm, Row, Site, Told
from app.presentation.form import FieldView
from model.contract import formatting
from model.contract.card import CardBase

MAX_COMMENT = 1000
"""Characters of a comment."""

KEPT = "Thank you, this is kept."
NOT_KEPT = "It could not be kept, and nothing was lost of your form. Try again in a while."
TOO_LARGE = "That is more than a report can take. Shorten what you wrote, then send it again."
PICTURE = "kept-picture"
"""The name under which a report sends the picture, and a receipt has its hash; with a hyphen, as no
field of a card has one."""

NO_PICTURE = "This picture is too large to be kept. Take the tick away, then send it again."
GONE = "Nothing is kept under this number. It was deleted, or the number is another one."

Personal = Literal["", "text", "picture"]
"""What a form takes that may show who somebody is."""

_KEEP_LABELS: Mapping[Personal, str] = {
    "": "",
    "text": "Keep the text that I typed, too",
    "picture": "Keep the picture, too",
}
_PICTURE_PROMISE = (
    "The picture is kept only where you tick the box: small, as the model saw it, without what a "
    "camera writes into its file. "
)


def build_report_form(
    card: CardBase, site: Site, field: FieldView, question: str, days: int, personal: Personal
) -> ReportForm:
    """Build the form below an answer.

    Args:
        card: the model's.
        site: says where the form stands, and what sentences call the answer.
        field: takes the truth.
        question: asks for it.
        days: for how long a report is kept.
        personal: what the model takes that is kept only where a box is ticked.
    """
    path = site.action.rstrip("/")
    facts = {
        "": "the facts as you typed them, ",
        "text": "the facts as you typed them but no text, ",
        "picture": "",
    }[personal]
    picture = _PICTURE_PROMISE if personal == "picture" else ""
    return ReportForm(
        f"{path}/feedback",
        f"{path}/feedback-fragment",
        field,
        question,
        f"Nothing is kept until you send it. These are kept then: {facts}the {site.answer_noun}, "
        f"what you say here, and the day. {picture}Your address is not, and there is no cookie. "
        f"You get a number with which you can read or delete it. After {days} days it is deleted.",
        _KEEP_LABELS[personal],
        formatting.format_number(MAX_COMMENT, card.locale),
    )


def tell_kept(number: str, root: str, truth: str) -> Told:
    """Say that a report is kept, and how its truth was read, "" for none."""
    text = f"{KEPT[:-1]}: {truth}." if truth else KEPT
    return Told(text, format_number(number), f"{root}/feedback/{number}")


def tell_again(number: str, root: str) -> Told:
    """Say that there is a report on this answer already."""
    text = "There is a report on this answer already. To change it, delete it and send another."
    return Told(text, format_number(number), f"{root}/feedback/{number}")


def list_report(
    outcome: ReportedOutcome,
    card: CardBase | None,
    labels: Mapping[str, str],
    format_value: Callable[[Any], str],
) -> tuple[Row, ...]:
    """List all that is kept of a report, for the visitor who sent it.

    ``card`` is None for a model that is not served any more.
    """
    locale = "en_US" if card is None else card.locale
    title = outcome.model if card is None else card.title

    def write(value: OutputValue | None) -> str:
        return "not said" if value is None else format_value(value)

    rows = [
        Row("Model", f"{title}, version {outcome.version}"),
        Row("Day of the answer", formatting.format_date(outcome.day, locale)),
        *(Row(labels.get(name, name), text) for name, text in outcome.facts.items()),
        Row("Answer" if card is None else card.output.label, write(outcome.value)),
    ]
    if outcome.low is not None and outcome.high is not None:
        rows.append(Row("Its range", f"{write(outcome.low)} to {write(outcome.high)}"))
    if outcome.probability is not None:
        share = formatting.format_percent(outcome.probability, locale, digits=1)
        rows.append(Row("Its probability", share))
    rows.append(Row("What you say is right", write(outcome.truth)))
    if outcome.said:
        rows.append(Row("Your comment", outcome.said))
    return tuple(rows)
