"""Add a model: from a person's file and data to a folder that can be served."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
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
from model.making.assembly.candidates import AssemblySearch
from model.making.assembly.contents import Contents, read_contents
from model.making.assembly.gate import Finding, check_answers, make_coded_subject
from model.making.assembly.proving import NO_TARGET, NoAssemblyError, Proof, prove, take_only
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
from model.making.deriving import Derivations, derive_columns
from model.making.dictionaries import add_units, read_dictionary
from model.making.errors import AddError, NotProvedError
from model.making.estimator_sources import EstimatorSource, describe_estimator
from model.making.examples import (
    choose_examples,
    describe_published,
    round_typical_values,
)
from model.making.features import match_features
from model.making.indexing import (
    compute_importance,
    encode_reference,
    explain_missing_index,
    index_rows,
)
from model.making.kinds import choose_kind
from model.making.kinds.output_kind import OutputKind
from model.making.library_files import restore_blanks
from model.making.manifests import answer_golden_rows, write_manifest
from model.making.model_folders import NamedColumns, open_folders
from model.making.model_sources import ModelSource
from model.making.number_texts import read_number_columns
from model.making.onnx_sources import read_onnx
from model.making.options import AddNote, AddOptions
from model.making.pictures.adding import PICTURE_STAGES, make_picture_folder
from model.making.pictures.opening import is_for_pictures
from model.making.prepared import PreparedModel
from model.making.redrafting import DRAFT, merge_cards, remember_options
from model.making.report import format_report
from model.making.summary import AddedModel, describe_speed, summarize
from model.making.tables import LabelledTable, RowChoice, read_rows, require_column
from model.making.text_cells import KnownTexts
from model.monitoring.stability import count_fields
from model.serving.loading import load_model

AskPerson = Callable[[str], bool]
"""Shows what was taken and what was not, and returns whether it is right."""

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


_RESERVED = (
    "about",
    "api",
    "batch",
    "embed",
    "feedback",
    "feedback-fragment",
    "healthz",
    "link",
    "mcp",
    "metrics",
    "predict-fragment",
    "readyz",
    "static",
)


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
    folder = _choose_folder(options, root)
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
        _replace_folder(folder, work, Path(temporary))
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
    options, listed = open_folders(options)
    is_onnx = options.paths[0].suffix == ".onnx"
    contents = None if is_onnx else _read_contents(options, listed)
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
    if contents is None:
        if len(targets) > 1:
            raise AddError(
                f"--target names {len(targets)} columns, and one output of an ONNX file is taken. "
                "Name one."
            )
        source: ModelSource = _open_onnx(options)
        names = match_features(source, taken, options, notes.append, derivations.inputs)
        proof = None
    else:
        proof = _prove(contents, options, taken, derivations)
        _refuse_wrong(proof.finding, options)
        if proof.asks and not ask(_describe_choice(proof)):
            raise NotProvedError("Nothing was added, because nobody said yes to this.")
        notes += [f"{where} was not needed." for where in proof.unused]
        options = replace(options, classes=proof.classes)
        found = describe_estimator(proof.fitted, "The assembly")
        kind = choose_kind(found.kind, targets)
        source = replace(found, kind=kind, runs_code=proof.runs_code, module=proof.module)
        names = _list_columns(proof, derivations, notes.append)
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

    report(next(stage))
    prepared = source.prepare(rows.table, columns, work)
    predict = prepared.predict
    notes += prepared.notes
    if options.target:
        truth = _read_truths(kind, rows, options)
    else:  # its own answers stand for it, where a card has to be drafted
        truth = np.zeros(len(rows.table))
        truth[prepared.kept] = kind.read_values(predict(prepared.matrix.astype(np.float32)))
    finding = proof.finding if proof else _check_prepared(prepared, columns, kind, truth, options)
    _refuse_wrong(finding, options)
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
    examples = choose_examples(kind, dataset, output, options.publish_rows, arranged.shown)
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


def _open_onnx(options: AddOptions) -> ModelSource:
    """Open an ONNX file, which stands alone."""
    others = [str(path) for path in (*options.paths[1:], *options.before)]
    if others or options.target_inverse or options.units:
        what = others[0] if others else "--target-inverse or --unit"
        raise AddError(
            f"{options.paths[0]} is an ONNX file, and nothing can be put before or after it: leave "
            f"{what} out, or export the whole Pipeline to ONNX. A list of its columns goes with "
            "--features FILE."
        )
    return read_onnx(options.paths[0])


def _read_contents(options: AddOptions, listed: Sequence[NamedColumns]) -> Contents:
    """Read the files, with the lists of columns of the folders in which they lie."""
    paths = tuple(dict.fromkeys((*options.paths, *options.before)))
    contents = read_contents(paths, options.trust, options.module)
    contents.lists += listed
    return contents


def _prove(
    contents: Contents, options: AddOptions, rows: LabelledTable, derivations: Derivations
) -> Proof:
    """Put the parts in the files together as the data prove it."""
    part = contents.estimators[0]
    source = describe_estimator(part.fitted, str(part.path))
    kind = choose_kind(source.kind, tuple(map(str, rows.truths.columns)))
    if options.features and source.names and options.features != source.names:
        match_features(source, rows, options, lambda _: None)  # says why not
    for name in options.features:
        require_column(rows.table, name, options.data, "--features")
    table = _read_numbers(source, contents, rows, options)
    search = AssemblySearch(
        contents,
        table,
        options.target,
        tuple(name for name in rows.table.columns if name not in (options.target, rows.marker)),
        kind,
        options.features,
        options.before,
        options.target_inverse,
        tuple(options.units.items()),
        derivations.inputs,
    )

    if not options.target:
        return take_only(search, options.classes)

    def read_truth(classes: Sequence[str]) -> Float64Array:
        return _read_truths(kind.with_names(classes), rows, options)

    try:
        return prove(search, options.classes, read_truth)
    except NoAssemblyError:
        match_features(source, rows, options, lambda _: None, derivations.inputs)  # knows better
        raise


def _read_truths(kind: OutputKind, rows: LabelledTable, options: AddOptions) -> Float64Array:
    """The true answers, shape (rows,), or (rows, outputs) where there are several."""
    found = [
        kind.read_truth(cells, replace(options, target=str(name)))
        for name, cells in rows.truths.items()
    ]
    return found[0] if len(found) == 1 else np.column_stack(found)


def _read_numbers(
    source: EstimatorSource, contents: Contents, rows: LabelledTable, options: AddOptions
) -> pd.DataFrame:
    """The data with numbers for texts that are numbers, but where the model takes the texts."""
    texts = source.find_encoded(source.names or ())
    texts |= {name for name, kind in options.kinds.items() if not takes_numbers(kind)}
    table = rows.table
    known = contents.list_known_texts()
    texts |= {name for name in table.columns if known.are_texts(name, table[name])}
    for name in set(table.columns) - texts - {options.target, rows.marker}:
        with suppress(AddError):  # the model need not take it; if it does, that is said later
            table = read_number_columns(table, [name], options.decimal, lambda _: None)
    return table


def _describe_choice(proof: Proof) -> str:
    next_best = f"\nThe next best: {proof.rejected}." if proof.rejected else ""
    unused = f"\nNot needed: {', '.join(proof.unused)}." if proof.unused else ""
    return f"It is put together so: {proof.taken}.{next_best}{unused}"


def _list_columns(proof: Proof, derivations: Derivations, add_note: AddNote) -> list[str]:
    """The columns of the assembly, with notes on their order and on those that it does not take."""
    names = list(proof.names)
    if proof.by_place and len(names) > 1:
        add_note(
            "The model does not name its columns, so they are used in the order of the data: "
            f"{', '.join(names[:4])}{' …' if len(names) > 4 else ''}. If that is wrong, give "
            "their order with --features."
        )
    used = derivations.inputs.union(names)
    if extra := [name for name in proof.available if name not in used]:
        add_note(f"Columns that the model does not take: {', '.join(extra)}.")
    return names


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
    return check_answers(subject, kind, truth[prepared.kept], bool(kind.classes))


def _refuse_wrong(finding: Finding, options: AddOptions) -> None:
    """Refuse a model whose answers look wrong, unless it is to be added as it is.

    Raises:
        NotProvedError: with the cause and what to write, where one is known.
    """
    if finding.is_wrong and not options.as_is:
        advice = " Or: ".join(dict.fromkeys(cause.advice for cause in finding.causes))
        if advice:
            advice = f" Write: {advice}." if advice.startswith("--") else f" {advice}"
        raise NotProvedError(
            f"{finding.text}{advice} With --as-is it is added all the same, and its page says what "
            "was found."
        )


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
