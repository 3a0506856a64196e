"""What kinds share whose answers no data can call right or wrong: clusters and outliers."""

from typing import Any

from sklearn.utils import get_tags

from model.contract.arrays import Float64Array
from model.making.rows.dataset import Dataset


def find_estimator_type(fitted: Any) -> str:
    """Find what scikit-learn calls an estimator, or it calls itself; "" where nothing says so."""
    try:
        return get_tags(fitted).estimator_type or ""
    except Exception:
        return str(getattr(fitted, "_estimator_type", ""))  # as before scikit-learn 1.6


def answer_training_rows(dataset: Dataset) -> tuple[Float64Array, Float64Array]:
    """Answer the rows that were not held out.

    Returns:
        The rows, shape (rows, fields), NaN where unknown, and the answers; see the kind for the
        shape.
    """
    rows = dataset.matrix[~dataset.held_out]
    return rows, dataset.answer(rows)
