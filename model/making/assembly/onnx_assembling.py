"""Scalers in files beside an ONNX file: which of them stand before it, as the data prove."""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from model.contract.arrays import Float64Array
from model.making.assembly.assemblies import Assembly
from model.making.assembly.chains import Step, describe_steps, forget_names, list_orders
from model.making.assembly.contents import Transformer, collect_contents
from model.making.assembly.features import match_features
from model.making.assembly.gate import choose_rows
from model.making.assembly.proving import choose_assembly
from model.making.assembly.trials import TriedAssembly
from model.making.data.tables import LabelledTable
from model.making.errors import AddError
from model.making.kinds.output_kind import OutputKind
from model.making.options import AddOptions
from model.making.sources.onnx_sources import OnnxSource


@dataclass(frozen=True)
class ScaledOnnx:
    """An ONNX model behind the scalers that the data prove.

    ``taken`` and ``rejected`` say with their figures what was taken, and what came next; ``unused``
    are the scalers that are left out.
    """

    source: OnnxSource
    taken: str
    rejected: str
    unused: tuple[str, ...]


def prove_scalers(
    source: OnnxSource,
    files: Sequence[Path],
    rows: LabelledTable,
    options: AddOptions,
    used: frozenset[str],
    read_truth: Callable[[OutputKind], Float64Array],
) -> ScaledOnnx:
    """Take the scalers with which an ONNX model fits its data clearly better than without.

    Args:
        source: the model as it is in its file.
        files: the files beside it.
        rows: the data.
        options: what the person asks for.
        used: columns that derived ones are made of.
        read_truth: reads the true answers, shape (rows,), or (rows, outputs).

    Raises:
        NotProvedError: if several are possible, and none is clearly the best.
        AddError: if a file holds something else, or the model answers no row.
    """
    parts: list[Transformer] = []
    for file in files:
        found = collect_contents([file], options.trust, options.module).transformers
        if not found and source.meaning == "label" and not source.classes:
            raise AddError(
                f"{options.paths[0]} answers the numbers of classes. Export it without the ArgMax "
                f"at its end, and it is put together with {file}."
            )
        if not found or not options.target:
            raise AddError(
                f"{options.paths[0]} is served as an ONNX file, beside which only scalers are "
                f"tried, and only with a target. A scaler before it goes with --before {file}, and "
                "a list of its columns with --features FILE."
            )
        parts += found
    candidates = list(_list_candidates(source, parts))
    tried = [_try(made, words, rows, options, used, read_truth) for made, words, _ in candidates]
    if len(candidates) == 1 and parts and not tried[0].fit.beats_constant:
        source.with_scalers([part.fitted for part in parts[:1]], None)  # says why not
    best, rejected = choose_assembly(tried, len(rows.table))
    place = next(place for place, item in enumerate(tried) if item is best)
    made, _, unused = candidates[place]
    return ScaledOnnx(made, best.text, rejected.text if rejected else "", unused)


def _list_candidates(
    source: OnnxSource, parts: Sequence[Transformer]
) -> Iterator[tuple[OnnxSource, str, tuple[str, ...]]]:
    """The model behind some of the scalers, what it is called, and the scalers left out."""
    for order in list_orders(parts):
        unused = tuple(part.where for part in parts if part not in order)
        if not order:
            yield source, f"without {' and '.join(unused)}", unused
            continue
        steps = [Step(forget_names(copy.deepcopy(part.fitted)), part.where) for part in order]
        try:
            scaled = source.with_scalers([step.fitted for step in steps], order[0].names)
        except AddError:
            continue  # it cannot stand there
        yield scaled, describe_steps(steps), unused


def _try(
    source: OnnxSource,
    words: str,
    rows: LabelledTable,
    options: AddOptions,
    used: frozenset[str],
    read_truth: Callable[[OutputKind], Float64Array],
) -> TriedAssembly:
    names = match_features(source, rows, options, lambda _: None, used)
    numbers = rows.table[names].apply(pd.to_numeric, errors="coerce")
    complete = numbers.notna().all(axis=1).to_numpy()
    index, _ = choose_rows(complete)
    index = index[complete[index]]
    if not len(index):
        raise AddError("No row of the data has a number in every column that the model takes.")
    target = rows.truths.iloc[:, 0]
    told = source.find_logit(numbers, target).with_target(target, options.classes)
    answers, truth = told.answer(numbers.iloc[index]), read_truth(told.kind)[index]
    fit, losses = told.kind.fit(answers, truth), told.kind.list_losses(answers, truth)
    return TriedAssembly(Assembly(tuple(names), (), (), None, (words,)), fit, answers, losses)
