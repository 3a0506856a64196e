"""The model in a person's files, put together as the data prove it."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from model.contract.arrays import Float64Array
from model.making.assembly.assemblies import select_raw
from model.making.assembly.chains import settle_zeros
from model.making.assembly.contents import Contents
from model.making.assembly.features import match_features, note_columns
from model.making.assembly.gate import Finding
from model.making.assembly.given import GivenData
from model.making.assembly.proving import NoAssemblyError, Proof, prove, take_only
from model.making.assembly.search import AssemblySearch
from model.making.catboost.files import read_catboost
from model.making.columns.deriving import Derivations
from model.making.columns.describing import takes_numbers
from model.making.data.number_texts import read_number_columns
from model.making.data.tables import LabelledTable, require_column
from model.making.errors import AddError, NotProvedError
from model.making.kinds import choose_kind
from model.making.kinds.output_kind import OutputKind
from model.making.options import AddNote, AddOptions, AskPerson
from model.making.sources.estimator_sources import EstimatorSource, describe_estimator
from model.making.sources.model_sources import ModelSource
from model.making.sources.networks import list_readings
from model.making.sources.onnx_sources import OnnxSource, read_onnx
from model.making.steps.changed_texts import describe_changed_texts
from model.making.steps.fitted_steps import find_dropped_columns
from model.making.steps.kept_statistics import describe_foreign_statistic
from model.making.steps.kept_values import (
    describe_filled_values,
    describe_foreign_input,
    describe_merged_values,
)
from model.making.steps.texts import find_origin
from model.serving.network import NetworkClassifier, NetworkRegressor

_MEASURED = 1000
"""Rows by which one meaning of an output is told from another."""


@dataclass(frozen=True)
class AssembledModel:
    """A model that is proved to answer, where the data can prove it.

    ``names`` are the columns that it takes, ``finding`` is what its answers show: None for an ONNX
    file, which is checked in the form in which it is served. ``classes`` are the names of its
    classes, as far as anybody said them. ``tried`` is how it was put together, for the report,
    /about and the manifest; "" if it was not. ``dropped`` are columns that its steps drop.
    """

    source: ModelSource
    names: list[str]
    classes: tuple[str, ...]
    finding: Finding | None = None
    tried: str = ""
    dropped: frozenset[str] = frozenset()


def assemble_model(given: GivenData, ask: AskPerson, add_note: AddNote) -> AssembledModel:
    """Put together what the files hold as the data prove it.

    ``ask`` is called where one of several assemblies was taken.

    Raises:
        NotProvedError: if the data do not prove that the model would answer rightly.
        AddError: if the model or its columns cannot be used.
    """
    options, rows, derivations = given.options, given.taken, given.derivations
    if given.contents is None:
        file = _open_onnx(given)
        names = match_features(file, rows, options, add_note, derivations.inputs, derivations.dates)
        file = (
            file.find_logit(rows.table[names], rows.truths.iloc[:, 0])
            if given.targets
            else file.find_clusters(rows.table[names])
        )
        return AssembledModel(file, names, options.classes)
    proof = _prove(given.contents, options, rows, derivations)
    how = f" It was put together so: {proof.taken}; if that is wrong, say it with --before FILE."
    refuse_wrong(proof.finding, options, how if proof.finding.foreign and proof.rejected else "")
    if proof.asks:
        _ask_whether_right(ask, proof)
    found = describe_estimator(proof.fitted, "The assembly")
    kind = choose_kind(found.kind, given.targets)
    source = replace(
        found,
        kind=kind,
        runs_code=given.contents.runs_code,
        module=given.contents.module,
        answers_risk=bool(options.risk),
    )
    names, classes = list(proof.assembly.names), proof.assembly.classes
    note_columns(names, proof.available, proof.assembly.by_place, derivations.inputs, add_note)
    if proof.assembly.alone and (origin := find_origin(rows.table, names[0])):
        add_note(
            f"Visitors write {names[0]} as the data have it. If your code made it of {origin}, fit "
            f"the vectoriser anew to {origin} with preprocessor=clean, where clean is your "
            "function, and give the function's file by --module FILE.py --trust."
        )
    for where in proof.unused:
        add_note(f"{where} was not needed.")
    if release := given.contents.other_release:
        add_note(
            f"It was saved by scikit-learn {release} and loaded with its own code by another one, "
            "which may answer otherwise: compare some answers with those that you know."
        )
    if not options.risk:
        named = kind.with_names(classes)
        for note in (named.describe_threshold(*item) for item in given.contents.thresholds):
            if note:
                add_note(note)
    tried = _describe_taken(proof) if proof.is_assembled else ""
    dropped = frozenset(find_dropped_columns(proof.fitted, names))
    return AssembledModel(source, names, classes, proof.finding, tried, dropped)


def _describe_taken(proof: Proof) -> str:
    next_best = f" The next best was: {proof.rejected}." if proof.rejected else ""
    return f"It was put together so: {proof.taken}.{next_best}"


def _open_onnx(given: GivenData) -> OnnxSource:
    """Open an ONNX file, or one of CatBoost, that stands alone.

    Raises:
        AddError: if something is to stand around it, and what to do.
    """
    path, *others = dict.fromkeys((*given.options.paths, *given.options.before))
    python = given.options.python
    source = read_catboost(path, python) if python else read_onnx(path)
    more = "--target-inverse" if given.options.target_inverse else ", ".join(map(str, others))
    if more and python:
        raise AddError(
            f"{path} is a file of CatBoost, which stands alone: leave {more} out. Where your code "
            "scaled a column, say so for each, like --derive 'age = (age - 38.5) / 12.1'."
        )
    if more and source.meaning == "label":
        raise AddError(
            f"{path} answers the names or numbers of classes alone. Export it without the ArgMax "
            f"at its end, or with probabilities, and it is put together with {more}."
        )
    if more:
        raise AddError(
            f"{path} stands alone: leave {more} out. Export the whole Pipeline to ONNX, or a model "
            "with one input for all columns, which are numbers: that is put together with others."
        )
    return source.with_targets(given.targets)


def _prove(
    contents: Contents, options: AddOptions, rows: LabelledTable, derivations: Derivations
) -> Proof:
    """Put the parts in the files together as the data prove it, by what the outputs can mean."""
    part = contents.estimators[0]
    proofs: list[tuple[float, Proof]] = []
    refused: NotProvedError | None = None
    for fitted in list_readings(part.fitted, rows.truths):
        estimator = replace(part, fitted=fitted)
        read = replace(contents, estimators=[estimator], codes=list(contents.codes))
        try:
            proofs.append(_prove_reading(read, options, rows, derivations))
        except NotProvedError as error:
            refused = refused or error
    if refused and not proofs:
        raise refused
    return min(proofs, key=lambda item: item[0])[1]


def _measure(proof: Proof, table: pd.DataFrame, truth: Float64Array) -> float:
    """The mean squared error of a network's one output, where two classes are 1 apart; else 0."""
    network = proof.fitted[-1] if isinstance(proof.fitted, Pipeline) else proof.fitted
    if not isinstance(network, NetworkClassifier | NetworkRegressor) or truth.ndim > 1:
        return 0.0
    complete = np.flatnonzero(table[list(proof.assembly.names)].notna().all(axis=1))[:_MEASURED]
    rows = _take_complete(proof, table, _MEASURED)
    is_classes = isinstance(network, NetworkClassifier)
    ask = proof.fitted.decision_function if is_classes else proof.fitted.predict
    with warnings.catch_warnings(action="ignore"):  # that a step was fitted to an array
        errors = ask(rows) - truth[complete]
    return float(np.mean(errors**2) / np.ptp(truth) ** 2)


