"""Reads from the store what became of the answers of a model."""

from typing import Any

from app.feedback.outcomes import ReportedOutcome
from app.feedback.store import Store
from model.monitoring.track_record import KnownCase
from model.serving.served_model import ServedModel


def read_known_cases(store: Store, model: ServedModel[Any, Any]) -> list[KnownCase]:
    """Read the cases that files brought for the present version of a model, by day.

    Raises:
        StoreError: if the database does not answer.
    """
    return [
        to_known_case(found)
        for found in store.iterate(model.slug, "file")
        if found.version == model.version and found.truth is not None
    ]


def to_known_case(found: ReportedOutcome) -> KnownCase:
    """Take what a track record needs of an outcome that has a truth."""
    assert found.truth is not None  # noqa: S101 (see above)
    return KnownCase(
        found.day, found.facts, found.value, found.truth, found.low, found.high, found.probability
    )
