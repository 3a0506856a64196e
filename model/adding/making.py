"""Adding a model: from a person's file and data to a folder that is served as it is."""

from __future__ import annotations

import hashlib
import json
import math
import platform
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from model import formatting
from model.adding.columns import Column, Kind, study
from model.adding.drafting import (
    LOCALE,
    Drafted,
    Output,
    Words,
    draft_card,
    draft_field,
    round_bounds,
    round_step,
    str_value,
)
from model.adding.errors import AddError
from model.adding.estimators import load_estimator
from model.adding.indexing import Index, importance_of, index_rows
from model.adding.measuring import (
    LEAST_FOR_TEMPERATURE,
    Answer,
    TooFewRowsError,
    measure_classes,
    measure_numbers,
)
from model.adding.naming import name_columns, readable
from model.adding.subjects import TOOLS, Ready, Subject, ready_estimator
from model.adding.tables import Rows, near, need_column, read_rows
from model.calibration import Floats
from model.card import Artifact, Calibration, Card, Data, Golden, Manifest, Metric
from model.checking import ModelError
from model.classes import cool
from model.fields import Value
from model.files import read_card
from model.intervals import Ranges
from model.loading import load_any_model

STAGES = (
    "reading",
    "looking at the columns",
    "compiling and comparing",
    "weighing the facts",
    "indexing similar rows",
    "measuring on held-out rows",
    "writing and checking",
)
"""What is done, one after the other; a progress bar counts them."""

_LIBRARIES = ("joblib", "numpy", "onnx", "onnxruntime", "pandas", "scikit-learn", "skl2onnx")
_AXIS_QUANTILES = (0.005, 0.995)
_RESERVED = ("about", "api", "embed", "healthz", "metrics", "predict-fragment", "readyz", "static")
_MOST_EXAMPLES = 4
_TRIED = 500
_LEAST_GOLDEN = 3
_MADE_BY = "`flask --app wsgi model add`"
SEED = 0


@dataclass(frozen=True)
class Request:
    """What a person asks for.

    ``features`` are the columns of a model that does not know their names, in its order;
    ``classes`` the names of its classes, in its order; ``kinds`` what columns are where the guess
    would be wrong.
    """

    path: Path
    name: str
    data: Path
    target: str
    holdout: str | None = None
    trust: bool = False
    features: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    coverage: float = 0.9
    force: bool = False


@dataclass(frozen=True)
class Added:
    """What was made: the folder, the guesses, one row (field, kind, takes, from) a field, notes."""

    folder: Path
    slug: str
    fields: tuple[tuple[str, str, str, str], ...]
    output: str
    served: str
    figures: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def add_model(request: Request, root: Path, report: Callable[[str], object]) -> Added:
    """Make a model's folder under ``root``; nothing is left behind where that fails.

    Args:
        request: what to make it from.
        root: the folder in which the models' folders stand.
        report: is told each of ``STAGES`` as it begins.

    Raises:
        AddError: if it cannot be done; says why and what to do.
    """
    folder = _free_folder(request, root)
    with tempfile.TemporaryDirectory(dir=root, prefix=f".{folder.name}-") as temporary:
        work = Path(temporary) / folder.name
        work.mkdir()
        added = _Making(request, work, report).make(folder)
        try:
            load_any_model(work)
        except ModelError as error:
            text = str(error).replace(str(work), str(folder))
            raise AddError(f"What was drafted does not pass its own check: {text}") from error
        if folder.exists():
            folder.rename(Path(temporary) / "old")
        work.rename(folder)
    return added


def _free_folder(request: Request, root: Path) -> Path:
    slug = request.name.replace("_", "-")
    if not (slug.replace("-", "").isalnum() and slug.isascii() and slug == slug.lower()):
        raise AddError(f"--name {request.name}: write lower-case letters, digits and dashes.")
    if not slug[0].isalpha() or slug in _RESERVED:
        raise AddError(f"--name {request.name} cannot stand in an address. Take another.")
    folder = root / slug.replace("-", "_")
    if not root.is_dir():
        raise AddError(f"{root} is no folder.")
    if folder.exists() and not (folder / "card.toml").is_file():
        raise AddError(f"{folder} is there and is no model. Take another --name.")
    if folder.exists() and not request.force:
        raise AddError(f"{folder} is there. Take another --name, or say --force to replace it.")
    return folder


