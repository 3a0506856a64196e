"""Every assembly of the files' parts that could be meant."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

from model.contract.arrays import Float64Array
from model.making.assembly.chains import (
    SCALERS,
    Step,
    forget_names,
    list_orders,
    make_unit_step,
    place_steps,
    run_steps,
)
from model.making.assembly.contents import Contents, Transformer
from model.making.assembly.inputs import (
    Codes,
    Input,
    RawColumns,
    compute_matrix,
    list_sources,
    make_encoder,
    simplify,
)
from model.making.errors import AddError
from model.making.fitted_steps import find_encoded_columns, unwrap_estimator
from model.making.kinds.output_kind import OutputKind
from model.making.text_cells import as_text, looks_written
from model.making.texts import takes_texts_alone

UNCHANGED = "the model as it is"
_MOST_CANDIDATES = 60
_MOST_WINDOWS = 12
_BY_PLACE = "the order of the data"
_WINDOW = "the columns "
_LISTED = "columns in the order of "
_LN_10 = float(np.log(10))


@dataclass(frozen=True)
class Inverse:
    """What turns a model's answers back into the target's unit.

    ``function`` is applied to an array of shape (rows,), ``wrap`` to a fitted model. ``where`` is
    the part of a file that says so, "" where a person does.
    """

    words: str
    function: Callable[[Float64Array], Float64Array]
    wrap: Callable[[Any], Any]
    where: str = ""


@dataclass(frozen=True)
class Assembly:
    """One way in which parts may belong together.

    ``inputs`` are empty where the model takes the columns ``names`` as they are. ``guessed`` are
    the columns whose codes are in no file. ``classes`` are the names of the model's classes in
    their order. ``by_place`` is True where nothing but the data gives the order of the columns,
    ``is_window`` where it does not even say which ones, ``guesses_classes`` where the names are in
    no file. ``parts`` is where the parts stand that it takes besides the model. ``as_categories``
    is True where texts are categories of pandas, ``alone`` where the model takes the texts of one
    column, and no table.
    """

    names: tuple[str, ...]
    inputs: tuple[Input, ...]
    steps: tuple[Step, ...]
    inverse: Inverse | None
    words: tuple[str, ...]
    guessed: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    fitted: Any = None
    by_place: bool = False
    is_window: bool = False
    guesses_classes: bool = False
    parts: frozenset[str] = frozenset()
    as_categories: bool = False
    alone: bool = False

    @property
    def guesses(self) -> bool:
        """Whether it has something that is in no file."""
        return bool(self.guessed) or self.is_window or self.guesses_classes

    @property
    def text(self) -> str:
        """What sets it apart, in words."""
        return "; ".join(self.words) or UNCHANGED


@dataclass
class AssemblySearch:
    """What may be put together: the parts, the data's columns and what a person says."""

    contents: Contents
    table: pd.DataFrame
    target: str
    available: tuple[str, ...]
    kind: OutputKind
    features: tuple[str, ...] = ()
    before: tuple[Path, ...] = ()
    target_inverse: str = ""
    units: tuple[tuple[str, float], ...] = ()
    derived_from: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.estimator = self.contents.estimators[0]
        self._dummies: list[Input] = []
        self._ordinals: list[Input] = []
        self._encoded: dict[str, list[Input]] = {}
        self.columns = RawColumns(self.table[list(self.available)], self.contents.codes)
        self.scalers_of_target = [
            part for part in self.contents.transformers if self._scales_target(part)
        ]
        self.transformers = [
            part for part in self.contents.transformers if part not in self.scalers_of_target
        ]
        for part in list(self.transformers):
            if isinstance(part.fitted, OrdinalEncoder | OneHotEncoder) and self._take_apart(part):
                self.transformers.remove(part)
        self.problems: list[str] = []

    @property
    def count(self) -> int | None:
        """The inputs that the model takes; None where it does not say."""
        found = getattr(self.estimator.fitted, "n_features_in_", None)
        return None if found is None else int(found)

    def list_all(self) -> list[Assembly]:
        """List the assemblies that use what is in the files, or what a person says."""
        found = self._list_raw()
        if not found:
            for order in self._list_orders():
                for base in self._list_bases(order):
                    found += self._assemble(order, base)
            fits = self.count in (None, len(self.features or self.available))
            if self.estimator.names is None and not self.transformers and fits:
                # One of its own code may take a table, and not say so.
                raw = self._take_raw(self.features or self.available, self.estimator.fitted)
                words = ("columns in the order of the data",) if self.contents.lists else ()
                found.append(replace(raw, words=words, by_place=not self.features))
        inverses = self._list_inverses()
        return [
            replace(
                item,
                inverse=inverse,
                words=(*item.words, inverse.words),
                parts=item.parts | {inverse.where},
            )
            if inverse
            else item
            for item, inverse in product(found[:_MOST_CANDIDATES], inverses)
        ]

    def _list_orders(self) -> list[tuple[Transformer, ...]]:
        if self.before:
            order = [
                part for path in self.before for part in self.transformers if part.path == path
            ]
            if len(order) < len(self.before):
                named = ", ".join(str(path) for path in self.before)
                raise AddError(f"--before {named}: a file holds no step that changes inputs.")
            return [tuple(order)]
        return list(list_orders(self.transformers))

    # Models that take the columns as the data have them

    def _list_raw(self) -> list[Assembly]:
        """Assemblies whose first step takes raw columns by name, texts among them."""
        own = self.estimator
        if takes_texts_alone(own.fitted):
            return [self._take_text(name, own.fitted) for name in self._list_text_columns()]
        if self._takes_raw(own):
            return [self._take_raw(own.names or (), own.fitted)]
        found = []
        for order in self._list_orders():
            if not order or isinstance(order[0].fitted, SCALERS):
                continue
            steps = [Step(part.fitted, part.where) for part in order]
            parts = frozenset(part.where for part in order)
            if takes_texts_alone(order[0].fitted):
                fitted = _join([part.fitted for part in order], self.estimator.fitted)
                for name in self._list_text_columns():
                    made = self._take_text(name, fitted)
                    words = (_list_steps(steps), *made.words)
                    found.append(replace(made, words=words, parts=parts))
                continue
            for names in self._list_raw_columns(order[0]):
                fitted = _join([part.fitted for part in order], self.estimator.fitted)
                raw = self._take_raw(names, fitted)
                made = replace(raw, words=(_list_steps(steps),), parts=parts)
                if order[0].names is None and not self.features:
                    is_window = len(names) < len(self.available)
                    made = replace(made, by_place=not is_window, is_window=is_window)
                found.append(made)
        return found

    def _list_text_columns(self) -> list[str]:
        """The columns that may hold the texts: those that look so, or all that are no numbers."""
        columns = self.features or self.available
        texts = [name for name in columns if not self.columns.is_number(name)]
        written = [name for name in texts if looks_written(self.table[name])]
        return written or texts

    def _take_text(self, name: str, fitted: Any) -> Assembly:
        """The assembly of a model that takes the texts of one column."""
        many = len(self._list_text_columns()) > 1
        words = (f"the texts of {name}",) if many else ()
        return Assembly((name,), (), (), None, words, fitted=fitted, alone=True)

    def _list_raw_columns(self, part: Transformer) -> list[tuple[str, ...]]:
        """The columns that a first step may take as the data have them, texts among them."""
        if part.names is not None:
            return [part.names] if self._takes_raw(part) else []
        starts = range(min(len(self.available) - part.count + 1, _MOST_WINDOWS))
        windows = [self.available[start : start + part.count] for start in starts]
        return [
            names
            for names in ([self.features] if self.features else windows)
            if len(names) == part.count
            and self._are_texts(part, names)
            and self._find_texts(part.fitted, names) is not None
        ]

    def _take_raw(self, names: tuple[str, ...], fitted: Any) -> Assembly:
        """The assembly of a model that takes columns as the data have them."""
        as_categories = bool(self._find_texts(fitted, names))
        return Assembly(names, (), (), None, (), fitted=fitted, as_categories=as_categories)

    def _takes_raw(self, part: Transformer) -> bool:
        """Whether a part takes named columns that are all there, and at least one is no number."""
        names = part.names
        if names is None or not set(names) <= set(self.available):
            return False
        columns = isinstance(unwrap_estimator(part.fitted), ColumnTransformer)
        if not columns and not self._are_texts(part, names):
            return False
        return self._find_texts(part.fitted, names) is not None

    def _are_texts(self, part: Transformer, names: Sequence[str]) -> bool:
        """Whether there are texts among columns, and none that a part would take for a number."""
        encoded = find_encoded_columns(part.fitted, names)
        texts = [name for name in names if not self.columns.is_number(name)]
        return bool(texts) and all(
            name in encoded
            or pd.to_numeric(self.table[name].dropna(), errors="coerce").isna().any()
            for name in texts
        )

    def _find_texts(self, fitted: Any, names: Sequence[str]) -> bool | None:
        """Whether a part takes texts as categories of pandas; None where it takes no texts."""
        table = self.table[list(names)]
        rows = table.dropna().head(3) if len(table.dropna()) else table.head(3)
        for as_categories in (False, True):
            with suppress(Exception), warnings.catch_warnings():  # it takes them in another form
                warnings.simplefilter("ignore")
                ask = getattr(fitted, "predict", None) or fitted.transform
                ask(select_raw(self.table, names, rows.index, as_categories))
                return as_categories
        return None

    # Inputs made from columns

    def _take_apart(self, part: Transformer) -> bool:
        """Turn an encoder into codes, or into a list of dummies; False where it fits no column."""
        places = []
        taken: set[str] = set()
        for number, categories in enumerate(part.fitted.categories_):
            texts = {as_text(value) for value in categories.tolist()}
            named = part.names[number] if part.names else None
            fitting = [
                column
                for column in self.available
                if column not in taken and (column == named or named is None)
                and set(self.columns.cells(column)) <= texts
                and (named is not None or not self.columns.is_number(column))
            ]  # fmt: skip
            if not fitting:
                return False
            taken.add(fitting[0])
            places.append((fitting[0], categories.tolist()))
        if isinstance(part.fitted, OrdinalEncoder):
            for column, categories in places:
                numbers = {as_text(value): float(code) for code, value in enumerate(categories)}
                codes = Codes(numbers, column, part.where)
                self.contents.codes.append(codes)
                self._ordinals.append(self.columns.make_input(column, codes))
            return True
        made = self._encoded[part.where] = []
        dropped = part.fitted.drop_idx_
        for number, (column, categories) in enumerate(places):
            left_out = None if dropped is None else dropped[number]
            made += [
                Input(column, level=value)
                for code, value in enumerate(categories)
                if code != left_out
            ]
        self._dummies += made
        return True

    def _list_bases(
        self, order: Sequence[Transformer]
    ) -> Iterator[tuple[list[str] | list[Input], str]]:
        """The inputs of the first step, by name, and where their order comes from."""
        widths = [order[0].count] if order else [self.count]
        if order and self.count is not None and order[0].count < self.count:
            widths.insert(0, self.count)  # a step of some inputs, unless it makes more of them
        for width in widths:
            yield from self._list_bases_of(order, width)

    def _list_bases_of(
        self, order: Sequence[Transformer], width: int | None
    ) -> Iterator[tuple[list[str] | list[Input], str]]:
        if self.features and not self._dummies:
            yield list(self.features), ""
            return
        steps = [self.estimator, *order]
        for part in steps:
            if part.names is not None and len(part.names) == width:
                yield list(part.names), ""
                return
        listed = False
        for names, where in self.contents.lists:
            kept = [name for name in names if name != self.target]
            if len(kept) == width and self._resolve(kept, "alphabet") is not None:
                yield kept, f"{_LISTED}{where}"
                listed = True
        if listed:
            return
        yield from self._list_unnamed(order, width)

    def _list_unnamed(
        self, order: Sequence[Transformer], width: int | None
    ) -> Iterator[tuple[list[str] | list[Input], str]]:
        """The inputs where no file names them."""
        encoded = [*self._ordinals, *self._dummies]
        taken = {item.source for item in encoded}
        named = tuple(name for part in order for name in part.names or ())
        for columns in dict.fromkeys((self.features or self.available, named)) if encoded else ():
            rest = [
                Input(name)
                for name in columns
                if name not in taken and name in self.available and self.columns.is_number(name)
            ]
            if width in (None, len(encoded) + len(rest)):
                yield [*encoded, *rest], "encoded columns first"
                yield [*rest, *encoded], "encoded columns last"
        if self._dummies:
            return
        kept = tuple(name for name in self.available if name not in self.derived_from)
        for columns in dict.fromkeys((self.available, kept)):
            if width is None or len(columns) == width:
                yield list(columns), _BY_PLACE
                scaled = [name for part in order for name in part.names or ()]
                others = [name for name in columns if name not in scaled]
                if scaled and [*scaled, *others] != [*columns]:
                    yield [*scaled, *others], "scaled columns first"
                    yield [*others, *scaled], "scaled columns last"
                return
        if width is None:
            return
        groups = [{name} for name in taken] + self._list_coded_columns()
        numbers = [name for name in self.available if self.columns.is_number(name)]
        if len(numbers) == width and not groups:
            yield numbers, f"{_WINDOW}of numbers alone"
        for start in range(min(len(self.available) - width + 1, _MOST_WINDOWS)):
            window = list(self.available[start : start + width])
            if window != numbers and all(group & set(window) for group in groups):
                yield window, f"{_WINDOW}from {window[0]} to {window[-1]}"

    def _list_coded_columns(self) -> list[set[str]]:
        """For each encoder in the files: the columns of texts that it may be of, if any.

        A guess that leaves an encoder out is not worth a trial. One of the target is no encoder of
        a column.
        """
        cells = self.table[self.target].unique() if self.target else ()
        answers = {as_text(value) for value in cells}
        found = []
        for codes in self.contents.codes:
            columns = {
                name
                for name in self.available
                if not self.columns.is_number(name) and codes in self.columns.find_codes(name)
            }
            of_target = bool(answers) and answers <= set(codes.numbers)
            if columns and not codes.is_list and not of_target:
                found.append(columns)
        return found

    def _assemble(
        self, order: Sequence[Transformer], base: tuple[list[str] | list[Input], str]
    ) -> list[Assembly]:
        """The assemblies of one order of steps on one list of inputs, one for each guess."""
        given, origin = base
        found: list[Assembly] = []
        for by, codes_numbers in product(("alphabet", "appearance"), (False, True)):
            resolved = self._resolve(given, by, codes_numbers)
            if resolved is None:
                return found
            inputs, guessed, coded = resolved
            matrix = compute_matrix(inputs, self.table)
            names = [
                item if isinstance(item, str) else item.source if item.is_plain else item.text
                for item in given
            ]
            steps = place_steps(order, names, matrix, self.count)
            if steps is None:
                return found
            if self.units:
                steps = (self._make_units(inputs), *steps)
            words = [origin] if origin not in ("", _BY_PLACE) else []
            if self.transformers:
                words.append(_list_steps(steps) if order else _without(self.transformers))
            dummies = dict.fromkeys(item.source for item in inputs if item.level is not None)
            if dummies:
                words.append(f"{', '.join(dummies)} as a column for each value")
            if coded:
                words.append(f"{', '.join(coded)} coded by {' and '.join(_list_files(coded))}")
            if guessed:
                words.append(f"{', '.join(guessed)} coded by {by}")
            parts = {part.where for part in order} | set(coded.values())
            parts |= {where for where, made in self._encoded.items() if set(made) & set(inputs)}
            if origin.startswith(_LISTED):
                parts.add(origin.removeprefix(_LISTED))
            made = Assembly(
                tuple(list_sources(inputs)), tuple(inputs), steps, None, tuple(words),
                tuple(guessed), by_place=origin == _BY_PLACE, is_window=_WINDOW in origin,
                parts=frozenset(parts),
            )  # fmt: skip
            if not any(made.inputs == item.inputs for item in found):
                found.append(made)
        return found

    def _make_units(self, inputs: Sequence[Input]) -> Step:
        factors: dict[int, float] = {}
        for column, factor in self.units:
            places = [place for place, item in enumerate(inputs)
                      if item.is_plain and item.source == column]  # fmt: skip
            if not places:
                raise AddError(f"--unit {column}: the model takes no such column as a number.")
            factors |= dict.fromkeys(places, factor)
        return make_unit_step(factors, len(inputs))

    def _resolve(
        self, given: Sequence[str | Input], by: str, codes_numbers: bool = False
    ) -> tuple[list[Input], list[str], dict[str, str]] | None:
        """Make the inputs of some names; None where one is not there.

        Args:
            given: names, or inputs that are made already.
            by: the order of the codes that no file has.
            codes_numbers: whether an encoder that may be of a column of numbers is taken for it.

        Returns:
            The inputs, the columns whose codes are in no file, and the files of the others' codes.
        """
        inputs: list[Input] = []
        guessed: list[str] = []
        coded: dict[str, str] = {}
        for name in given:
            if isinstance(name, Input):
                inputs.append(name)
                continue
            column = self.columns.find(name)
            if column is None:
                level = self.columns.find_level(name)
                if level is None:
                    return None
                inputs.append(Input(level[0], level=level[1]))
                continue
            codes = self.columns.find_codes(column)
            if self.columns.is_number(column):
                named = [each for each in codes if simplify(each.hint) == simplify(column)]
                coding = [each for each in codes if self._may_code(each, column)]
                codes = named or (coding if codes_numbers else [])
            elif not codes:
                guessed.append(column)
                codes = [self.columns.infer_codes(column, by)]
            if codes and codes[0].where:
                coded[column] = codes[0].where
            inputs.append(self.columns.make_input(column, codes[0] if codes else None))
        return inputs, guessed, coded

    def _may_code(self, codes: Codes, column: str) -> bool:
        """Whether codes without a name know just the numbers of a column, and change them."""
        cells = self.columns.cells(column)
        changed = any(codes.numbers[text] != float(cell) for text, cell in cells.items())
        return not codes.hint and len(codes.numbers) == len(cells) and changed

    # Answers

    def _scales_target(self, part: Transformer) -> bool:
        """Whether a step of one column can have scaled the target."""
        if part.count != 1 or self.count == 1 or not hasattr(part.fitted, "inverse_transform"):
            return False
        return part.names is None or self.target in part.names

    def _list_inverses(self) -> list[Inverse | None]:
        if self.target_inverse:
            return [make_inverse(self.target_inverse)]
        found: list[Inverse | None] = []
        for name, where in self.contents.inverses:
            made = make_inverse(name)
            words = f"{made.words}, as {where} says"
            found.append(Inverse(words, made.function, made.wrap, where))
        for part in self.scalers_of_target:
            made = _invert_scaler(forget_names(part.fitted), f"answers unscaled by {part.where}")
            found.append(replace(made, where=part.where))
        return [*found, None]


