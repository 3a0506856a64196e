"""What models of rows share: one engine predicts and explains one row or many.

The coalitions and the curves of many rows are predicted in one call of the predictor.
"""

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import numpy as np

from model.contract.arrays import Float32Array, FloatArray
from model.contract.card import Card
from model.contract.errors import MAKE_AGAIN, ModelError, run_checks
from model.contract.fields import AnyField, Features
from model.contract.manifest import FieldBins, GoldenRow, Manifest
from model.contract.sources import widen
from model.contract.tables import TableError
from model.contract.texts import decode_text, encode_text, text_codes
from model.serving.checking import ModelFolder, check_hashes, check_versions, compare_fields
from model.serving.copula import GaussianCopula, KnownFacts
from model.serving.explain import (
    MAX_EXACT,
    choose_leading,
    get_coalitions,
    screen,
    split_by_reference,
)
from model.serving.instances import Answer, Instance, Part
from model.serving.neighbors import Neighbors
from model.serving.plans import Plan, Planner
from model.serving.predictors import (
    DerivingPredictor,
    ExclusivePredictor,
    InputLayout,
    JoblibPredictor,
    OnnxPredictor,
    Predictor,
    VectorizingPredictor,
)
from model.serving.served_model import (
    Explained,
    FactPattern,
    IceCurve,
    Mismatch,
    Neighbor,
    PredictionT,
    ServedModel,
)
from model.serving.texts.reasons import TextReasons, leave_words_out, locate
from model.serving.texts.vectorizer import Vectorizer, measure_texts

LoadedT = TypeVar("LoadedT")
"""What a file of a model's folder holds."""

MAX_ROWS_PER_CALL = 8192
"""Rows of a matrix that the predictor gets in one call: half a megabyte at ten fields."""

_GOLDEN_TOLERANCE = 1e-4
"""Relative difference above which a prediction is no longer the one in the manifest."""


