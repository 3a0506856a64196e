"""The kind of model that predicts several numbers for a row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from model.contract.arrays import Float32Array, Float64Array, FloatArray
from model.contract.card import MultioutputCard, NumberCard
from model.contract.errors import MAKE_AGAIN
from model.contract.fields import Features
from model.contract.manifest import GoldenRow, Manifest, OutputManifest
from model.serving.checking import ModelFolder
from model.serving.instances import Answer, Part
from model.serving.kinds.matrix import MatrixModel
from model.serving.kinds.number import NumberModel
from model.serving.predictors import JoblibPredictor, Predictor
from model.serving.served_model import Explained, FactPattern, MultioutputPrediction


class JoblibOutputsPredictor(JoblibPredictor):
    """A scikit-learn regressor of several outputs as it was saved."""

    def _answer(self, rows: Any) -> Float64Array:
        return np.asarray(self._loaded.predict(rows), dtype=np.float64)


class OutputPredictor:
    """One of the outputs, as the predictor of a model of one number."""

    def __init__(self, predictor: Predictor, place: int) -> None:
        self._predictor, self._place = predictor, place

    def predict(self, matrix: FloatArray) -> tuple[FloatArray, None]:
        """Predict each row of a matrix of shape (rows, fields); see ``Predictor``."""
        return self._predictor.predict(matrix)[0][:, self._place], None


def split_outputs(
    card: MultioutputCard, manifest: Manifest
) -> Iterator[tuple[NumberCard, Manifest]]:
    """Yield for each output the card and the manifest of a model that predicts it alone.

    None of them has bars of outcomes: a page draws one set of bars, and shows any of the outputs.
    """
    keys = {name: getattr(card, name) for name in NumberCard.model_fields}
    own: list[Manifest | OutputManifest] = [manifest, *manifest.others]
    for output, measured in zip([card.output, *card.output.others], own, strict=True):
        yield (
            NumberCard.model_construct(**keys | {"kind": "number", "output": output}),
            manifest.model_copy(
                update={
                    "axis": measured.axis,
                    "calibration": measured.calibration,
                    "truth_bins": measured.truth_bins,
                    "outcomes": None,
                    "held_out": None,
                    "others": (),
                }
            ),
        )


@dataclass(eq=False)
class MultioutputModel(MatrixModel[MultioutputPrediction]):
    """A model that predicts several numbers: one model of a number each, which share a file.

    The first is the headline. A what-if named "output.field" asks for the reasons of another.
    """

    card_type = MultioutputCard

    card: MultioutputCard

    columns_key, columns_noun = "others", "numbers"
    keep_text = MAKE_AGAIN
    saved_predictor = JoblibOutputsPredictor

    @cached_property
    def models(self) -> tuple[NumberModel, ...]:
        """The model of each output; similar rows have the headline's truth, and no other's."""
        return tuple(
            NumberModel(
                self.name,
                self.folder,
                card,
                manifest,
                None if place else self.neighbors,
                self.copula,
                self.vectorizers,
                OutputPredictor(self.predictor, place),
            )
            for place, (card, manifest) in enumerate(split_outputs(self.card, self.manifest))
        )

    def find_promise(self, known: frozenset[str]) -> tuple[float, int] | None:
        return self.models[0].find_promise(known)

    @classmethod
    def compare_output(cls, folder: ModelFolder[MultioutputCard, Manifest]) -> Iterator[str]:
        made = [other.name for other in folder.manifest.others]
        misfit = cls.compare_names([item.name for item in folder.card.output.others], made, folder)
        if misfit:
            yield misfit
            return
        for card, manifest in split_outputs(folder.card, folder.manifest):
            alone = ModelFolder(folder.path, card, manifest, folder.text)
            yield from NumberModel.compare_output(alone)

    @classmethod
    def count_columns(cls, card: MultioutputCard) -> int:
        return 1 + len(card.output.others)

    def _explain(
        self, rows: Sequence[Features], what_if: str, contributions: bool, timeout: float
    ) -> list[Explained[MultioutputPrediction]]:
        output, _, field = what_if.rpartition(".")
        place = [item.name for item in self.card.output.others].index(output) + 1 if output else 0
        explained = self.models[place].explain(rows, field, contributions, timeout)
        columns = [
            [found.prediction for found in explained] if place == index else model.predict(rows)
            for index, model in enumerate(self.models)
        ]
        return [
            Explained(MultioutputPrediction(values, place), *found[1:])
            for values, found in zip(zip(*columns, strict=True), explained, strict=True)
        ]

    def answer(self, matrix: Float32Array, parts: Sequence[Part]) -> list[Answer]:
        return self.models[0].answer(matrix, parts)

    @property
    def answer_columns(self) -> tuple[str, ...]:
        columns = list(self.models[0].answer_columns)
        for output, model in zip(self.card.output.others, self.models[1:], strict=True):
            ends = model.answer_columns[1:]
            columns += [output.name, *(f"{output.name}_{end}" for end in ends)]
        return tuple(columns)

    def tabulate(self, prediction: MultioutputPrediction) -> tuple[float, ...]:
        pairs = zip(self.models, prediction.values, strict=True)
        return tuple(cell for model, value in pairs for cell in model.tabulate(value))

    def restore(self, values: Sequence[Any], known: frozenset[str]) -> MultioutputPrediction:
        left = iter(values)
        return MultioutputPrediction(
            tuple(
                model.restore([next(left) for _ in model.answer_columns], known)
                for model in self.models
            )
        )

    def predict_columns(
        self, matrix: Float32Array, patterns: Sequence[FactPattern]
    ) -> tuple[Any, ...]:
        return tuple(
            column for model in self.models for column in model.predict_columns(matrix, patterns)
        )

    def compare_golden(
        self, prediction: MultioutputPrediction, golden: GoldenRow
    ) -> Iterator[tuple[float, float]]:
        first, *others = prediction.values
        yield from self.models[0].compare_golden(first, golden)
        for model, found, expected in zip(self.models[1:], others, golden.others, strict=True):
            yield from model.compare_golden(
                found._replace(interval=None), golden.model_copy(update={"value": expected})
            )
