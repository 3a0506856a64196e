"""A result in plain text, for those who see no page: the same words, without coordinates."""

from collections.abc import Iterator

from app.presentation.contributions import ContributionsView
from app.presentation.explanations import ExplanationView
from app.presentation.result import Notes, Result


def write_result(result: Result, case: str) -> str:
    """Write a fresh result as paragraphs: the answer, its reasons, similar cases, how far to trust.

    ``case`` is what one row is called, "" for a model that takes no rows.
    """
    parts = [result.announcement]
    if result.explanation is not None:
        parts += _write_explanation(result.explanation, result.text, case)
    if result.notes is not None:
        parts.append(_write_notes(result.notes))
    text = "\n\n".join(part for part in parts if part)
    return text.replace("\N{NO-BREAK SPACE}", " ")


def _write_explanation(explanation: ExplanationView, text: str, case: str) -> Iterator[str]:
    if explanation.contributions is not None:
        yield "\n".join(_list_contributions(explanation.contributions, text, case))
    for text_view in explanation.texts:
        words = [f"- {row.word}: {row.amount}" for side in text_view.lists for row in side.rows]
        yield "\n".join([f"{text_view.title}. {text_view.known} {text_view.how}", *words])
    if explanation.neighbors:
        lines = (
            f"- {row.text}{f' in {row.year}' if row.year else ''} ({row.differences})"
            for row in explanation.neighbors
        )
        yield "\n".join(["Similar cases in the data:", *lines])


def _list_contributions(view: ContributionsView, text: str, case: str) -> Iterator[str]:
    subject = f"{view.subject}, from" if view.subject else "From"
    yield f"Why {text}? {subject} a typical {case} to this one, fact by fact:"
    yield f"- {view.reference_text}: {view.reference}"
    for row in view.rows:
        yield f"- {row.words.striptags()}: {row.amount}"
    for other in view.others:
        yield f"- {other.words.striptags()}: {other.amount}"
    for idle in view.idle:
        yield f"- {idle.words.striptags()}: no difference"
    yield f"- {view.total_label}: {view.total}"


def _write_notes(notes: Notes) -> str:
    accuracy = notes.accuracy.striptags()
    if notes.off:
        accuracy += f" {notes.off}."
    texts = accuracy, notes.evidence.striptags(), notes.origin.striptags()
    return " ".join(text for text in texts if text)