def select_raw(
    table: pd.DataFrame,
    names: Sequence[str],
    index: Any,
    as_categories: bool,
    alone: bool = False,
) -> Any:
    """Select rows of the columns that a model takes as the data have them.

    Args:
        table: the data.
        names: the columns.
        index: the labels of the rows.
        as_categories: whether texts become categories of pandas.
        alone: whether the model takes one column, and no table.
    """
    if alone:
        return table.loc[index, names[0]]
    rows = table.loc[index, list(names)]
    if as_categories:
        for name in names:
            if not pd.api.types.is_numeric_dtype(table[name].dtype):
                values = sorted(table[name].dropna().unique(), key=str)
                rows[name] = pd.Categorical(rows[name], categories=values)
    return rows


def _list_files(coded: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(where.partition("[")[0] for where in coded.values()))


def _list_steps(steps: Sequence[Step]) -> str:
    return f"with {', then '.join(step.where for step in steps)} before it"


def _without(transformers: Sequence[Transformer]) -> str:
    return f"without {' and '.join(part.where for part in transformers)}"


def make_inverse(text: str) -> Inverse:
    """Make the inverse of a target's transformation.

    Args:
        text: "exp", "expm1", "exp10", "square", or "scale" and a factor.

    Raises:
        AddError: if it is none of these.
    """
    functions = {
        "exp": (np.log, np.exp),
        "expm1": (np.log1p, np.expm1),
        "square": (np.sqrt, np.square),
    }
    if text in functions:
        forth, back = functions[text]
        return Inverse(
            f"answers turned back by {text}",
            back,
            lambda fitted: _wrap(fitted, FunctionTransformer(forth, back), forth, back),
        )
    if text == "exp10":
        scaled, exp = _scale(_LN_10), make_inverse("exp")
        return Inverse(
            "answers turned back by exp10",
            lambda answers: np.exp(answers * _LN_10),
            lambda fitted: exp.wrap(scaled.wrap(fitted)),
        )
    word, _, factor = text.partition(" ")
    try:
        number = float(factor)
    except ValueError:
        number = 0.0
    if word != "scale" or not np.isfinite(number) or number == 0:
        raise AddError(
            f'--target-inverse {text!r}: write exp, expm1, exp10, square, or "scale 1000".'
        )
    return _scale(number)


def _scale(factor: float) -> Inverse:
    scaler = StandardScaler().fit(np.zeros((1, 1)))
    scaler.scale_ = np.array([factor])
    return _invert_scaler(scaler, f"answers times {factor:g}")


def _invert_scaler(scaler: Any, words: str) -> Inverse:
    def invert(answers: Float64Array) -> Float64Array:
        inverted: Float64Array = scaler.inverse_transform(answers.reshape(-1, 1)).ravel()
        return inverted

    return Inverse(words, invert, lambda fitted: _wrap(fitted, scaler))


def _wrap(fitted: Any, transformer: Any, func: Any = None, inverse: Any = None) -> Any:
    """A model whose answers are transformed back, as if it had been fitted so."""
    made = TransformedTargetRegressor(
        regressor=fitted,
        transformer=None if func else transformer,
        func=func,
        inverse_func=inverse,
    )
    made.regressor_, made.transformer_, made._training_dim = fitted, transformer, 1
    if hasattr(fitted, "feature_names_in_"):
        made.feature_names_in_ = fitted.feature_names_in_
    return made


def _join(steps: Sequence[Any], estimator: Any) -> Pipeline:
    """A pipeline of fitted steps, of which the first alone knows the names of its inputs."""
    inner = [forget_names(step) for step in [*steps[1:], estimator]]
    named = [(f"step_{number}", step) for number, step in enumerate([steps[0], *inner[:-1]])]
    return Pipeline([*named, ("model", inner[-1])])


