"""Add a model: from a person's file and data to a folder that can be served."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import ValidationError

from model.contract.arrays import Float64Array
from model.contract.errors import ModelError
from model.contract.fields import Value
from model.contract.manifest import TrainingData
from model.contract.texts import text_codes
from model.making.arranging import arrange_fields, describe_arrangement
from model.making.assembling import (
    AskPerson,
    assemble_model,
    read_model_files,
    read_truths,
    refuse_wrong,
)
from model.making.assembly.gate import Finding, check_outputs, make_coded_subject
from model.making.assembly.proving import NO_TARGET, Proof
from model.making.baselines import compare_with_baselines
from model.making.cards import write_card
from model.making.columns import DataColumn, infer_columns, takes_numbers
from model.making.copula_fitting import fit_copula
from model.making.data_files import hash_data
from model.making.dataset import (
    build_dataset,
    compose_texts,
    describe_optional_fields,
    require_one_field,
    tighten_bounds,
)
from model.making.derived_sources import DerivedSource
from model.making.deriving import derive_columns
from model.making.dictionaries import add_units, read_dictionary
from model.making.errors import AddError
from model.making.examples import (
    choose_examples,
    describe_published,
    round_typical_values,
)
from model.making.folder_cards import read_folder_card, take_examples
from model.making.indexing import (
    compute_importance,
    encode_reference,
    explain_missing_index,
    index_rows,
)
from model.making.kinds.output_kind import OutputKind
from model.making.library_files import restore_blanks
from model.making.manifests import answer_golden_rows, write_manifest
from model.making.model_folders import open_folders
from model.making.number_texts import read_number_columns
from model.making.options import AddOptions
from model.making.pictures.adding import PICTURE_STAGES, make_picture_folder
from model.making.pictures.opening import is_for_pictures
from model.making.placing import choose_folder, replace_folder
from model.making.prepared import PreparedModel
from model.making.redrafting import DRAFT, merge_cards, remember_options
from model.making.report import format_report
from model.making.summary import AddedModel, describe_speed, summarize
from model.making.tables import RowChoice, read_rows
from model.making.text_cells import KnownTexts
from model.monitoring.stability import count_fields
from model.serving.loading import load_model

STAGES = (
    "reading",
    "putting together and proving",
    "looking at the columns",
    "compiling and comparing",
    "ranking the facts",
    "indexing similar rows",
    "measuring on held-out rows",
    "fitting plain models beside it",
    "writing and checking",
)
"""The steps in their order; a progress bar counts them."""


def list_stages(options: AddOptions) -> tuple[str, ...]:
    """List the steps that adding such a model takes."""
    return PICTURE_STAGES if is_for_pictures(options) else STAGES


def add_from_files(
    options: AddOptions,
    root: Path,
    report: Callable[[str], object],
    ask: AskPerson,
    keep_card: bool = False,
) -> AddedModel:
    """Make a model's folder under ``root``; if that fails, nothing is left behind.

    A model that is replaced stays until the new one is in its place. If the process is killed
    between the two, the next run with the same name puts the old one back.

    Args:
        options: what to make it from.
        root: the folder in which the models' folders stand.
        report: called with each step of ``list_stages`` as it begins, and now and then in between
            with how far it is.
        ask: called where one of several assemblies was taken.
        keep_card: whether what was written into the card of a replaced model stays.

    Raises:
        NotProvedError: if the data do not prove that the model would answer rightly.
        AddError: if the model cannot be added; says why and what to do.
    """
    folder = choose_folder(options, root)
    with tempfile.TemporaryDirectory(dir=root, prefix=f".{folder.name}-") as temporary:
        work = Path(temporary) / folder.name
        work.mkdir()
        try:
            if is_for_pictures(options):
                added = make_picture_folder(options, folder, work, report)
            else:
                with text_codes():
                    added = _make_folder(options, folder, work, report, ask)
                remember_options(options, folder, work)
                shutil.copy(work / "card.toml", work / DRAFT)
                if keep_card:
                    added = replace(added, conflicts=_keep_written(folder, work))
            speed = describe_speed(load_model(work))
        except (ModelError, ArithmeticError) as error:
            text = str(error).replace(str(work), str(folder))
            raise AddError(f"The drafted model does not pass its own check: {text}") from error
        except ValidationError as error:
            raise AddError(
                f"What was measured of the model cannot be kept: {error}. Look for rows of the "
                "data to which it gives no usable answer."
            ) from error
        added = replace(added, served=f"{added.served}\n{speed}")
        (work / "REPORT.md").write_text(format_report(added), encoding="utf-8")
        replace_folder(folder, work, Path(temporary))
    return added


def _keep_written(folder: Path, work: Path) -> tuple[tuple[str, str], ...]:
    """Write into the new card what was written into the one of the replaced model by hand."""
    old, card, new = (
        path.read_text(encoding="utf-8")
        for path in (folder / DRAFT, folder / "card.toml", work / DRAFT)
    )
    merged = merge_cards(old, card, new)
    (work / "card.toml").write_text(merged.text, encoding="utf-8")
    return merged.conflicts


def _make_folder(
    options: AddOptions,
    folder: Path,
    work: Path,
    report: Callable[[str], object],
    ask: AskPerson,
) -> AddedModel:
    """Make the model's files in ``work``; messages name ``folder``, where they go afterwards."""
    notes: list[str] = []
    stage = iter(STAGES)

    report(next(stage))
    folder_card = read_folder_card([path for path in options.paths if path.is_dir()])
    options, listed = open_folders(options)
    contents = read_model_files(options, listed)
    known = contents.list_known_texts() if contents else KnownTexts({}, (), frozenset())
    kept = {name for name, kind in options.kinds.items() if not takes_numbers(kind)}
    known = replace(known, kept=frozenset(kept))
    choice = RowChoice(options.where, options.max_rows)
    rows = read_rows(
        options.data,
        options.target,
        options.holdout,
        options.decimal,
        known,
        options.more_data,
        choice,
    )
    for part in contents.estimators if contents else ():
        renamed = restore_blanks(part.fitted, list(map(str, rows.table.columns)))
        notes += [
            f"{name!r} in the file is taken as {column!r}." for name, column in renamed.items()
        ]
    targets = tuple(map(str, rows.truths.columns))
    options = replace(options, target=next(iter(targets), ""))
    notes += rows.notes
    derivations, rows, derived = derive_columns(options, rows, notes.append)
    taken = replace(rows, table=derived)
    described = read_dictionary(options.dictionary) if options.dictionary else {}
    described = add_units(described, options.unit_names, list(rows.table.columns))
    options = replace(options, described=described)

    report(next(stage))
    assembled = assemble_model(contents, options, taken, derivations, ask, notes.append)
    source, names, proof = assembled.source, list(assembled.names), assembled.proof
    options = replace(options, classes=assembled.classes)
    if derivations.columns:
        derivations.require_used(names)
        source = DerivedSource(source, names, derived, derivations)
        names = list(derivations.list_given(names))

    report(next(stage))
    encoded = source.find_encoded(names)
    kinds = {name: "date" for name in derivations.dates if name in names} | {**options.kinds}
    vectorized = source.find_texts(names)
    texts = encoded | vectorized | {name for name, kind in kinds.items() if not takes_numbers(kind)}
    numbers = [name for name in names if name not in texts]
    table = read_number_columns(rows.table, numbers, options.decimal, notes.append)
    rows = replace(rows, table=table)
    columns = infer_columns(
        rows.table, names, encoded, kinds, options.required, vectorized, options.described
    )
    target = rows.table[options.target] if options.target else pd.Series(dtype=float)
    source = source.with_target(target, options.classes)
    kind = source.kind
    if (options.order or options.risk) and not kind.weighs_classes:
        raise AddError(
            "--order and --risk are about classes that were learned from a target. "
            f"{kind.answers_text}"
        )

    report(next(stage))
    prepared = source.prepare(rows.table, columns, work)
    predict = prepared.predict
    notes += prepared.notes
    if options.target:
        truth = read_truths(kind, rows, options)
    else:  # its own answers stand for it, where a card has to be drafted
        truth = np.zeros(len(rows.table))
        truth[prepared.kept] = kind.read_values(predict(prepared.matrix.astype(np.float32)))
    finding = proof.finding if proof else _check_prepared(prepared, columns, kind, truth, options)
    refuse_wrong(finding, options)
    dataset = build_dataset(prepared, columns, truth, rows.held_out, notes.append, options.locale)
    dataset = compose_texts(tighten_bounds(dataset), kind)
    if not options.publish_rows:
        dataset = round_typical_values(dataset)

    report(next(stage))
    reference = encode_reference(dataset.fields)
    importance = compute_importance(kind, predict, dataset.matrix, reference)
    dataset = require_one_field(dataset, importance, notes.append)
    arranged = arrange_fields(kind, dataset, importance)
    dataset, importance, predict = arranged.dataset, arranged.importance, arranged.dataset.predict
    notes += [*describe_optional_fields(dataset), *describe_arrangement(arranged)]

    report(next(stage))
    published = bool(options.publish_rows and options.target)
    headline = replace(dataset, truth=kind.first(dataset.truth))
    neighbors = index_rows(headline, importance) if published else None
    if neighbors is None and published:
        notes.append(f"No similar rows are shown: {explain_missing_index(dataset)}.")
    copula = None
    if not kind.judges_rows:
        copula = fit_copula(dataset.without_texts()[~dataset.held_out], dataset.unordered)
    if copula is None and not dataset.texts and not kind.judges_rows:
        notes.append("No answer says that its row is unlike the data: there are too few rows.")

    report(next(stage))
    output = kind.draft_output(dataset.truth, options)
    evaluation = kind.evaluate(dataset, output, options.coverage, notes.append)
    tried = _describe_tried(proof)
    proved = finding.text if options.target or kind.has_truth else ""
    output = replace(output, keys={**output.keys, **evaluation.output_keys})
    how = " ".join(part for part in (evaluation.how, tried, proved) if part)
    evaluation = replace(evaluation, how=how)
    if kind.has_truth and arranged.metrics and evaluation.metrics:
        few = arranged.metrics[arranged.shown]
        accuracy = kind.describe_facts(few, evaluation.metrics[0], arranged.shown, output)
        metrics = (*evaluation.metrics, *arranged.metrics.values())
        evaluation = replace(evaluation, accuracy=accuracy, metrics=metrics)

    if evaluation.baseline:
        accuracy = f"{evaluation.accuracy} {evaluation.baseline}"
        evaluation = replace(evaluation, accuracy=accuracy)

    report(next(stage))
    comparison = compare_with_baselines(kind, headline) if kind.has_truth else None

    report(next(stage))
    data = options.data.name
    examples = {
        **take_examples(folder_card, dataset, options.publish_rows, notes.append),
        **choose_examples(kind, dataset, output, options.publish_rows, arranged.shown),
    }
    output = replace(output, title=folder_card.title or output.title)
    similar = 0 if neighbors is None else len(neighbors.rows)
    notes.append(describe_published(examples, options.publish_rows, similar))
    path, warning = work / "card.toml", _warn(finding) if proved else ""
    card = write_card(
        path,
        data,
        kind,
        dataset,
        output,
        importance,
        evaluation,
        examples,
        warning,
        tried,
        options.locale,
        folder_card.summary,
    )
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
            sha256=hash_data(options.data, *options.more_data),
            rows=dataset.training_rows,
            text=card.data_text,
            source=f"{_name_files(options)}{choice.describe()}, column {' and '.join(targets)}."
            if options.target
            else f"{_name_files(options)}{choice.describe()}."
            + (" What the model answers is missing." if kind.has_truth else ""),
        ),
        truth=headline.truth,
        reference=typical | dict.fromkeys(dataset.texts.values(), ""),
        golden=answer_golden_rows(card, kind, evaluation, golden, predict),
        inputs=arranged.inputs,
        frame=prepared.frame,
        features=prepared.features,
        vectorizers=prepared.vectorizers,
        field_bins=count_fields(card.fields, dataset.matrix[~dataset.held_out]),
        runs_code=prepared.runs_code,
        module=prepared.module,
    )
    added = summarize(folder, dataset, output, prepared, manifest, notes, comparison, tried)
    return added if kind.has_truth else replace(added, uncompared="")


def _name_files(options: AddOptions) -> str:
    names = [path.name for path in (options.data, *options.more_data)]
    return f"The file{'s' * (len(names) > 1)} {', '.join(names)}"


def _check_prepared(
    prepared: PreparedModel,
    columns: Sequence[DataColumn],
    kind: OutputKind,
    truth: Float64Array,
    options: AddOptions,
) -> Finding:
    """Check a model by the codes of its fields."""
    if not options.target:
        return NO_TARGET
    predict = prepared.predict
    subject = make_coded_subject(prepared.matrix, columns, predict)
    return check_outputs(subject, kind.split(truth[prepared.kept]), bool(kind.classes))


def _warn(finding: Finding) -> str:
    """What the page says first: nothing where the model answers as it should."""
    if finding.is_wrong:
        return f"Checked on its own data, this model looks wrong. {finding.text}"
    return "" if finding.is_sound else finding.text


def _describe_tried(proof: Proof | None) -> str:
    """How the model was put together, for the report, /about and the manifest; "" if it was not."""
    if proof is None or not proof.is_assembled:
        return ""
    next_best = f" The next best was: {proof.rejected}." if proof.rejected else ""
    return f"It was put together so: {proof.taken}.{next_best}"
