"""The gate for a model that is served: the similar rows that it keeps have what they were."""

from __future__ import annotations

from typing import Any

import numpy as np

from model.contract.arrays import Float64Array, IntArray
from model.contract.texts import encode_text, text_codes
from model.making.assembly.gate import Finding, Subject, check_answers
from model.making.kinds import KINDS
from model.serving.served_model import ServedModel
from model.serving.tabular import TabularModel


def check_served(model: ServedModel[Any, Any]) -> Finding:
    """Check a loaded model by the rows of its data that it keeps."""
    matched = (kind.from_served(model) for kind in KINDS.values())
    found = next((each for each in matched if each is not None), None)
    if found is None or not isinstance(model, TabularModel) or model.neighbors is None:
        return Finding(unchecked="its folder keeps rows of its data only with --publish-rows")
    kind, predict = found
    neighbors = model.neighbors
    fields = model.card.fields
    places = [
        place for place, field in enumerate(fields) if not (field.categories or field.is_text)
    ]
    rows = neighbors.rows.astype(float)

    def predict_codes(codes: Float64Array) -> Float64Array:
        with text_codes():
            for column, texts in neighbors.texts.items():
                codes[:, column] = [encode_text(texts[int(code)]) for code in codes[:, column]]
            return np.asarray(predict(codes.astype(np.float32)), dtype=float)

    def answer(index: IntArray, numbers: Float64Array) -> Float64Array:
        codes = rows[index]
        codes[:, places] = numbers
        return predict_codes(codes)

    labels = [fields[place].name for place in places]
    subject = Subject(rows[:, places], labels, answer, ~np.isnan(rows).any(axis=1))
    return check_answers(subject, kind, np.asarray(neighbors.targets, dtype=float))