def _prove_reading(
    contents: Contents, options: AddOptions, rows: LabelledTable, derivations: Derivations
) -> tuple[float, Proof]:
    """The same with outputs of one meaning, and how far they are from the truth."""
    part = contents.estimators[0]
    source = describe_estimator(part.fitted, str(part.path))
    kind = choose_kind(source.kind, tuple(map(str, rows.truths.columns)))
    if options.features and source.names and options.features != source.names:
        match_features(source, rows, options, lambda _: None)  # says why not
    for name in options.features:
        require_column(rows.table.columns, name, options.data, "--features")
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
        derivations.inputs,
    )

    if not options.target:
        return 0.0, _hold_against_rows(take_only(search, options.classes), table, rows)

    def read_truth(classes: Sequence[str]) -> Float64Array:
        return read_truths(kind.with_names(classes), rows, options)

    try:
        proof = prove(search, options.classes, read_truth)
        far = _measure(proof, table, read_truth(proof.assembly.classes))
        return far, _hold_against_rows(proof, table, rows)
    except NotProvedError as error:
        if contents.refusal:  # it may be what lacks
            raise NotProvedError(f"{contents.refusal} Without that: {error}") from None
        raise
    except NoAssemblyError:
        contents.require_all_read()
        if source.names or not any(part.names for part in search.transformers):
            inputs, dates = derivations.inputs, derivations.dates
            match_features(source, rows, options, lambda _: None, inputs, dates)  # knows more
        raise


