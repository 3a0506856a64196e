"""The manifest of an added model, written beside its artifacts."""

from __future__ import annotations

import hashlib
import json
import platform
from contextlib import suppress
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from model.contract.card import Card
from model.contract.manifest import Artifact, Calibration, GoldenRow, Manifest, TrainingData
from model.making.bounds import round_bounds
from model.making.dataset import Dataset
from model.making.evaluating import SEED, Evaluation
from model.making.golden import answer_golden_rows
from model.making.indexing import NeighborIndex
from model.making.model_sources import PreparedModel
from model.making.options import AddOptions

_LIBRARIES = ("joblib", "numpy", "onnx", "onnxruntime", "pandas", "scikit-learn", "skl2onnx")
_AXIS_QUANTILES = (0.005, 0.995)
_LEAST_THRESHOLD = 1e-6  # a manifest takes no threshold of 0, which equal rows have


def write_manifest(
    work: Path,
    options: AddOptions,
    prepared: PreparedModel,
    card: Card,
    dataset: Dataset,
    evaluation: Evaluation,
    index: NeighborIndex | None,
) -> Manifest:
    """Write the index of similar rows, if there is one, and the manifest.

    Args:
        work: the folder of the model, in which its artifacts are.
        options: what the person asked for.
        prepared: the model and its artifacts.
        card: its card.
        dataset: the rows that it can answer.
        evaluation: what the held-out rows showed.
        index: of similar rows, if they are shown.

    Raises:
        AddError: if a row of the data does not fit the card.
    """
    calibration, support = _add_ood_thresholds(evaluation.calibration, index, dataset)
    files = list(prepared.files)
    if index is not None:
        index.neighbors.save(work / "neighbors.npz")
        files.append("neighbors.npz")
    low, high = np.quantile(dataset.truth, _AXIS_QUANTILES).tolist()
    axis = round_bounds(low, high, False) if low < high else (low, low + 1)
    data = options.data.read_bytes()
    manifest = Manifest(
        trained=date.today(),
        seed=SEED,
        columns=card.names,
        choices={
            field.name: tuple(choice.value for choice in field.choices)
            for field in card.fields
            if field.kind == "choice"
        },
        served=prepared.served,
        artifacts={name: _artifact((work / name).read_bytes()) for name in files},
        versions=_versions(),
        data=TrainingData(
            file=options.data.name,
            sha256=_artifact(data).sha256,
            rows=dataset.training_rows,
            text=card.data_text,
            source=f"The file {options.data.name}, column {options.target}.",
        ),
        how=evaluation.how,
        metrics=evaluation.metrics,
        accuracy=evaluation.accuracy,
        reference={item.name: item.reference for item in dataset.fields},
        axis=axis if card.output.kind == "number" else None,
        calibration=calibration,
        temperature=evaluation.temperature,
        neighbors="neighbors.npz" if index is not None else "",
        frame=prepared.frame,
        support=support,
        golden=(GoldenRow(features={}, value=0),) * 3,
    )
    golden = answer_golden_rows(prepared.predict, card, manifest)
    manifest = manifest.model_copy(update={"golden": golden})
    text = json.dumps(manifest.model_dump(mode="json"), indent=1, ensure_ascii=False)
    (work / "manifest.json").write_text(text + "\n", encoding="utf-8")
    return manifest


def _add_ood_thresholds(
    calibration: Calibration | None, index: NeighborIndex | None, dataset: Dataset
) -> tuple[Calibration | None, tuple[float, ...]]:
    """The distances within which a row is like the data: in each group, or by unknown facts."""
    if index is None:
        return calibration, ()
    columns = {item.name: column for column, item in enumerate(dataset.fields)}
    if calibration is None or calibration.groups[0].unknown is not None:
        return calibration, index.ood_thresholds_by_count()
    known = [[columns[name] for name in group.known] for group in calibration.groups]
    groups = tuple(
        group.model_copy(update={"support": max(threshold, _LEAST_THRESHOLD)})
        for group, threshold in zip(calibration.groups, index.ood_thresholds(known), strict=True)
    )
    return calibration.model_copy(update={"groups": groups}), ()


def _artifact(content: bytes) -> Artifact:
    return Artifact(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions
