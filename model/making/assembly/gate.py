"""Is this model what its data say? A battery of causes, each tried on the same rows at once.

A model that answers nonsense mostly does so for one of a few reasons: nobody scaled its inputs, it
answers the logarithm of the target, a column has another unit or place, its classes have another
order. Each reason is tried; one counts only if it explains the answers clearly better, on other
rows, too. A model that merely knows little has no such reason, and is left in peace.
"""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations

import numpy as np
from scipy.optimize import linear_sum_assignment

from model.contract.arrays import BoolArray, Float32Array, Float64Array, IntArray
from model.making.kinds.evidence import Fit, Reading
from model.making.kinds.output_kind import OneOutput, OutputKind

LEAST_ROWS = 30
"""Rows below which nothing is checked."""
ROWS = 250
"""Rows that are asked for each cause, and as many again to confirm one."""

_MOST_ASKED = 60_000
"""Rows in one call of the model."""
_MOST_SWAPPED = 12
_ALIKE = 0.03
_HARDLY = 0.15
"""Gain of balanced accuracy below which the probabilities are told, too."""
_WORSE = -0.1
"""The skill below which answers are worse than the same one for everybody."""
_FITS = 0.3
"""Skill of each output from which another order of them is believed."""
_UNITS = {
    1000.0: "", 100.0: "", 10.0: "", 2.54: "inches and centimetres", 0.3048: "feet and metres",
    0.45359237: "pounds and kilograms", 1.609344: "miles and kilometres",
    10.7639: "square metres and square feet", 12.0: "years and months", 60.0: "",
    365.25: "days and years",
}  # fmt: skip
_SCALER = (
    "Add the scaler's file, or --before scaler.pkl. Where your code did it without one, write that "
    "for each column, like --derive 'age = (age - 38.5) / 12.1'."
)
_DIVIDED = "Give data that are divided so, or a Pipeline that divides them."
_STARTS = ("it answered ", "its inputs had been ")
"""How the words of causes begin; several that begin alike say it once."""
_PIPELINE = "Add the file of the Pipeline that takes the columns as they are."


@dataclass(frozen=True)
class Cause:
    """A reason why the answers are wrong; ``advice`` says what to write."""

    text: str
    advice: str
    family: str
    fit: Fit


@dataclass(frozen=True)
class Finding:
    """What rows of the data showed of a model.

    ``causes`` are the accepted ones, the best first, those that come out alike together;
    ``nonsense`` says why the answers are wrong where no cause is known. ``given`` is None where
    nothing could be checked; ``unchecked`` says why. ``output`` names the output that was checked,
    where there are several. ``foreign`` says which input had other numbers when it was fitted.
    ``rows`` says whose rows they were.
    """

    given: Fit | None = None
    causes: tuple[Cause, ...] = ()
    nonsense: str = ""
    unchecked: str = ""
    output: str = ""
    foreign: str = ""
    rows: str = "its own data"

    @property
    def is_wrong(self) -> bool:
        """Whether the model does not answer what the data say."""
        return bool(self.causes or self.nonsense or self.foreign)

    @property
    def is_sound(self) -> bool:
        """Whether it was checked, answers as it should, and is better than a constant."""
        return self.given is not None and not self.is_wrong and self.given.beats_constant

    @property
    def advice(self) -> str:
        """What to write, with a blank before it; "" where no cause is known."""
        advice = list(dict.fromkeys(cause.advice for cause in self.causes))
        if not all(text.startswith("--") for text in advice):
            return f" {' Or: '.join(advice)}"
        return f" Write {', or '.join(advice)}." if advice else ""

    @property
    def text(self) -> str:
        """What was found, in one or two sentences."""
        return f"{self.output}: {self._text}" if self.output else self._text

    @property
    def _text(self) -> str:
        if self.foreign and not self.causes:
            return self.foreign
        if self.given is None:
            return f"Its answers could not be checked: {self.unchecked}."
        if self.causes:
            texts = list(dict.fromkeys(cause.text for cause in self.causes))
            shared = next(
                (start for start in _STARTS if all(text.startswith(start) for text in texts)), ""
            )
            named = shared + " or ".join(text.removeprefix(shared) for text in texts)
            given, so = self.given, self.causes[0].fit
            text = f"It answers as if {named}: {given.text} as given, {so.text} so."
            if given.balanced and so.balanced - given.balanced < _HARDLY:
                text += (
                    " The probabilities show it more than the classes: "
                    f"log loss {given.loss:.2f} as given, {so.loss:.2f} so."
                )
            return text
        if self.nonsense:
            return f"Its answers do not belong to this target. {self.nonsense}"
        if not self.given.beats_constant:
            how = "hardly better" if self.given.skill > _WORSE else "worse"
            return (
                f"It knows little: on rows of {self.rows} it is {how} than the same answer for "
                f"everybody ({self.given.text})."
            )
        how = "tells the classes apart" if self.given.reweighed else "answers as it should"
        return f"On rows of {self.rows} it {how} ({self.given.text})."


