"""Answers many files that are no tables, like pictures."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from pydantic_core import PydanticCustomError

from model.contract.fields import BaseField
from model.contract.tables.table import Block
from model.serving.batch.answers import Answers
from model.serving.batch.predictor import NO_ANSWER
from model.serving.served_model import ServedModel

_FILES_TOGETHER = 4
"""A picture takes some tens of milliseconds."""


class ItemPredictor:
    """Answers files of which each is what the model takes.

    ``header`` is that of the table of answers, ``columns`` are those of the answer in it.

    Args:
        model: a model whose card has one field, which reads bytes; its output has the words for a
            file that is unlike all training data.
    """

    header: tuple[str, ...] = ("file",)

    def __init__(self, model: ServedModel[Any, Any]) -> None:
        card: Any = model.card
        self._model = model
        self._field: BaseField = card.fields[0]
        self._refusal: str = card.output.refusal_text
        self.columns = (*model.answer_columns, "warning", "error")
        self._blank = model.tabulate(None)

    def predict_files(self, files: Iterable[tuple[str, bytes]]) -> Iterator[tuple[Block, Answers]]:
        """Answer files, given as names and contents, some at a time."""
        files = iter(files)
        while some := list(islice(files, _FILES_TOGETHER)):
            names = [name for name, _ in some]
            yield Block([names], len(names)), self.predict([data for _, data in some])

    def predict(self, files: Sequence[bytes]) -> Answers:
        """Answer the contents of some files; one that is wrong has its error and no answer."""
        rows: list[tuple[Any, ...]] = []
        errors: dict[int, dict[str, str]] = {}
        for index, data in enumerate(files):
            values: tuple[Any, ...] = self._blank
            try:
                (found,) = self._model.explain([self._field.read(data)], contributions=False)
                values = self._model.tabulate(found.prediction)
                if found.prediction is None:
                    errors[index] = {self._field.name: self._refusal}
            except PydanticCustomError as error:
                errors[index] = {self._field.name: error.message()}
            except ArithmeticError:
                errors[index] = {"": NO_ANSWER}
            rows.append(values)
        columns: dict[str, Any] = {
            name: list(column)
            if name in self._model.text_columns
            else np.array(column, dtype=np.float64)
            for name, column in zip(
                self._model.answer_columns, zip(*rows, strict=True), strict=True
            )
        }
        return Answers(len(files), columns, {}, errors)