def build(assembly: Assembly, estimator: Any, table: pd.DataFrame) -> Any:
    """Put an assembly together as an ordinary fitted estimator on raw columns.

    Args:
        assembly: which parts, and how.
        estimator: the fitted model.
        table: rows of the data, whose columns' names and types are kept.
    """
    if assembly.fitted is not None:
        fitted = assembly.fitted
    else:
        steps = [step.fitted for step in assembly.steps]
        names = [item.source for item in assembly.inputs]
        plain = all(item.is_plain for item in assembly.inputs) and len(set(names)) == len(names)
        known = getattr(steps[0] if steps else estimator, "feature_names_in_", None)
        if plain and (known is None or list(known) == names):
            fitted = _join(steps, estimator) if steps else estimator
        else:
            encoder = make_encoder(assembly.inputs, table)
            fitted = _join([encoder, *steps], estimator)
    return assembly.inverse.wrap(fitted) if assembly.inverse else fitted


def answer(assembly: Assembly, estimator: Any, kind: OutputKind, rows: Any) -> Float64Array:
    """Answer inputs, shape (rows, inputs), or a table of the raw columns.

    Returns:
        Values, shape (rows,), or probabilities, shape (rows, classes), before the inverse.
    """
    if assembly.fitted is not None:
        return predict_quietly(assembly.fitted, kind, rows)
    return ask_model(estimator, kind, run_steps(assembly.steps, rows))


def ask_model(estimator: Any, kind: OutputKind, values: Float64Array) -> Float64Array:
    """Answer what the model itself takes, shape (rows, inputs).

    Returns:
        Values, shape (rows,), or probabilities, shape (rows, classes).
    """
    names = getattr(estimator, "feature_names_in_", None)
    rows = values if names is None else pd.DataFrame(values, columns=names)
    return predict_quietly(estimator, kind, rows)


def predict_quietly(estimator: Any, kind: OutputKind, rows: Any) -> Float64Array:
    """Answer rows; nobody could change here what the estimator warns of.

    Returns:
        Values, shape (rows,), or probabilities, shape (rows, classes).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind.predict(estimator, rows)