@dataclass(frozen=True)
class Subject:
    """A model to check.

    ``numbers`` (rows, columns) are the columns that can be transformed, ``labels`` their names;
    ``answer`` answers rows by their index and these columns. ``complete`` (rows,) is True for rows
    that lack nothing. ``places`` is True where a column may stand in another's place, because the
    model knows no names. ``coded`` are the columns whose numbers stand for texts.
    """

    numbers: Float64Array
    labels: Sequence[str]
    answer: Callable[[IntArray, Float64Array], Float64Array]
    complete: BoolArray
    places: bool = False
    coded: frozenset[int] = frozenset()


def make_coded_subject(
    matrix: Float64Array,
    numbers: Mapping[int, str],
    predict: Callable[[Float32Array], Float64Array],
) -> Subject:
    """Make the subject of a model that takes the codes of fields.

    Args:
        matrix: the data's codes, shape (rows, fields).
        numbers: what each field is called whose code is a number, by its place.
        predict: the served model, which answers codes of shape (rows, fields).
    """
    places = list(numbers)

    def answer(index: IntArray, rows: Float64Array) -> Float64Array:
        codes = matrix[index]
        codes[:, places] = rows
        return predict(codes.astype(np.float32))

    complete = np.asarray(~np.isnan(matrix).any(axis=1), dtype=bool)
    return Subject(matrix[:, places], list(numbers.values()), answer, complete)


@dataclass(frozen=True)
class _Variant:
    """Inputs transformed in one way; ``text`` is "" for the inputs as they are."""

    text: str
    advice: str
    family: str
    rarity: float
    apply: Callable[[Float64Array], Float64Array]


