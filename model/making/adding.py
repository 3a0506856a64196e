"""Add a model: from a person's file and data to a folder that can be served."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from model.contract.errors import ModelError
from model.contract.fields import Value
from model.contract.manifest import TrainingData
from model.making.baselines import compare_with_baselines
from model.making.cards import write_card
from model.making.columns import infer_columns, takes_numbers
from model.making.copula_fitting import fit_copula
from model.making.dataset import (
    build_dataset,
    describe_optional_fields,
    require_one_field,
    tighten_bounds,
)
from model.making.derived_sources import DerivedSource
from model.making.deriving import derive_columns
from model.making.errors import AddError
from model.making.features import match_features
from model.making.indexing import (
    compute_importance,
    encode_reference,
    explain_missing_index,
    index_rows,
)
from model.making.manifests import answer_golden_rows, describe_artifact, write_manifest
from model.making.model_sources import ModelSource
from model.making.number_texts import read_number_columns
from model.making.onnx_sources import read_onnx
from model.making.options import AddOptions
from model.making.pickles import open_estimator
from model.making.report import format_report
from model.making.summary import AddedModel, summarize
from model.making.tables import read_rows
from model.serving.loading import load_model

STAGES = (
    "reading",
    "looking at the columns",
    "compiling and comparing",
    "ranking the facts",
    "indexing similar rows",
    "measuring on held-out rows",
    "fitting plain models beside it",
    "writing and checking",
)
"""The steps in their order; a progress bar counts them."""

_RESERVED = ("about", "api", "embed", "healthz", "metrics", "predict-fragment", "readyz", "static")


def add_model(options: AddOptions, root: Path, report: Callable[[str], object]) -> AddedModel:
    """Make a model's folder under ``root``; if that fails, nothing is left behind.

    A model that is replaced stays until the new one is in its place. If the process is killed
    between the two, the next run with the same name puts the old one back.

    Args:
        options: what to make it from.
        root: the folder in which the models' folders stand.
        report: called with each of ``STAGES`` as it begins.

    Raises:
        AddError: if the model cannot be added; says why and what to do.
    """
    folder = _choose_folder(options, root)
    with tempfile.TemporaryDirectory(dir=root, prefix=f".{folder.name}-") as temporary:
        work = Path(temporary) / folder.name
        work.mkdir()
        try:
            added = _make_folder(options, folder, work, report)
            load_model(work)
        except ModelError as error:
            text = str(error).replace(str(work), str(folder))
            raise AddError(f"The drafted model does not pass its own check: {text}") from error
        except ValidationError as error:
            raise AddError(
                f"What was measured of the model cannot be kept: {error}. Look for rows of the "
                "data to which it gives no usable answer."
            ) from error
        _replace_folder(folder, work, Path(temporary))
    return added


def _replace_folder(folder: Path, work: Path, temporary: Path) -> None:
    """Rename ``work`` to ``folder``; if that fails, a model that was there comes back.

    Args:
        folder: where the new model is to stand.
        work: the new model.
        temporary: takes the replaced model; whoever made this folder deletes it.

    Raises:
        AddError: if the file system refuses.
    """
    backup = _backup_path(folder)
    if backup.exists():  # beside a model, so another run put that in its place and was then killed
        backup.rename(temporary / "older")
    try:
        if folder.exists():
            folder.rename(backup)
        work.rename(folder)
    except OSError as error:
        raise AddError(f"{folder} could not be put in its place: {error}.") from error
    finally:  # after an interrupt, too
        _restore_backup(folder)
        if backup.exists():
            backup.rename(temporary / "old")


def _restore_backup(folder: Path) -> None:
    """Undo a replacement that was broken off after the old model had left its place."""
    backup = _backup_path(folder)
    if backup.exists() and not folder.exists():
        backup.rename(folder)


def _backup_path(folder: Path) -> Path:
    """Return where a model stands while another takes its place; a later run finds it there."""
    return folder.with_name(f".{folder.name}.old")


def _choose_folder(options: AddOptions, root: Path) -> Path:
    slug = options.name.replace("_", "-")
    if not (slug.replace("-", "").isalnum() and slug.isascii() and slug == slug.lower()):
        raise AddError(f"--name {options.name}: write lower-case letters, digits and dashes.")
    if not slug[0].isalpha() or slug in _RESERVED:
        raise AddError(
            f"--name {options.name} cannot be part of an address: it must begin with a letter, and "
            f"{', '.join(_RESERVED)} are taken. Choose another."
        )
    folder = root / slug.replace("-", "_")
    if not root.is_dir():
        raise AddError(f"{root} is not a folder. Name the folder of the models with --models.")
    _restore_backup(folder)
    if folder.exists() and not (folder / "card.toml").is_file():
        raise AddError(f"{folder} exists and is not a model. Choose another --name.")
    if folder.exists() and not options.force:
        raise AddError(f"{folder} exists. Choose another --name, or add --force to replace it.")
    return folder


def _make_folder(
    options: AddOptions, folder: Path, work: Path, report: Callable[[str], object]
) -> AddedModel:
    """Make the model's files in ``work``; messages name ``folder``, where they go afterwards."""
    notes: list[str] = []
    stage = iter(STAGES)

    report(next(stage))
    source = _open_model(options)
    rows = read_rows(options.data, options.target, options.holdout, options.decimal)
    notes += rows.notes
    derivations, rows, derived = derive_columns(options, rows, notes.append)
    names = match_features(
        source, replace(rows, table=derived), options, notes.append, derivations.inputs
    )
    if derivations.columns:
        derivations.require_used(names)
        source = DerivedSource(source, names, derived, derivations)
        names = list(derivations.list_given(names))

    report(next(stage))
    encoded = source.find_encoded(names)
    kinds = {name: "date" for name in derivations.dates if name in names} | {**options.kinds}
    texts = encoded | {name for name, kind in kinds.items() if not takes_numbers(kind)}
    numbers = [name for name in names if name not in texts]
    table = read_number_columns(rows.table, numbers, options.decimal, notes.append)
    rows = replace(rows, table=table)
    columns = infer_columns(rows.table, names, encoded, kinds, options.required)
    target = rows.table[options.target]
    source = source.with_target(target, options.classes)
    kind = source.kind
    truth = kind.read_truth(target, options)

    report(next(stage))
    prepared = source.prepare(rows.table, columns, work)
    predict = prepared.predict
    notes += prepared.notes
    dataset = build_dataset(prepared, columns, truth, rows.held_out, notes.append)
    dataset = tighten_bounds(dataset)

    report(next(stage))
    reference = encode_reference(dataset.fields)
    importance = compute_importance(kind, predict, dataset.matrix, reference)
    dataset = require_one_field(dataset, importance, notes.append)
    notes += describe_optional_fields(dataset)

    report(next(stage))
    neighbors = index_rows(dataset, importance)
    if neighbors is None:
        notes.append(f"No similar rows are shown: {explain_missing_index(dataset)}.")
    copula = fit_copula(dataset.matrix[~dataset.held_out], dataset.unordered)
    if copula is None:
        notes.append("No answer says that its row is unlike the data: there are too few rows.")

    report(next(stage))
    output = kind.draft_output(dataset.truth, options)
    evaluation = kind.evaluate(dataset, output, options.coverage, notes.append)

    report(next(stage))
    comparison = compare_with_baselines(kind, dataset)

    report(next(stage))
    data = options.data.name
    card = write_card(work / "card.toml", data, kind, dataset, output, importance)
    typical: dict[str, Value] = {item.name: item.field.example for item in dataset.fields}
    golden: list[Mapping[str, Value]] = [typical, *(example.values for example in card.examples)]
    manifest = write_manifest(
        work,
        card,
        kind,
        evaluation,
        neighbors,
        copula,
        artifacts=prepared.files,
        served=prepared.served,
        data=TrainingData(
            file=data,
            sha256=describe_artifact(options.data).sha256,
            rows=dataset.training_rows,
            text=card.data_text,
            source=f"The file {data}, column {options.target}.",
        ),
        truth=dataset.truth,
        reference=typical,
        golden=answer_golden_rows(card, kind, evaluation, golden, predict),
        frame=prepared.frame,
        features=prepared.features,
        runs_code=prepared.runs_code,
        module=prepared.module,
    )
    added = summarize(folder, dataset, output, prepared, manifest, notes, comparison)
    (work / "REPORT.md").write_text(format_report(added), encoding="utf-8")
    return added


def _open_model(options: AddOptions) -> ModelSource:
    """Open the model in a file, with whatever code it may run where it has to.

    Raises:
        AddError: if it must not be loaded, or is no model that can be served.
    """
    if options.path.suffix == ".onnx":
        return read_onnx(options.path)
    return open_estimator(options.path, options.trust, options.module)
