"""The manifest of a model, written beside its artifacts: golden rows, hashes, versions."""

import hashlib
import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from model.contract.arrays import Float64Array
from model.contract.card import Card
from model.contract.fields import Value
from model.contract.files import write_json
from model.contract.manifest import (
    Artifact,
    FieldBins,
    GoldenRow,
    Manifest,
    ManifestBase,
    TrainingData,
)
from model.making.errors import AddError
from model.making.kinds.output_kind import Evaluation, OutputKind
from model.making.measuring.outcomes import count_held_out, count_outcomes
from model.making.rows.prepared import PredictFloat64, ServedFiles
from model.serving.copula import GaussianCopula
from model.serving.intervals import ConformalIntervals
from model.serving.neighbors import Neighbors
from model.serving.probabilities import apply_calibration

_LIBRARIES = ("joblib", "numpy", "onnx", "onnxruntime", "pandas", "scikit-learn", "skl2onnx")
_LEAST_GOLDEN = 3


def write_manifest(
    folder: Path,
    card: Card,
    kind: OutputKind,
    made: ServedFiles,
    evaluation: Evaluation,
    neighbors: Neighbors | None,
    copula: GaussianCopula | None,
    *,
    data: TrainingData,
    truth: Float64Array,
    reference: Mapping[str, Value],
    golden: tuple[GoldenRow, ...],
    inputs: tuple[str, ...] = (),
    field_bins: Mapping[str, FieldBins] | None = None,
    seed: int = 0,
) -> Manifest:
    """Write the similar rows and the joint distribution, as far as there are any, and the manifest.

    Args:
        folder: of the model, in which its artifacts are.
        card: its card.
        kind: how it answers.
        made: its files.
        evaluation: what rows showed that it has not seen.
        neighbors: the similar rows, if they are shown.
        copula: the joint distribution of the facts, if it says which rows are unlike the data.
        data: what it was trained on.
        truth: the true answers in the data, shape (rows,).
        reference: the row that contributions are counted from.
        golden: see ``answer_golden_rows``.
        inputs: the fields in the order of the artifact, where the card has another.
        field_bins: the training rows in bins of each field; without, they are counted in the
            similar rows.
        seed: of everything random in it.
    """
    saved = {
        name: part
        for name, part in (("neighbors.npz", neighbors), ("copula.npz", copula))
        if part is not None
    }
    for name, part in saved.items():
        part.save(folder / name)
    axis = kind.find_axis(truth)
    # A dot of the plot is a row, so it is shown where rows are.
    held_out = None if neighbors is None else evaluation.held_out
    manifest = Manifest(
        trained=date.today(),
        seed=seed,
        columns=card.names,
        inputs=inputs,
        choices=card.categories,
        served=made.served,
        artifacts={name: describe_artifact(folder / name) for name in (*made.files, *saved)},
        versions=read_versions(),
        data=data,
        how=evaluation.how,
        metrics=evaluation.metrics,
        accuracy=evaluation.accuracy,
        reference=dict(reference),
        axis=axis,
        outcomes=None if axis is None else count_outcomes(truth, axis),
        held_out=None if axis is None or held_out is None else count_held_out(*held_out, axis),
        calibration=evaluation.calibration,
        probabilities=evaluation.probabilities,
        neighbors="neighbors.npz" if neighbors is not None else "",
        copula="copula.npz" if copula is not None else "",
        frame=made.frame,
        features=made.features,
        vectorizers=dict(made.vectorizers),
        field_bins=dict(field_bins or {}),
        runs_code=made.runs_code,
        truth_bins=evaluation.truth_bins,
        reliability=evaluation.reliability,
        accuracies=evaluation.accuracies,
        ordinal=evaluation.ordinal,
        others=evaluation.outputs,
        clusters=evaluation.clusters,
        scores=evaluation.scores,
        class_names=kind.class_names,
        module=made.module,
        golden=golden,
    )
    save_manifest(folder, manifest)
    return manifest


def save_manifest(folder: Path, manifest: ManifestBase) -> None:
    """Write ``manifest.json``."""
    write_json(folder / "manifest.json", manifest.model_dump(mode="json"))


def answer_golden_rows(
    card: Card,
    kind: OutputKind,
    evaluation: Evaluation,
    rows: Sequence[Mapping[str, Value]],
    predict: PredictFloat64,
    scale: PredictFloat64 | None = None,
) -> tuple[GoldenRow, ...]:
    """Answer rows, so that every later answer can be compared with this one; the last repeatedly.

    Args:
        card: the model's card.
        kind: how it answers.
        evaluation: what calibrates its answers.
        rows: values as a person types them.
        predict: the served model.
        scale: of its intervals, where it predicts one.

    Raises:
        AddError: if the card does not allow one of the rows.
    """
    intervals = None
    if evaluation.calibration is not None:
        intervals = ConformalIntervals(evaluation.calibration, card.optional)
    golden = []
    for row in rows:
        features, errors = card.validate_row(row)
        if features is None:
            raise AddError(f"A row of the data does not fit its own card: {errors}")
        encoded, low, high = card.encode(features), None, None
        given = predict(encoded)
        answers = apply_calibration(given, evaluation.probabilities)
        if intervals is not None:
            group = intervals.find_group(
                name for name in card.optional if features[name] is not None
            )
            spread = None if scale is None else scale(encoded)
            ends = intervals.compute_bounds(kind.decide(answers), spread, [group])
            low, high = (end.item() for end in ends)
        (value, _), (_, label) = map(kind.read_answer, (answers[0], given[0]))  # its own class
        golden.append(
            GoldenRow(
                features=dict(features),
                value=value,
                label=label,
                low=low,
                high=high,
                others=kind.list_others(answers[0]),
            )
        )
    golden += golden[-1:] * (_LEAST_GOLDEN - len(golden))
    return tuple(golden)


def describe_artifact(path: Path) -> Artifact:
    """Return a file's hash and size."""
    content = path.read_bytes()
    return Artifact(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def read_versions(libraries: Sequence[str] = _LIBRARIES) -> dict[str, str]:
    """Return the versions of Python and of those libraries that are installed."""
    versions = {"python": platform.python_version()}
    for name in libraries:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions
