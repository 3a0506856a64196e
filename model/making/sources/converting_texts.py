"""A fitted estimator of texts as an ONNX model of their words: its vectorisers stay outside.

skl2onnx has a tokeniser of its own, which splits texts otherwise where a pattern has borders or
looks around. So what is served vectorises by ``model.serving.texts``, and the model in ONNX takes
the columns: those without texts in their order, then those of each text.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from model.making.onnx.converting import Choices, convert_codes
from model.making.onnx.exporting import export_estimator
from model.making.onnx.graphs import INPUT, CompileError
from model.making.steps.fitted_steps import list_steps
from model.making.steps.texts import MOST_COLUMNS, list_branches, split_branch
from model.serving.texts.vectorizer import Vectorizer


def refuse_texts(vectorizers: Sequence[Vectorizer]) -> None:
    """Refuse vectorisers whose columns are not known, or too many.

    Raises:
        CompileError: with the reason.
    """
    if not all(item.options.transforms for item in vectorizers):
        raise CompileError("its vectoriser hashes or numbers words, or has code of its own")
    if sum(item.width for item in vectorizers) > MOST_COLUMNS:
        raise CompileError(f"its vectoriser knows more than {MOST_COLUMNS:,} words")


def convert_texts(
    widths: Mapping[str, int],
    estimator: Any,
    fields: Sequence[str],
    choices: Choices,
    forests: list[Any],
) -> onnx.ModelProto:
    """Convert an estimator without its vectorisers.

    ``widths`` says how many columns each text becomes, by its own column; ``fields`` are all
    columns in their order. ``forests`` gets each forest whose trees are left to ``write_trees``.

    Raises:
        CompileError: if its texts do not go straight to the vectorisers.
    """
    branches = list_branches(estimator, fields)
    if set(branches) != set(widths):
        raise CompileError("its texts do not go straight to a vectoriser")
    first, *others = list_steps(estimator)
    others_first = [name for name in fields if name not in widths]
    width = len(others_first) + sum(widths.values())
    if not isinstance(first, ColumnTransformer):
        ((_, steps),) = branches.values()
        rest = [*split_branch(steps)[1], list_steps(estimator)[-1]]
        return export_estimator(_join(rest), [(INPUT, FloatTensorType([None, width]))], forests)
    places = {name: [place] for place, name in enumerate(others_first)}
    start = len(others_first)
    for name in fields:
        if name in widths:
            places[name] = list(range(start, start + widths[name]))
            start += widths[name]
    texts = {branch: split_branch(steps)[1] for branch, steps in branches.values()}
    first = copy.copy(first)
    first.transformers_ = [
        (name, (_join(texts[name]) if texts[name] else "passthrough"), columns)
        if name in texts
        else (name, step, columns)
        for name, step, columns in first.transformers_
    ]
    return convert_codes(_join([first, *others]), fields, choices, forests, places)


def _join(steps: Sequence[Any]) -> Any:
    if len(steps) == 1:
        return steps[0]
    return Pipeline([(f"step_{number}", step) for number, step in enumerate(steps)])
