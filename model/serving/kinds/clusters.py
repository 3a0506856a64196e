"""The kind of model that sorts rows into clusters that it found by itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.contract.arrays import Float32Array, Float64Array
from model.contract.card import ClusterCard
from model.contract.errors import MAKE_AGAIN
from model.contract.manifest import GoldenRow, Manifest
from model.serving.checking import ModelFolder
from model.serving.instances import Answer, Part
from model.serving.kinds.matrix import LabelModel
from model.serving.predictors import JoblibPredictor
from model.serving.served_model import ClusterPrediction, FactPattern


def find_measure(estimator: Any) -> str:
    """What an estimator tells of each cluster: ``ClusterOutput.measure``.

    Its distances count where the nearest centre is always the cluster that it names.
    """
    last = _find_last(estimator)
    if hasattr(last, "predict_proba"):
        return "probability"
    by_centers = ("KMeans", "MiniBatchKMeans", "MeanShift", "AffinityPropagation")
    return "distance" if type(last).__name__ in by_centers else "none"


def count_clusters(estimator: Any) -> int:
    """How many clusters a fitted estimator has; 0 where it does not tell."""
    last = _find_last(estimator)
    for name in ("cluster_centers_", "means_"):
        if hasattr(last, name):
            return len(getattr(last, name))
    labels = getattr(last, "subcluster_labels_", ())
    return len(np.unique(labels))


def measure_affinities(estimator: Any, rows: Any) -> Float64Array:
    """The affinities of rows to each cluster, shape (rows, clusters); see ``ClusterPrediction``."""
    measure = find_measure(estimator)
    if measure == "probability":
        return np.asarray(estimator.predict_proba(rows), dtype=np.float64)
    if measure == "none":
        labels = np.asarray(estimator.predict(rows))
        named: Float64Array = (labels[:, None] == np.arange(count_clusters(estimator))).astype(
            np.float64
        )
        return named
    last = _find_last(estimator)
    if hasattr(last, "transform"):
        return -np.asarray(estimator.transform(rows), dtype=np.float64)
    from sklearn.metrics import pairwise_distances

    inner = rows if last is estimator else estimator[:-1].transform(rows)
    return -np.asarray(pairwise_distances(inner, last.cluster_centers_), dtype=np.float64)


def _find_last(estimator: Any) -> Any:
    """The last step of a pipeline, or the estimator itself."""
    while hasattr(estimator, "steps"):
        estimator = estimator.steps[-1][1]
    return estimator


def compute_clarity(affinities: Float64Array, place: int, measure: str) -> Float64Array:
    """How clearly rows belong to one cluster, shape (rows,); below 0 where another is nearer.

    Args:
        affinities: to each cluster, shape (rows, clusters).
        place: that of the cluster.
        measure: what they are; see ``ClusterOutput.measure``.
    """
    own = affinities[:, place]
    if measure != "distance":
        return own
    other = np.delete(affinities, place, axis=1).max(axis=1)
    farther = np.minimum(own, other)  # they are distances below 0
    clarity: Float64Array = (own - other) / np.where(farther < 0, -farther, 1.0)
    return clarity


class JoblibClusterPredictor(JoblibPredictor):
    """A scikit-learn estimator as it was saved, which answers affinities."""

    def _answer(self, rows: Any) -> Float64Array:
        return measure_affinities(self._loaded, rows)


@dataclass(eq=False)
class ClusterModel(LabelModel[ClusterPrediction]):
    """A model that sorts rows into clusters."""

    card_type = ClusterCard

    card: ClusterCard

    columns_key = columns_noun = "clusters"
    keep_text = "Keep the clusters in the order of the model's numbers."
    saved_predictor = JoblibClusterPredictor

    @classmethod
    def compare_output(cls, folder: ModelFolder[ClusterCard, Manifest]) -> Iterator[str]:
        made = [profile.cluster for profile in folder.manifest.clusters]
        names = [option.value for option in folder.card.output.clusters]
        yield from filter(None, [cls.compare_names(names, made, folder)])
        for profile in folder.manifest.clusters:
            for fact in profile.facts:
                if fact.field not in folder.card.by_name:
                    yield (
                        f"{folder.manifest_path}: a cluster is described by {fact.field!r}, no "
                        f"field. {MAKE_AGAIN}"
                    )

    def answer(self, matrix: Float32Array, parts: Sequence[Part]) -> list[Answer]:
        affinities = self.predict_matrix(matrix)
        measure = self.card.output.measure
        answers = []
        for part in parts:
            own = affinities[part.own]
            if not np.isfinite(own).all():
                raise ArithmeticError(f"{self.name} answered {own.tolist()}")
            place = int(own.argmax())
            values = compute_clarity(affinities[part.rows], place, measure)
            here = part.own - part.rows.start
            clarity = None if measure == "none" else float(values[here])
            label = self.card.output.clusters[place].value
            prediction = ClusterPrediction(label, clarity, tuple(own.tolist()))
            points = values[here + 1 :].tolist()
            answers.append(Answer(prediction, values, points, points, points))
        return answers

    def find_place(self, prediction: ClusterPrediction) -> int:
        return self.find_label(prediction.label)

    @property
    def measure_name(self) -> str:
        """What people and programs call a clarity."""
        return "probability" if self.card.output.measure == "probability" else "clarity"

    @property
    def answer_columns(self) -> tuple[str, ...]:
        output = self.card.output
        if output.measure == "none":
            return ("label",)
        names = [f"{output.measure}_{option.value}" for option in output.clusters]
        return ("label", self.measure_name, *names)

    def tabulate(self, prediction: ClusterPrediction) -> tuple[float | str, ...]:
        label, clarity, affinities = prediction
        return (label,) if clarity is None else (label, clarity, *map(abs, affinities))

    def restore(self, values: Sequence[Any], known: frozenset[str]) -> ClusterPrediction:
        if len(values) == 1:
            return ClusterPrediction(values[0], None, ())
        label, clarity, *amounts = values
        sign = -1 if self.card.output.measure == "distance" else 1
        return ClusterPrediction(label, clarity, tuple(sign * amount for amount in amounts))

    def predict_columns(
        self, matrix: Float32Array, patterns: Sequence[FactPattern]
    ) -> tuple[Any, ...]:
        output = self.card.output
        affinities = self.predict_matrix(matrix)
        places = affinities.argmax(axis=1)
        labels = self.name_rows(places, affinities)
        if output.measure == "none":
            return (labels,)
        clarity = np.empty(len(matrix))
        for place in np.unique(places).tolist():
            rows = places == place
            clarity[rows] = compute_clarity(affinities[rows], place, output.measure)
        return (labels, clarity, *np.abs(affinities).T)

    def compare_golden(
        self, prediction: ClusterPrediction, golden: GoldenRow
    ) -> Iterator[tuple[float, float]]:
        self.check_label(prediction.label, golden)
        yield abs(prediction.affinities[self.find_place(prediction)]), golden.value