@dataclass(eq=False)
class TabularModel(ServedModel[Features, PredictionT]):
    """A model of rows; a subclass says how it predicts them."""

    manifest_type = Manifest

    card: Card
    manifest: Manifest
    neighbors: Neighbors | None
    copula: GaussianCopula | None
    vectorizers: Mapping[int, Vectorizer]
    predictor: Predictor

    saved_predictor: ClassVar[type[JoblibPredictor]]
    """Opens a joblib file."""

    def __post_init__(self) -> None:
        self._reference = self.card.encode_row(self.manifest.reference)
        if self.neighbors is not None:
            for field, codes in zip(self.card.fields, self.neighbors.rows.T, strict=True):
                field.remember_codes(codes)
        self._has_texts = any(field.is_text for field in self.card.fields)
        self.layout = InputLayout(self.card, self.manifest.inputs)
        self._reference_row = self.layout.arrange(self._reference)
        planner = Planner(self.card, self.neighbors, self.copula, self.find_ood_threshold)
        self._get_plan = planner.get_plan
        self._training_rows = list(self._read_training_rows())

    @classmethod
    def load(cls, folder: ModelFolder[Any, Manifest]) -> Self:
        path, card, manifest, _ = folder

        def compare_card() -> None:
            if problems := [*compare_fields(folder), *cls.compare_output(folder)]:
                raise ModelError(*problems)

        run_checks(
            compare_card,
            lambda: check_hashes(
                folder,
                *filter(None, [manifest.neighbors, manifest.copula, manifest.module]),
                *manifest.vectorizers.values(),
            ),
            lambda: check_versions(folder),
        )
        card = card.arrange(manifest.columns)
        neighbors = _load(Neighbors.load, path, manifest.neighbors)
        copula = _load(GaussianCopula.load, path, manifest.copula)
        files = dict.fromkeys(manifest.vectorizers.values())
        read = {file: _load(Vectorizer.load, path, file) for file in files}
        vectorizers = {
            card.column_indices[name]: found
            for name, file in manifest.vectorizers.items()
            if (found := read[file]) is not None
        }
        predictor = cls._load_predictor(path / manifest.served, card, manifest, vectorizers)
        cls.check_predictor(predictor, folder._replace(card=card))
        model = cls(path.name, path, card, manifest, neighbors, copula, vectorizers, predictor)
        model.check_golden()
        return model

    @classmethod
    def _load_predictor(
        cls,
        path: Path,
        card: Card,
        manifest: Manifest,
        vectorizers: Mapping[int, Vectorizer],
    ) -> Predictor:
        compiled, step = path.suffix == ".onnx", manifest.features
        try:
            if compiled or path.suffix == ".joblib":
                predictor: Predictor = (
                    OnnxPredictor(path.read_bytes())
                    if compiled
                    else cls.saved_predictor(path, card, manifest)
                )
                if manifest.runs_code:
                    predictor = ExclusivePredictor(predictor)
                if compiled and vectorizers:
                    behind = vectorizers
                    if step:
                        names = [source.column for source in step.given]
                        behind = {step.find_text(names[key]): v for key, v in vectorizers.items()}
                    predictor = VectorizingPredictor(predictor, behind)
                if step:
                    predictor = DerivingPredictor(predictor, step, compiled)
                return predictor
        except Exception as error:
            raise ModelError(f"{path} does not load: {error}") from error
        raise ModelError(f"{path}: can serve .onnx and .joblib, not {path.suffix or 'this'}.")

    @property
    def fields(self) -> Mapping[str, AnyField]:
        return self.card.by_name

    @property
    def rows_noun(self) -> str:
        return self.card.rows_noun

    @property
    def field_bins(self) -> Mapping[str, FieldBins]:
        return self.manifest.field_bins

    @property
    def kept_rows(self) -> Neighbors | None:
        return self.neighbors

    @classmethod
    @abstractmethod
    def compare_output(cls, folder: ModelFolder[Any, Manifest]) -> Iterator[str]:
        """Compare the card's output with the manifest; the problems."""

    @classmethod
    def check_predictor(cls, predictor: Predictor, folder: ModelFolder[Any, Manifest]) -> None:
        """Compare a loaded predictor with the card.

        Raises:
            ModelError: if they contradict each other.
        """

    @abstractmethod
    def answer(self, matrix: Float32Array, parts: Sequence[Part]) -> list[Answer]:
        """Predict several rows with their variations, in one call of the predictor.

        Args:
            matrix: shape (rows, fields), arranged.
            parts: the rows to predict.

        Raises:
            ArithmeticError: if the model predicts a number that is not finite.
        """

    def predict_values(self, matrix: Float32Array) -> FloatArray:
        """Predict the number that the reasons for the last row are about, shape (rows,).

        Args:
            matrix: shape (rows, fields), arranged.

        Raises:
            ArithmeticError: see ``answer``.
        """
        part = Part(slice(0, len(matrix)), len(matrix) - 1, frozenset(), frozenset())
        (answer,) = self.answer(matrix, [part])
        return answer.values

    @abstractmethod
    def predict_columns(
        self, matrix: Float32Array, patterns: Sequence[FactPattern]
    ) -> tuple[Any, ...]:
        """Predict the rows of a table: each of ``answer_columns``, shape (rows,).

        A number that is not finite stays as it is, and of texts there is None.

        Args:
            matrix: shape (rows, fields), arranged.
            patterns: which facts the rows have; each row is in one of them.
        """

    @abstractmethod
    def restore(self, values: Sequence[Any], known: frozenset[str]) -> PredictionT:
        """Make the prediction of which ``tabulate`` makes these values.

        Args:
            values: of ``answer_columns``, finite.
            known: names of the optional facts that are given in the row.
        """

    @abstractmethod
    def compare_golden(
        self, prediction: PredictionT, golden: GoldenRow
    ) -> Iterator[tuple[float, float]]:
        """Pair the numbers of a prediction with those of the manifest.

        Raises:
            ModelError: if the prediction is another class.
        """

    @property
    def guess_text(self) -> str:
        """What a program is told of an answer to an out-of-distribution row."""
        return "The model has seen nothing like this row, so this is a guess."

    @property
    def default_what_if(self) -> str:
        """The fact over which the curve goes until the visitor chooses another; "" for none."""
        varying = self.card.varying
        required = (name for name in varying if self.card.by_name[name].required)
        return self.card.what_if or next(required, next(iter(varying), ""))

    def find_ood_threshold(self, known: frozenset[str]) -> float | None:
        """The distance to its nearest rows above which a row is out-of-distribution.

        Only models of before have one, which have no copula.

        Args:
            known: names of the optional facts that are given.
        """
        thresholds = self.manifest.ood_thresholds
        return thresholds[len(self.card.optional) - len(known)] if thresholds else None

    def _explain(
        self, rows: Sequence[Features], what_if: str, contributions: bool, timeout: float
    ) -> list[Explained[PredictionT]]:
        if not self._has_texts:
            return self._explain_rows(rows, what_if, contributions, timeout)
        with text_codes():
            return self._explain_rows(rows, what_if, contributions, timeout)

    def _explain_rows(
        self, rows: Sequence[Features], what_if: str, contributions: bool, timeout: float
    ) -> list[Explained[PredictionT]]:
        deadline = time.monotonic() + timeout
        column = self.card.column_indices[what_if] if what_if else None
        explained: list[Explained[PredictionT]] = []
        waiting: list[Instance] = []
        size = 0
        for row in rows:
            codes = self.card.encode_row(row)
            given, changed = split_by_reference(codes, self._reference)
            coalitions, own = None, 0
            if contributions:
                leading = self._choose_leading(codes, changed) if len(changed) > MAX_EXACT else ()
                coalitions = get_coalitions(given, changed, leading)
                own = len(coalitions) - 1
            plan = self._get_plan(given, column)
            instance = Instance(codes, plan, coalitions, own, own + 1 + plan.points)
            if waiting and size + instance.size > MAX_ROWS_PER_CALL:
                explained += self._explain_together(waiting)
                waiting, size = [], 0
                if time.monotonic() > deadline:
                    raise TimeoutError
            waiting.append(instance)
            size += instance.size
        return explained + self._explain_together(waiting) if waiting else explained

    def _choose_leading(self, codes: list[float], changed: tuple[int, ...]) -> tuple[int, ...]:
        """Choose the facts of a row that have a contribution of their own."""
        places = self.layout.places[list(changed)]
        matrix = screen(self.layout.arrange(codes), self._reference_row, places)
        return choose_leading(changed, self.predict_values(matrix))

    def _explain_together(self, waiting: Sequence[Instance]) -> list[Explained[PredictionT]]:
        width = len(self._reference)
        matrix = np.empty((sum(instance.size for instance in waiting), width), dtype=np.float32)
        parts, start = [], 0
        for instance in waiting:
            rows = slice(start, start + instance.size)
            instance.fill(matrix[rows], self._reference_row, self.layout)
            plan = instance.plan
            parts.append(Part(rows, start + instance.own, plan.known, plan.known_on_curve))
            start = rows.stop
        answers = self.answer(matrix, parts)
        return [
            self._explain_one(instance, answer, mismatch, inside)
            for instance, answer, (mismatch, inside) in zip(
                waiting, answers, self._find_mismatches(waiting), strict=True
            )
        ]

    def _explain_one(
        self, instance: Instance, answer: Answer, mismatch: Mismatch | None, inside: Sequence[bool]
    ) -> Explained[PredictionT]:
        plan, shapley, curve = instance.plan, None, None
        if instance.coalitions is not None:
            shapley = instance.coalitions.explain(answer.values[: instance.own + 1])
        if plan.column is not None and plan.grid is not None:
            _, _, points, low, high = answer
            curve = IceCurve(plan.column, plan.grid.values, points, low, high, inside)
        neighbors, far = self._search(instance)
        texts = self._explain_texts(instance, answer.prediction) if self._has_texts else ()
        unread = any(text.knowledge.is_guess for text in texts)
        return Explained(
            answer.prediction,
            shapley,
            curve,
            neighbors,
            out_of_distribution=far or unread or mismatch is not None,
            known=plan.known,
            mismatch=mismatch,
            texts=texts,
        )

    def _explain_texts(
        self, instance: Instance, prediction: PredictionT
    ) -> tuple[TextReasons, ...]:
        """What is known of the words of each text that is given, and what they speak for."""
        found, (codes, plan, coalitions, *_) = [], instance
        texts = {
            column: decode_text(codes[column])
            for column in self.vectorizers
            if column in plan.given
        }
        for column, knowledge in measure_texts(texts, self.vectorizers).items():
            text, vectorizer = texts[column], self.vectorizers[column]
            reasons = TextReasons(self.card.names[column], text, knowledge)
            if coalitions is not None:
                if vectorizer.coefficients is None:
                    answer = partial(self._answer_texts, codes, column)
                    reasons = leave_words_out(reasons, vectorizer, answer)
                else:
                    whole = self._read_whole(codes, column)
                    parts = vectorizer.score_terms(whole, self.find_place(prediction), text)
                    reasons = reasons._replace(parts=parts, exact=True)
                spans = locate(text, reasons.parts, vectorizer.options.analyzer)
                reasons = reasons._replace(spans=spans)
            found.append(reasons)
        return tuple(found)

    def _read_whole(self, codes: list[float], column: int) -> str:
        """The text that the model reads, of which that of a field may be a part."""
        step = self.manifest.features
        if step is None:
            return decode_text(codes[column])
        name = step.given[self.layout.places[column]].column
        (row,) = step.transform(self.layout.arrange(codes)[None])
        return decode_text(row[step.find_text(name)])

    def _answer_texts(self, codes: list[float], column: int, texts: Sequence[str]) -> FloatArray:
        """Answer a row with each of some texts in its column, the first its own: shape (texts,)."""
        rows = np.array([codes] * len(texts), dtype=np.float32)
        rows[:, column] = [encode_text(text) for text in texts]
        part = Part(slice(0, len(rows)), 0, frozenset(), frozenset())
        (answer,) = self.answer(self.layout.arrange(rows), [part])
        return answer.values

    def find_place(self, prediction: PredictionT) -> int:
        """Return the place of the predicted class among the classes; 0 for a number."""
        return 0

    @property
    def explains_slowly(self) -> bool:
        """Whether reasons take many further predictions: words are left out in turn."""
        return any(item.coefficients is None for item in self.vectorizers.values())

    def _find_mismatches(
        self, waiting: Sequence[Instance]
    ) -> list[tuple[Mismatch | None, Sequence[bool]]]:
        """Find in each row what makes it unlike the training rows, None where it is like them.

        Returns:
            That of each row, and whether each point of its curve is like them.
        """
        groups: dict[Plan, list[int]] = {}
        for index, instance in enumerate(waiting):
            groups.setdefault(instance.plan, []).append(index)
        found: list[tuple[Mismatch | None, Sequence[bool]]] = [(None, ())] * len(waiting)
        for plan, indices in groups.items():
            rows = [waiting[index].codes for index in indices]
            inside = (~plan.find_outliers(rows)).tolist()
            for index, codes, (own, *points) in zip(indices, rows, inside, strict=True):
                found[index] = None if own else self._name_culprits(codes, plan.facts), points
        return found

    def _name_culprits(self, codes: list[float], known: KnownFacts | None) -> Mismatch | None:
        if known is None:
            return None
        ((columns, alone),) = known.find_culprits(known.compute_scores([codes]))
        fields = self.card.fields
        facts = {fields[column].name: fields[column].decode(codes[column]) for column in columns}
        return Mismatch(facts, alone)

    def _search(self, instance: Instance) -> tuple[tuple[Neighbor, ...], bool]:
        """The nearest rows, and whether they are too far; none where nothing is to be explained."""
        neighbors, (codes, plan, coalitions, *_) = self.neighbors, instance
        if neighbors is None or (coalitions is None and plan.threshold is None):
            return (), False
        nearest, distance = neighbors.find_nearest(codes, plan.given)
        far = plan.threshold is not None and distance > plan.threshold
        return tuple([self._training_rows[index] for index in nearest]), far

    def _read_training_rows(self) -> Iterator[Neighbor]:
        """Every training row with its features as Python values."""
        neighbors, fields = self.neighbors, self.card.fields
        if neighbors is None:
            return
        targets = neighbors.targets.tolist()
        years = [None] * len(targets) if neighbors.years is None else neighbors.years.tolist()
        rows = widen(neighbors.rows).tolist()
        for row, target, year in zip(rows, targets, years, strict=True):
            features = {
                f.name: neighbors.texts[column][int(code)]
                if column in neighbors.texts
                else f.decode(code)
                for column, (f, code) in enumerate(zip(fields, row, strict=True))
            }
            yield Neighbor(features, target, year)

    def explain_golden(self) -> Explained[PredictionT]:
        rows = [self.card.validate_row(golden.features)[0] or {} for golden in self.manifest.golden]
        with text_codes():
            facts = [split_by_reference(self.card.encode_row(row), self._reference) for row in rows]
        most = max(range(len(rows)), key=lambda index: len(facts[index][1]))
        (explained,) = self.explain([rows[most]], self.default_what_if)
        return explained

    def check_golden(self) -> None:
        run_checks(
            *(
                partial(self._check_golden_row, golden, index)
                for index, golden in enumerate(self.manifest.golden)
            )
        )

    def _check_golden_row(self, golden: GoldenRow, index: int) -> None:
        where = f"{self.folder / 'manifest.json'}: golden row {index}"
        features, errors = self.card.validate_row(golden.features)
        if features is None:
            raise ModelError(*(f"{where}, {name}: {message}" for name, message in errors.items()))
        try:
            (prediction,) = self.predict([features])
        except Exception as error:
            raise ModelError(f"{where} does not predict: {error}") from error
        try:
            pairs = list(self.compare_golden(prediction, golden))
        except ModelError as error:
            raise ModelError(f"{where} {error}") from error
        for found, expected in pairs:
            tolerance = _GOLDEN_TOLERANCE * max(abs(expected), 1e-9)
            if not abs(found - expected) <= tolerance:  # NaN is never close
                raise ModelError(
                    f"{where} predicts {found:.6g}, it was {expected:.6g} when the model was "
                    f"made. {MAKE_AGAIN}"
                )


def take_tabular(model: ServedModel[Any, Any]) -> TabularModel[Any]:
    """Return a model as one of rows.

    Raises:
        TableError: if it is none.
    """
    if not isinstance(model, TabularModel):
        raise TableError(f"{model.slug} takes pictures, and a table has none.")
    return model


def _load(read: Callable[[Path], LoadedT], folder: Path, name: str) -> LoadedT | None:
    """What is read from a file of the manifest; None where it names none."""
    if not name:
        return None
    try:
        return read(folder / name)
    except Exception as error:  # NumPy raises anything for a file that it did not write
        raise ModelError(f"{folder / name} does not load. {MAKE_AGAIN}") from error