class _Making:
    """One model on its way; the steps share what the earlier ones found out."""

    def __init__(self, request: Request, work: Path, report: Callable[[str], object]) -> None:
        self._request = request
        self._work = work
        self._report = report
        self._notes: list[str] = []

    def make(self, folder: Path) -> Added:
        request = self._request
        stage = iter(STAGES)
        self._report(next(stage))
        subject = self._load()
        rows = read_rows(request.data, request.target, request.holdout)
        self._notes += rows.notes
        names = self._features(subject, rows)
        self._report(next(stage))
        columns = study(rows.table, names, subject.encoded(names), request.kinds)
        subject = subject.told(rows.table[request.target], request.classes)
        classes = tuple(str(item) for item in subject.classes)
        truth = self._truth(rows, subject.classes)
        self._report(next(stage))
        ready = subject.ready(rows.table, columns, self._work)
        self._notes += ready.notes
        matrix, truth, held = ready.matrix, truth[ready.kept], rows.held_out[ready.kept]
        self._optional(ready, columns)
        drafted = [
            draft_field(column, column.naming.name not in ready.optional, codes)
            for column, codes in zip(columns, matrix.T, strict=True)
        ]
        self._report(next(stage))
        importance = importance_of(ready.answer, matrix, drafted)
        drafted, matrix, truth, held = self._one_required(drafted, importance, matrix, truth, held)
        self._report(next(stage))
        index = index_rows(ready.answer, matrix[~held], truth[~held], drafted, importance)
        if index is None:
            self._notes.append("No similar rows are shown: fewer than 100 rows have every fact.")
        self._report(next(stage))
        output = self._output(truth, classes, ready)
        measured = self._measure(ready, matrix, truth, held, drafted, output)
        self._report(next(stage))
        words = replace(
            self._words(subject, drafted, output, int((~held).sum())),
            examples=self._examples(ready, drafted, matrix, truth, output),
        )
        what_if = self._what_if(drafted, importance)
        path = self._work / "card.toml"
        path.write_text(draft_card(drafted, output, words, what_if, _MADE_BY), encoding="utf-8")
        try:
            card = read_card(path)
        except ModelError as error:
            raise AddError(f"The drafted card is not sound: {error}") from error
        manifest = self._manifest(ready, card, drafted, measured, index, truth, held)
        text = json.dumps(manifest.model_dump(mode="json"), indent=1, ensure_ascii=False)
        (self._work / "manifest.json").write_text(text + "\n", encoding="utf-8")
        return self._added(folder, drafted, output, ready, manifest)

    @staticmethod
    def _what_if(drafted: Sequence[Drafted], importance: Sequence[float]) -> str:
        """The required fact that matters most."""
        required = [place for place, item in enumerate(drafted) if item.required]
        return drafted[max(required, key=importance.__getitem__)].name

    def _load(self) -> Subject:
        path = self._request.path
        if path.suffix == ".onnx":
            try:
                from model.adding.graphs import read_graph
            except ModuleNotFoundError as error:
                raise AddError(
                    f"{error.name} is not installed, which reading ONNX files needs. Run `{TOOLS}`."
                ) from None
            return read_graph(path)
        if not self._request.trust:
            raise AddError(
                f"Loading {path} runs whatever code is in it. If you made it, or trust who did, "
                "say so: add --trust to the command."
            )
        estimator = load_estimator(path)
        return ready_estimator(estimator)

    def _features(self, subject: Subject, rows: Rows) -> list[str]:
        """The columns of the data that the model takes, in its order."""
        request, table = self._request, rows.table
        for name in request.features:
            need_column(table, name, request.data, "--features")
        there = [str(name) for name in table.columns if name not in (request.target, rows.marker)]
        known = subject.names_in(there)
        if known is not None:
            names = list(known)
            if request.features and list(request.features) != names:
                raise AddError(
                    f"The model knows its columns itself: {', '.join(names)}. Leave --features out."
                )
            if request.target in names:
                raise AddError(
                    f"The model was fitted on {request.target!r}, which is the target. Name the "
                    "column that it answers with --target."
                )
            if missing := [name for name in names if name not in table.columns]:
                raise AddError(
                    f"{request.data} has no column {missing[0]!r}, which the model was fitted on."
                    f"{near(missing[0], there)} Add it, or give the file that the model was "
                    "fitted on."
                )
        else:
            names = list(request.features) or there
            if subject.count is not None and len(names) != subject.count:
                raise AddError(
                    f"The model takes {subject.count} columns, and does not say which; the data "
                    f"have {len(names)}: {', '.join(names)}. Name those that it was fitted on, in "
                    "their order: --features a,b,c"
                )
            if len(names) > 1 and not request.features and list(names) == there:
                self._notes.append(
                    "The model does not say what its columns are called: they were taken in the "
                    f"order of the data, {', '.join(names[:4])}"
                    f"{' …' if len(names) > 4 else ''}. Say --features if that is wrong."
                )
        if extra := [name for name in there if name not in names]:
            self._notes.append(f"Columns that the model does not take: {', '.join(extra)}.")
        return names

    def _truth(self, rows: Rows, classes: tuple[Any, ...]) -> Floats:
        """What is true of each row: a number, or the index of its class."""
        request = self._request
        cells = rows.table[request.target]
        if not classes:
            try:
                truth = cells.to_numpy(dtype=float)
            except (TypeError, ValueError):
                raise AddError(
                    f"The model answers with a number, but the target {request.target!r} holds "
                    f"{cells.iloc[0]!r}. Name another --target."
                ) from None
            if not np.isfinite(truth).all():
                raise AddError(f"The target {request.target!r} holds infinite numbers.")
            if truth.min() == truth.max():
                raise AddError(f"The target {request.target!r} is {truth[0]:g} in every row.")
            return np.asarray(truth, dtype=float)
        places: dict[Any, int] = {item: place for place, item in enumerate(classes)}
        places |= {str(item): place for place, item in enumerate(classes)}
        named = {name: place for place, name in enumerate(request.classes)}
        found = [named.get(cell, places.get(cell, -1)) for cell in cells.tolist()]
        if -1 in found:
            strange = cells.iloc[found.index(-1)]
            distinct = sorted(cells.astype(str).unique())
            hint = ""
            if len(distinct) == len(classes):
                hint = (
                    " If it was fitted on numbers that stand for these, say which is which, in the "
                    f"order of its numbers: --classes '{','.join(distinct)}'"
                )
            raise AddError(
                f"The target {request.target!r} holds {strange!r}, but the model answers "
                f"{', '.join(str(item) for item in classes[:10])}.{hint}"
            )
        return np.array(found, dtype=float)

    def _optional(self, ready: Ready, columns: Sequence[Column]) -> None:
        for column in columns:
            if column.missing and column.naming.name not in ready.optional:
                self._notes.append(
                    f"{column.missing} rows without {column.source.column} are left out: the model "
                    "does not answer without it, so the form asks for it."
                )

    def _one_required(
        self,
        drafted: list[Drafted],
        importance: list[float],
        matrix: Floats,
        truth: Floats,
        held: Any,
    ) -> tuple[list[Drafted], Floats, Floats, Any]:
        """A form asks for something: if all may be empty, the fact that matters most may not."""
        if any(item.required for item in drafted):
            return drafted, matrix, truth, held
        most = int(np.argmax(importance))
        found = drafted[most]
        self._notes.append(
            f"Every fact may be unknown to the model; the form asks for {found.name}, which "
            "matters most."
        )
        drafted = [
            Drafted(item.column, place == most, item.low, item.high, item.usual, item.reference)
            for place, item in enumerate(drafted)
        ]
        known = ~np.isnan(matrix[:, most])
        return drafted, matrix[known], truth[known], held[known]

    def _output(self, truth: Floats, classes: tuple[str, ...], ready: Ready) -> Output:
        request = self._request
        (naming,) = name_columns([request.target], set() if classes else {request.target})
        if not classes:
            step = round_step(float(np.std(truth)))
            return Output(naming, round_to=step, coverage=request.coverage)
        if len(classes) > 50:
            raise AddError(f"The model answers {len(classes)} classes; a page can show 50.")
        labels = [readable(item) for item in request.classes or classes]
        if sorted(map(str.lower, labels)) in (["0", "1"], ["false", "true"]):
            labels = ["Yes" if label.lower() in ("1", "true") else "No" for label in labels]
            naming = replace(naming, noun="answer")
        pairs = tuple(zip(classes, labels, strict=True))
        return Output(naming, pairs, ready.probabilities)

    def _measure(
        self,
        ready: Ready,
        matrix: Floats,
        truth: Floats,
        held: Any,
        drafted: Sequence[Drafted],
        output: Output,
    ) -> Measured:
        """Figures, calibration, temperature, how they were measured, and the main one in words."""
        request, count = self._request, int(held.sum())
        if not count:
            self._notes.append(
                "Nothing was measured and there is no range: no rows were named that the model has "
                "not seen. Name them with --holdout, a file or a column."
            )
            how = "Nothing was measured: no rows were kept aside that the model had not seen."
            words = "How good it is was not measured"
            words += "." if output.classes else ", so it gives no range."
            return Measured(bool(output.classes), how, words)
        shown = formatting.number(count, LOCALE)
        how = f"On {shown} rows that the model had not seen."
        noun = output.naming.noun
        if output.classes:
            metrics, temperature = measure_classes(
                ready.answer(matrix[held].astype(np.float32)),
                truth[held].astype(np.int64),
                output.probabilities,
            )
            if output.probabilities and temperature is None:
                self._notes.append(
                    f"{shown} held-out rows are too few to calibrate probabilities."
                    if count < LEAST_FOR_TEMPERATURE
                    else "Its probabilities stay as they are: calibrated they were no better."
                )
            if temperature is not None:
                how += (
                    " Its probabilities were calibrated on the same rows by one temperature, and "
                    "the figures after calibration taken by tenfold cross-validation over them."
                )
            right = formatting.percent(metrics[0].value, LOCALE, digits=1)
            words = f"It named the right {noun} for {right} of {shown} rows that it had not seen."
            return Measured(True, how, words, metrics, None, temperature)
        optional = [(place, item.name) for place, item in enumerate(drafted) if not item.required]
        try:
            metrics, calibration = measure_numbers(
                ready.answer,
                matrix[held],
                truth[held],
                optional,
                request.coverage,
                self._log(ready.answer, matrix, truth, drafted),
            )
        except TooFewRowsError as error:
            self._notes.append(f"There is no range. {error}")
            return Measured(False, str(error), "Too few rows were kept aside to give a range.")
        off = formatting.number(metrics[0].value, LOCALE)
        unit = f" {output.naming.unit}" if output.naming.unit else ""
        words = f"Half of its answers came within {off}{unit} of the actual {noun}."
        return Measured(False, how, words, metrics, calibration)

    def _log(
        self, answer: Answer, matrix: Floats, truth: Floats, drafted: Sequence[Drafted]
    ) -> bool:
        """Whether errors are better shares of the answer: all positive, with a long upper tail."""
        if truth.min() <= 0 or _skew(truth) < 1 or abs(_skew(np.log(truth))) > _skew(truth) / 2:
            return False
        rng = np.random.default_rng(SEED)
        low, high = ([getattr(item, end) for item in drafted] for end in ("low", "high"))
        tried = rng.uniform(low, high, (_TRIED, len(drafted)))
        for place, item in enumerate(drafted):
            if item.column.kind != "number":
                tried[:, place] = np.round(tried[:, place])
        everything = np.concatenate([matrix, tried]).astype(np.float32)
        return bool((answer(everything) > 0).all())

    def _examples(
        self,
        ready: Ready,
        drafted: Sequence[Drafted],
        matrix: Floats,
        truth: Floats,
        output: Output,
    ) -> Examples:
        """Rows of the data that stand for others: typical, low and high, or one of each class."""
        said = ready.answer(matrix.astype(np.float32))
        chosen: dict[str, int] = {}
        if output.classes:
            named = said.argmax(axis=1)
            for place in np.argsort(-np.bincount(named, minlength=said.shape[1]))[:_MOST_EXAMPLES]:
                right = np.flatnonzero((named == place) & (truth == place))
                if len(right):
                    best = right[np.argmax(said[right, place])]
                    chosen[f"Probably {output.classes[place][1]}"] = int(best)
        else:
            noun = output.naming.noun
            order = np.argsort(said, kind="stable")
            for title, share in (
                (f"A typical {noun}", 0.5),
                (f"A low {noun}", 0.1),
                (f"A high {noun}", 0.9),
            ):
                chosen[title] = int(order[int(share * (len(order) - 1))])
        if not chosen:
            chosen["A row of the data"] = 0
        return tuple(
            (
                title,
                {
                    item.name: _typed(item, code)
                    for item, code in zip(drafted, matrix[row].tolist(), strict=True)
                    if not math.isnan(code)
                },
            )
            for title, row in chosen.items()
        )

    def _words(
        self, subject: Subject, drafted: Sequence[Drafted], output: Output, count: int
    ) -> Words:
        noun, labels = output.naming.noun, {label for _, label in output.classes}
        rows = f"{formatting.number(count, LOCALE)} rows of {self._request.data.name}"
        if not output.classes:
            title = f"What is the {noun}?"
        elif labels == {"Yes", "No"}:
            title = f"{output.naming.label}?"
        else:
            title = f"Which {noun} is it?"
        facts = "one fact" if len(drafted) == 1 else f"{len(drafted)} facts"
        return Words(
            title=title,
            summary=f"An answer from {facts} by a model of the kind {subject.title}.",
            data_text=rows,
            limits=(
                f"It knows {rows}, and sees the facts on the form and nothing else.",
                "It was drafted from its data by a program. Nobody has written yet what it cannot "
                "know.",
            ),
            not_for=(
                "a decision about a person",
                "anything but trying it out, until somebody has written what it is for",
            ),
        )

    def _with_support(
        self, calibration: Calibration | None, index: Index | None, drafted: Sequence[Drafted]
    ) -> tuple[Calibration | None, tuple[float, ...]]:
        """Where a row is like the data: in each group of the calibration, or by itself."""
        if index is None:
            return calibration, ()
        places = {item.name: place for place, item in enumerate(drafted)}
        if calibration is None or calibration.groups[0].unknown is not None:
            return calibration, index.limits_by_count()
        found = index.limit([[places[name] for name in g.known] for g in calibration.groups])
        groups = tuple(
            group.model_copy(update={"support": max(limit, 1e-6)})
            for group, limit in zip(calibration.groups, found, strict=True)
        )
        return calibration.model_copy(update={"groups": groups}), ()

    def _manifest(
        self,
        ready: Ready,
        card: Card,
        drafted: Sequence[Drafted],
        measured: Measured,
        index: Index | None,
        truth: Floats,
        held: Any,
    ) -> Manifest:
        """Write the index of similar rows and say what was made."""
        request = self._request
        calibration, support = self._with_support(measured.calibration, index, drafted)
        files = list(ready.files)
        if index is not None:
            index.neighbors.save(self._work / "neighbors.npz")
            files.append("neighbors.npz")
        low, high = np.quantile(truth, _AXIS_QUANTILES).tolist()
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
            artifacts={name: _artifact((self._work / name).read_bytes()) for name in files},
            versions=_versions(),
            data=Data(
                file=request.data.name,
                sha256=_artifact(data).sha256,
                rows=int((~held).sum()),
                text=card.data_text,
                source=f"The file {request.data.name}, column {request.target}.",
            ),
            how=measured.how,
            metrics=measured.metrics,
            accuracy=measured.accuracy,
            reference={item.name: item.reference for item in drafted},
            axis=None if measured.classes else axis,
            calibration=calibration,
            temperature=measured.temperature,
            neighbors="neighbors.npz" if index is not None else "",
            frame=ready.frame,
            support=support,
            golden=(Golden(features={}, value=0),) * 3,
        )
        return manifest.model_copy(update={"golden": _golden(ready, card, manifest)})

    def _added(
        self,
        folder: Path,
        drafted: Sequence[Drafted],
        output: Output,
        ready: Ready,
        manifest: Manifest,
    ) -> Added:
        fields = tuple(
            (
                item.name,
                item.column.kind + ("" if item.required else ", may be empty"),
                item.takes,
                f"{item.column.source.column}: {item.column.guess}",
            )
            for item in drafted
        )
        if output.classes:
            said = f"{output.naming.label}: {', '.join(label for _, label in output.classes)}"
        else:
            said = f"{output.naming.label}, in steps of {output.round_to:g} {output.naming.unit}"
        served = "as ONNX, compared on every row"
        if ready.served == "model.joblib":
            served = f"as it was saved, which is slower: it did not compile.\n{ready.reason}"
            if ready.frame is not None and ready.frame.needs_pandas:
                served += (
                    "\nServing it needs pandas: add it to the dependencies in pyproject.toml and "
                    "run `make requirements UPGRADE=` before you deploy it."
                )
        figures = tuple(
            (
                metric.label,
                formatting.percent(metric.value, LOCALE, digits=1)
                if metric.share
                else f"{metric.value:.4g}",
            )
            for metric in manifest.metrics
        )
        return Added(
            folder, folder.name.replace("_", "-"), fields, said.strip(), served, figures,
            tuple(self._notes),
        )  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """What held-out rows said: figures, calibration, and both in words."""

    classes: bool
    how: str
    accuracy: str
    metrics: tuple[Metric, ...] = ()
    calibration: Calibration | None = None
    temperature: float | None = None


