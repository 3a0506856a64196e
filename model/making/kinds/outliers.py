"""Adding a model that says whether a row is unusual."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from model.contract import formatting
from model.contract.arrays import BoolArray, Float64Array
from model.making.columns.drafting import DraftOutput
from model.making.columns.naming import Naming, name_rows
from model.making.errors import AddError
from model.making.kinds.number import NumberKind
from model.making.kinds.output_kind import (
    Band,
    Evaluation,
    OutputKind,
    make_share,
    round_digits,
)
from model.making.kinds.without_truth import answer_training_rows, find_estimator_type
from model.making.onnx.graphs import append_flat
from model.making.options import AddNote, AddOptions
from model.making.rows.dataset import Dataset
from model.serving.kinds.outliers import INLIER, OUTLIER, read_scores
from model.serving.served_model import ServedModel

_QUANTILES = 101
_BAND = 0.1
_LEAST_IN_BAND = 10
_MOST_DOUBTED = 0.01
"""Share of rows, at the threshold, in which rounding may tell another side."""
NO_TRUTH = "Nobody has said which rows are unusual, so no accuracy is claimed."


class OutliersKind(NumberKind):
    """A score: below 0 for an outlier, the lower the more unusual."""

    name = "outliers"
    answers_text = "It says whether a row is unusual."
    has_truth = False
    judges_rows = True

    @classmethod
    def from_estimator(cls, fitted: Any, where: str) -> "OutliersKind | None":
        """Return the kind of an estimator that answers so.

        Raises:
            AddError: if it has no score for new rows.
        """
        if find_estimator_type(fitted) != "outlier_detector":
            return None
        if not hasattr(fitted, "decision_function"):
            raise AddError(
                f"{where} holds a {type(fitted).__name__} that has no answer to a new row. Fit it "
                "with novelty=True."
            )
        return cls()

    @classmethod
    def from_served(cls, model: ServedModel[Any, Any]) -> None:
        """Return None: no column of data can say what it should answer."""

    def with_names(self, names: Sequence[str]) -> "OutliersKind":
        if names:
            raise AddError(
                "--classes and --clusters name classes and groups, but the model says whether a "
                "row is unusual."
            )
        return self

    def predict(self, fitted: Any, rows: Any) -> Float64Array:
        return read_scores(fitted, rows)

    def doubt_answers(self, fitted: Any, rows: Any) -> str:
        """Return "", where the scores say of the rows what ``predict`` does: -1, or 1 beside 0.

        Raises:
            AddError: where they do not.
        """
        labels = np.asarray(fitted.predict(rows)).reshape(-1)
        unusual = labels == (-1 if (labels < 0).any() or (labels > 0).all() else 1)
        differing = int((unusual != (self.predict(fitted, rows) < 0)).sum())
        if differing > _MOST_DOUBTED * len(labels):
            raise AddError(
                f"In {differing:,} of {len(labels):,} rows of the data its predict and its "
                "decision_function do not agree on whether a row is unusual. Give a class whose "
                "decision_function is below 0 where its predict answers -1, as scikit-learn's do."
            )
        return ""

    def append_answer(self, graph: Any, outputs: Sequence[str]) -> None:
        append_flat(graph, outputs[1], "answer")

    def are_close(self, answers: Float64Array, expected: Float64Array) -> BoolArray:
        same_side = (answers < 0) == (expected < 0)
        return np.asarray(super().are_close(answers, expected) & same_side)

    def read_truth(self, cells: pd.Series, options: AddOptions) -> Float64Array:
        raise AddError(
            f"--target {options.target}: the model says whether a row is unusual, and has no "
            "target. Leave --target out."
        )

    def draft_output(self, truth: Float64Array, options: AddOptions) -> DraftOutput:
        return DraftOutput(
            Naming("answer", "Unusual or not", "answer", ""),
            f"Is {name_rows(options.data.name).this} unusual?",
            {},
            "Unusual or not, and how unusual among the rows of the data",
            locale=options.locale,
        )

    def make_limit(self, output: DraftOutput) -> Callable[[Float64Array], Float64Array]:
        return np.asarray  # a score has no bounds

    def evaluate(
        self, dataset: Dataset, output: DraftOutput, coverage: float, add_note: AddNote
    ) -> Evaluation:
        rows, answers = answer_training_rows(dataset)
        scores = np.quantile(answers, np.linspace(0, 1, _QUANTILES))
        if scores[0] == scores[-1]:
            raise AddError(
                "The model gives the same score to every row of the data, so none is more unusual "
                "than another. Give the data that it was fitted on, as they were then."
            )
        share = float(np.mean(answers < 0))
        count = formatting.format_number(len(rows), output.locale)
        shown = formatting.format_percent(share, output.locale, digits=1)
        add_note(f"It calls {shown} of the {count} rows of the data unusual.")
        return Evaluation(
            f"A new row is compared with the scores of the {count} rows of its data. {NO_TRUTH}",
            f"Of the {count} rows that it learned from, it calls {shown} unusual. {NO_TRUTH}",
            (make_share("outliers", "Rows that it calls unusual", share),),
            scores=tuple(map(round_digits, scores.tolist())),
        )

    def choose_bands(
        self, answers: Float64Array, truth: Float64Array, output: DraftOutput
    ) -> Sequence[Band]:
        order = np.argsort(answers, kind="stable")
        size = max(_LEAST_IN_BAND, int(_BAND * len(order)))
        middle = max(len(order) // 2 - size // 2, 0)
        return (
            Band("Not unusual", order[middle : middle + size], partial(_is_outlier, False)),
            Band("Unusual", order[: min(size, len(order))], partial(_is_outlier, True)),
        )

    find_axis = OutputKind.find_axis

    def read_answer(self, answer: Float64Array) -> tuple[float, str]:
        score = float(answer)
        return score, OUTLIER if score < 0 else INLIER


def _is_outlier(wanted: bool, answer: Float64Array) -> bool:
    return bool(answer < 0) is wanted