def choose_rows(complete: BoolArray) -> tuple[IntArray, IntArray]:
    """Choose rows to ask, and as many others to confirm; too few rows serve for both.

    Args:
        complete: whether a row lacks nothing, shape (rows,); others are taken only if they must.
    """
    order = np.random.default_rng(0).permutation(len(complete))
    if complete.sum() >= LEAST_ROWS:
        order = order[complete[order]]
    if len(order) < 3 * LEAST_ROWS:
        return order, order
    half = min(ROWS, len(order) // 2)
    return order[:half], order[half : 2 * half]


def check_answers(
    subject: Subject, kind: OutputKind, truth: Float64Array, classes_may_move: bool = False
) -> Finding:
    """Ask a model the battery of causes.

    Args:
        subject: the model.
        kind: how it answers.
        truth: of every row, shape (rows,).
        classes_may_move: whether its classes may stand in another order.
    """
    if len(truth) < LEAST_ROWS:
        return Finding(unchecked=f"there are {len(truth)} rows, and {LEAST_ROWS} are needed")
    if len(np.unique(truth)) < 2:
        return Finding(unchecked="the target is the same in every row")
    first, second = choose_rows(subject.complete)
    if len(np.unique(truth[first])) < 2 or len(np.unique(truth[second])) < 2:
        return Finding(unchecked="the target is the same in nearly every row")
    given_answers = subject.answer(first, subject.numbers[first])
    given = kind.fit(given_answers, truth[first])
    if not np.isfinite(given_answers).all():
        return Finding(given, nonsense="Some answers are not finite numbers.")
    readings = kind.list_readings(given_answers, truth[first], truth, classes_may_move)
    sure = kind.is_beyond_doubt(given)
    if sure and not any(reading.is_plain for reading in readings):
        return Finding(given)
    variants = [] if sure else list(_list_variants(subject, kind.is_good_enough(given)))
    room = max(1, _MOST_ASKED // len(first))
    variants = variants[:room]
    with np.errstate(all="ignore"):
        blocks = [variant.apply(subject.numbers)[first] for variant in variants]
    kept = [place for place, block in enumerate(blocks) if np.isfinite(block).all()]
    variants, blocks = [variants[place] for place in kept], [blocks[place] for place in kept]
    answers = _ask_variants(subject, first, blocks)
    as_given = _Variant("", "", "", 0.0, lambda numbers: numbers)
    causes = []
    tried = zip([as_given, *variants], [given_answers, *answers], strict=True)
    for variant, answered in tried:
        if answered is None:
            continue
        rare = variant.family in ("unit", "place")
        for reading in readings[:1] if rare else readings:  # two rare faults do not come together
            if not (variant.text or reading.as_if):
                continue
            with np.errstate(all="ignore"):
                fit = kind.fit(reading.apply(answered), truth[first])
            rarity = variant.rarity + reading.rarity
            if kind.accepts(given, fit, rarity, reading, bool(variant.text), rare):
                causes.append((fit.rank - rarity, variant, reading, fit))
    causes.sort(key=lambda item: -item[0])
    accepted = _confirm(subject, kind, truth, second, given, causes)
    if accepted:
        return Finding(given, tuple(accepted))
    return Finding(given, nonsense=kind.explain_nonsense(given_answers, truth[first]))


def check_outputs(
    subject: Subject,
    truths: Sequence[tuple[OneOutput, Float64Array]],
    classes_may_move: bool = False,
) -> Finding:
    """Ask a model the battery of causes for each of its outputs.

    Args:
        subject: the model, which answers all its outputs.
        truths: the outputs to check, each with its truth of every row, shape (rows,).
        classes_may_move: whether its classes may stand in another order.

    Returns:
        What was found of the first output that is wrong, else of the first that is not sound, else
        of the first. Where not all are sound and another order of them is, that is the cause.
    """
    found = []
    for output, truth in truths:
        one = replace(subject, answer=partial(_answer_output, subject, output))
        finding = check_answers(one, output.kind, truth, classes_may_move)
        found.append(replace(finding, output=output.name))
    worst = max(found, key=lambda finding: (finding.is_wrong, not finding.is_sound))
    if worst.is_sound or worst.given is None or len(truths) < 2:
        return worst
    cause = _find_order(subject, truths)
    return worst if cause is None else replace(worst, causes=(cause,), nonsense="")


def _find_order(subject: Subject, truths: Sequence[tuple[OneOutput, Float64Array]]) -> Cause | None:
    """The order of the targets in which each output fits its own well, if there is one."""
    rows, _ = choose_rows(subject.complete)
    answers = subject.answer(rows, subject.numbers[rows])
    fits = [
        [output.kind.fit(output.select(answers), truth[rows]) for _, truth in truths]
        for output, _ in truths
    ]
    skills = np.array([[fit.skill for fit in line] for line in fits])
    _, places = linear_sum_assignment(-np.maximum(skills, -1.0))
    chosen = skills[np.arange(len(truths)), places]
    order = places.tolist()
    if order == sorted(order) or not (chosen >= _FITS).all():
        return None
    moved = next(place for place in range(len(order)) if order[place] != place)
    names = ",".join(truths[place][0].name for place in order)
    text = f"its numbers stood in the order {names}"
    return Cause(text, f"--target {shlex.quote(names)}", "order", fits[moved][order[moved]])


def _answer_output(
    subject: Subject, output: OneOutput, index: IntArray, rows: Float64Array
) -> Float64Array:
    return output.select(subject.answer(index, rows))


def _ask_variants(
    subject: Subject, rows: IntArray, blocks: Sequence[Float64Array]
) -> list[Float64Array | None]:
    """The answers to each block of inputs, in one call; None where the model takes no such ones."""
    if not blocks:
        return []
    try:
        asked = subject.answer(np.tile(rows, len(blocks)), np.concatenate(blocks))
    except Exception:  # an estimator may raise anything
        if len(blocks) == 1:
            return [None]
        return [found for block in blocks for found in _ask_variants(subject, rows, [block])]
    return list(np.split(asked, len(blocks)))


def _confirm(
    subject: Subject,
    kind: OutputKind,
    truth: Float64Array,
    second: IntArray,
    given: Fit,
    causes: Sequence[tuple[float, _Variant, Reading, Fit]],
) -> list[Cause]:
    """The best causes that hold on other rows, too: half the gain, and smaller errors."""
    if not causes:
        return []
    again = kind.fit(subject.answer(second, subject.numbers[second]), truth[second])
    accepted: list[Cause] = []
    best = None
    for rank, variant, reading, fit in causes[:8]:
        if best is not None and rank < best - _ALIKE:
            break
        with np.errstate(all="ignore"):
            rows = variant.apply(subject.numbers)[second]
            if not np.isfinite(rows).all():
                continue
            (answered,) = _ask_variants(subject, second, [rows])
            if answered is None:
                continue
            confirmed = kind.fit(reading.apply(answered), truth[second])
        if (
            confirmed.loss < again.loss
            and confirmed.rank - again.rank >= (fit.rank - given.rank) / 2
        ):
            best = rank if best is None else best
            said = [variant.text] if variant.text else []
            said += [f"it answered {reading.as_if}"] if reading.as_if else []
            advice = " ".join(part for part in (variant.advice, reading.advice) if part)
            if variant.advice.endswith(".") and reading.advice.startswith("--"):
                advice = f"{variant.advice} And write {reading.advice}."
            accepted.append(
                Cause(" and ".join(said), advice, f"{variant.family} {reading.as_if}".strip(), fit)
            )
    return accepted


def _list_variants(subject: Subject, good: bool) -> Iterator[_Variant]:
    """The inputs in other forms: scaled; where the model is not good, in other units and places."""
    numbers = subject.numbers
    if not numbers.shape[1]:
        return
    fine = np.array([len(np.unique(column[~np.isnan(column)])) > 2 for column in numbers.T])
    choices = [np.ones(len(fine), dtype=bool)]
    if 0 < fine.sum() < len(fine):
        choices.append(fine)
    for mask in choices:
        for text, advice, rarity, shift, scale in _measure_scalings(numbers):
            scaled_shift = np.where(mask, shift, 0.0)
            scaled_by = np.where(mask & (scale > 0), scale, 1.0)
            yield _Variant(
                f"its inputs had been {text}",
                advice,
                "scaling",
                rarity,
                partial(_scale, scaled_shift, scaled_by),
            )
    lows = np.nanmin(numbers, axis=0)
    for name, function, allowed in (("log1p", np.log1p, lows >= 0), ("log", np.log, lows > 0)):
        logged = fine & allowed
        if logged.any():
            yield _Variant(
                f"its inputs had been logged ({name})",
                _PIPELINE,
                "log",
                0.03,
                partial(_apply, function, logged),
            )
    if good:
        return
    measured = [column for column in np.flatnonzero(fine).tolist() if column not in subject.coded]
    for column in measured[:20]:
        for unit, words in _UNITS.items():
            for factor in (unit, 1 / unit):
                yield _Variant(
                    f"{subject.labels[column]} were {factor:g} times as large"
                    + (f" ({words})" if words else ""),
                    f"--unit {shlex.quote(f'{subject.labels[column]}={factor:g}')}",
                    "unit",
                    0.05,
                    partial(_multiply, column, factor),
                )
    if subject.places:
        yield from _list_orders(subject.labels)


def _list_orders(labels: Sequence[str]) -> Iterator[_Variant]:
    count = len(labels)
    by_name = sorted(range(count), key=labels.__getitem__)
    orders = [(by_name, "its columns stood in the order of the alphabet")]
    if count <= _MOST_SWAPPED:
        for low, high in combinations(range(count), 2):
            swapped = list(range(count))
            swapped[low], swapped[high] = high, low
            orders.append((swapped, f"{labels[low]} and {labels[high]} had changed places"))
    for order, text in orders:
        if order != list(range(count)):
            named = ",".join(labels[place] for place in order)
            yield _Variant(
                text,
                f"--features {shlex.quote(named)}",
                "place",
                0.05,
                partial(np.take, indices=order, axis=1),
            )


def _scale(shift: Float64Array, divisor: Float64Array, rows: Float64Array) -> Float64Array:
    return (rows - shift) / divisor


def _apply(
    function: Callable[[Float64Array], Float64Array], columns: BoolArray, rows: Float64Array
) -> Float64Array:
    return np.where(columns, function(np.where(columns, rows, 1.0)), rows)


def _multiply(column: int, factor: float, rows: Float64Array) -> Float64Array:
    changed = rows.copy()
    changed[:, column] *= factor
    return changed


def _measure_scalings(
    numbers: Float64Array,
) -> Iterator[tuple[str, str, float, Float64Array, Float64Array]]:
    """Name, advice, rarity, shift and divisor of each scaling, from all rows."""
    mean, deviation = np.nanmean(numbers, axis=0), np.nanstd(numbers, axis=0)
    low, high = np.nanmin(numbers, axis=0), np.nanmax(numbers, axis=0)
    yield "standardised", _SCALER, 0.02, mean, deviation
    yield "scaled to between 0 and 1", _SCALER, 0.02, low, high - low
    largest = np.nanmax(np.abs(numbers), axis=0)
    yield "divided by their largest value", _SCALER, 0.03, 0 * low, largest
    divisor = largest.max()
    yield f"divided by {divisor:g}", _DIVIDED, 0.03, 0 * low, np.full_like(low, divisor)
    quarters = np.nanquantile(numbers, [0.25, 0.5, 0.75], axis=0)
    spread = quarters[2] - quarters[0]
    yield "scaled by median and quartiles", _SCALER, 0.03, quarters[1], spread