Examples = tuple[tuple[str, Mapping[str, Value]], ...]


def _typed(item: Drafted, code: float) -> Value:
    """A value as a visitor would type it."""
    if item.column.kind == "choice":
        return str_value(item.column, int(code))
    if item.column.kind == "flag":
        return "yes" if code else "no"
    if item.column.kind == "integer":
        return round(code)
    return format(Decimal(repr(code)), "f") if "e" in repr(code) else code


def _golden(ready: Ready, card: Card, manifest: Manifest) -> tuple[Golden, ...]:
    """The reference and the examples with their answers."""
    rows = [manifest.reference, *(example.values for example in card.examples)]
    while len(rows) < _LEAST_GOLDEN:
        rows.append(rows[-1])
    golden = []
    ranges = None
    if manifest.calibration is not None:
        ranges = Ranges(manifest.calibration, card.optional)
    for given in rows:
        features, errors = card.validate_row(given)
        if features is None:
            raise AddError(f"A row of the data does not fit its own card: {errors}")
        said = ready.answer(card.encode(features))
        if said.ndim > 1:
            shares = cool(said, manifest.temperature)[0]
            label = card.classes.classes[int(shares.argmax())].value
            value = float(shares.max()) if card.classes.probabilities else 1.0
            golden.append(Golden(features=dict(features), value=value, label=label))
            continue
        value, low, high = float(said[0]), None, None
        if ranges is not None:
            known = frozenset(name for name in card.optional if features[name] is not None)
            low, high = ranges.ends(value, 1.0, ranges.group(known))
        golden.append(Golden(features=dict(features), value=value, low=low, high=high))
    return tuple(golden)


def _artifact(content: bytes) -> Artifact:
    return Artifact(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _skew(values: Floats) -> float:
    deviation = float(np.std(values))
    return float(np.mean(((values - np.mean(values)) / deviation) ** 3)) if deviation else 0.0