def _take_complete(proof: Proof, table: pd.DataFrame, most: int) -> Any:
    """Take the first rows without a hole, as the estimator of a proof takes them."""
    taken = proof.assembly
    names = list(taken.names)
    index = table[names].dropna().index[:most]
    return select_raw(table, names, index, taken.as_categories, taken.alone)


def _hold_against_rows(proof: Proof, table: pd.DataFrame, given: LabelledTable) -> Proof:
    """The same with what the model keeps of its own rows, held against those of the data."""
    first = _take_complete(proof, table, 1)
    if len(first):
        proof = replace(proof, fitted=settle_zeros(proof.fitted, first))
    rows = table[list(proof.assembly.names)]
    fitted, training = proof.fitted, rows[~given.held_out]
    if changed := (
        describe_merged_values(fitted, training)
        or describe_filled_values(fitted, training)
        or describe_changed_texts(fitted, training)
    ):
        return replace(proof, finding=replace(proof.finding, foreign=changed))
    complete = rows.dropna()
    rows = rows if complete.empty else complete
    truth = given.truths.loc[rows.index].iloc[:, :1]
    shares = [] if truth.empty else truth.value_counts(normalize=True).tolist()
    whole = len(complete) == len(table)
    foreign = describe_foreign_input(
        fitted, rows, shares if whole else None
    ) or describe_foreign_statistic(fitted, training)
    return replace(proof, finding=replace(proof.finding, foreign=foreign))


def read_truths(kind: OutputKind, rows: LabelledTable, options: AddOptions) -> Float64Array:
    """Read the true answers, shape (rows,), or (rows, outputs) where there are several.

    Raises:
        AddError: if the target does not hold what the model answers.
    """
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
        try:
            table = read_number_columns(table, [name], options.decimal, lambda _: None)
        except AddError:  # the model need not take it; if it does, that is said later
            if name in (source.names or ()):
                raise
    return table


def _ask_whether_right(ask: AskPerson, proof: Proof) -> None:
    next_best = f"\nThe next best: {proof.rejected}." if proof.rejected else ""
    unused = f"\nNot needed: {', '.join(proof.unused)}." if proof.unused else ""
    if not ask(f"It is put together so: {proof.taken}.{next_best}{unused}"):
        raise NotProvedError("Nothing was added, because nobody said yes to this.")


def refuse_wrong(finding: Finding, options: AddOptions, assembled: str = "") -> None:
    """Refuse a model whose answers look wrong, unless it is to be added as it is.

    Args:
        finding: what the gate found.
        options: of the command.
        assembled: how it was put together, with a blank before it, where that may be wrong.

    Raises:
        NotProvedError: with the cause and what to write, where one is known.
    """
    if finding.is_wrong and not options.as_is:
        raise NotProvedError(
            f"{finding.text}{finding.advice}{assembled} With --as-is it is added all the same, and "
            "its page says what was found."
        )
