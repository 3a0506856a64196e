"""The manifest of an added model: what was made of what, written beside its artifacts."""

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
from model.making.golden import golden_rows
from model.making.indexing import Index
from model.making.model_sources import PreparedModel
from model.making.request import Request

_LIBRARIES = ("joblib", "numpy", "onnx", "onnxruntime", "pandas", "scikit-learn", "skl2onnx")
_AXIS_QUANTILES = (0.005, 0.995)


def write_manifest(
    work: Path,
    request: Request,
    ready: PreparedModel,
    card: Card,
    dataset: Dataset,
    evaluation: Evaluation,
    index: Index | None,
) -> Manifest:
    """Write the index of similar rows, if there is one, and the manifest.

    Args:
        work: the folder of the model, in which its artifacts are.
        request: what the person asked for.
        ready: the model and its artifacts.
        card: its card.
        dataset: the rows that it can answer.
        evaluation: what the held-out ones said.
        index: of the similar rows that are shown.

    Raises:
        AddError: if a row of the data does not fit the card.
    """
    calibration, support = _with_support(evaluation.calibration, index, dataset)
    files = list(ready.files)
    if index is not None:
        index.neighbors.save(work / "neighbors.npz")
        files.append("neighbors.npz")
    low, high = np.quantile(dataset.truth, _AXIS_QUANTILES).tolist()
    axis = round_bounds(low, high, False) if low < high else (low, low + 1)
    data = request.data.read_bytes()
    manifest = Manifest(
        trained=date.today(),
        seed=SEED,
        columns=card.names,
        choices={
            field.name: tuple(choice.value for choice in field.choices)
            for field in card.fields
            if field.kind == "choice"
        },
        served=ready.served,
        artifacts={name: _artifact((work / name).read_bytes()) for name in files},
        versions=_versions(),
        data=TrainingData(
            file=request.data.name,
            sha256=_artifact(data).sha256,
            rows=dataset.seen,
            text=card.data_text,
            source=f"The file {request.data.name}, column {request.target}.",
        ),
        how=evaluation.how,
        metrics=evaluation.metrics,
        accuracy=evaluation.accuracy,
        reference={item.name: item.reference for item in dataset.fields},
        axis=None if evaluation.classes else axis,
        calibration=calibration,
        temperature=evaluation.temperature,
        neighbors="neighbors.npz" if index is not None else "",
        frame=ready.frame,
        support=support,
        golden=(GoldenRow(features={}, value=0),) * 3,
    )
    golden = golden_rows(ready.answer, card, manifest)
    manifest = manifest.model_copy(update={"golden": golden})
    text = json.dumps(manifest.model_dump(mode="json"), indent=1, ensure_ascii=False)
    (work / "manifest.json").write_text(text + "\n", encoding="utf-8")
    return manifest


def _with_support(
    calibration: Calibration | None, index: Index | None, dataset: Dataset
) -> tuple[Calibration | None, tuple[float, ...]]:
    """Where a row is like the data: in each group of the calibration, or by itself."""
    if index is None:
        return calibration, ()
    places = {item.name: place for place, item in enumerate(dataset.fields)}
    if calibration is None or calibration.groups[0].unknown is not None:
        return calibration, index.limits_by_count()
    found = index.limit([[places[name] for name in g.known] for g in calibration.groups])
    groups = tuple(
        group.model_copy(update={"support": max(limit, 1e-6)})
        for group, limit in zip(calibration.groups, found, strict=True)
    )
    return calibration.model_copy(update={"groups": groups}), ()


def _artifact(content: bytes) -> Artifact:
    return Artifact(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
