"""Models that add up terms: the leaves of trees, and columns times coefficients, behind a link.

Boosted trees and generalized linear models of other libraries are all of this form.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from model.contract.arrays import BoolArray, Float64Array, IntArray
from model.serving.libraries.links import FUNCTIONS, INVERSE_LINKS

_MOST_VISITS = 2**21
"""Rows times trees that are looked at together: a few arrays of so many numbers."""


class _AdditiveModel(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The sum of a base, of coefficients and of trees, and the inverse of a link.

    Attributes:
        base_: what is added to each output, shape (outputs,).
        link_: the name of the inverse link.
        coefficients_: shape (terms, outputs), or None; a missing value adds nothing where
            ``skips_missing_``.
        term_of_: the term to which each factor belongs, in order, shape (factors,); None where each
            column is a term.
        factor_column_, factor_function_: of which column a factor is, and what function of it.
        single_: whether columns are rounded to float32 before they are compared.
        strict_: whether a value equal to a threshold goes right.
        unstored_missing_: whether a cell that a sparse matrix does not store is missing, and not 0.
        absent_: the value of each column that stands for a missing one, shape (features,), NaN for
            none; or None.
        roots_: the node in which each tree begins, shape (trees,).
        output_: what each tree adds to, shape (trees,).
        feature_, threshold_, left_, right_, missing_left_, value_: of each node, shape (nodes,);
            a leaf has -1 for its children.
        set_: the set of categories that go left at a node, shape (nodes,); -1 where it compares.
        set_starts_, set_values_: the members of all sets, and where each begins.
    """

    base_: Float64Array
    link_: str
    coefficients_: Float64Array | None = None
    term_of_: Any = None
    factor_column_: Any = None
    factor_function_: Any = None
    skips_missing_: bool = False
    single_: bool = False
    strict_: bool = False
    unstored_missing_: bool = False
    absent_: Float64Array | None = None
    roots_: IntArray
    output_: IntArray
    feature_: IntArray
    threshold_: Float64Array
    left_: IntArray
    right_: IntArray
    missing_left_: BoolArray
    value_: Float64Array
    set_: IntArray
    set_starts_: IntArray
    set_values_: IntArray
    n_features_in_: int

    def fit(self, rows: Any, truth: Any = None) -> "_AdditiveModel":
        """Return the model itself: another library has fitted it."""
        return self

    def compute(self, rows: Any) -> Float64Array:
        """Compute the answers, shape (rows, outputs), to a matrix of shape (rows, features)."""
        if hasattr(rows, "toarray"):
            return np.vstack([self.compute(part) for part in self._fill(rows.tocsr())])
        matrix = np.asarray(rows, dtype=float)
        if self.single_:
            matrix = matrix.astype(np.float32).astype(float)
        if self.absent_ is not None:
            matrix = np.where(matrix == self.absent_, np.nan, matrix)
        sums = np.tile(self.base_, (len(matrix), 1))
        if self.coefficients_ is not None:
            terms = np.nan_to_num(matrix, nan=0.0) if self.skips_missing_ else matrix
            if self.term_of_ is not None:
                terms = self._multiply(matrix)
            sums += terms @ self.coefficients_
        if len(self.roots_):
            size = max(_MOST_VISITS // len(self.roots_), 1)
            for start in range(0, len(matrix), size):
                leaves = self._find_leaves(matrix[start : start + size])
                for output in range(len(self.base_)):
                    of_output = leaves[:, self.output_ == output]
                    sums[start : start + size, output] += self.value_[of_output].sum(axis=1)
        with np.errstate(all="ignore"):
            return INVERSE_LINKS[self.link_](sums)

    def _fill(self, rows: Any) -> Iterator[Float64Array]:
        """Yield a sparse matrix in parts that are none: a vectoriser may know many words."""
        size = max(_MOST_VISITS // max(rows.shape[1], 1), 1)
        for start in range(0, max(rows.shape[0], 1), size):
            part = rows[start : start + size]
            matrix = part.toarray().astype(float)
            if self.unstored_missing_:
                stored = part.astype(bool)
                stored.data[:] = True  # also a 0
                matrix[~stored.toarray()] = np.nan
            yield matrix

    def _multiply(self, matrix: Float64Array) -> Float64Array:
        """The product of each term's factors, shape (rows, terms)."""
        with np.errstate(all="ignore"):  # of a logarithm there may be none
            factors = [
                FUNCTIONS[name](matrix[:, column])
                for name, column in zip(self.factor_function_, self.factor_column_, strict=True)
            ]
        starts = np.flatnonzero(np.diff(self.term_of_, prepend=-1))
        products: Float64Array = np.multiply.reduceat(np.column_stack(factors), starts, axis=1)
        return products

    def _find_leaves(self, rows: Float64Array) -> IntArray:
        """The leaf that each row reaches in each tree, shape (rows, trees)."""
        nodes = np.tile(self.roots_, len(rows))
        places = np.arange(len(nodes))
        members = self._list_members()
        while len(places := places[self.left_[nodes[places]] >= 0]):
            node = nodes[places]
            value = rows[places // len(self.roots_), self.feature_[node]]
            threshold = self.threshold_[node]
            left = value < threshold if self.strict_ else value <= threshold
            if members.size:
                chosen = self.set_[node] >= 0
                left[chosen] = _is_member(members, self.set_[node[chosen]], value[chosen])
            missing = np.isnan(value)
            left[missing] = self.missing_left_[node[missing]]
            nodes[places] = np.where(left, self.left_[node], self.right_[node])
        return nodes.reshape(len(rows), len(self.roots_))

    def list_sets(self) -> Iterator[IntArray]:
        """Yield the categories of each set."""
        ends = [*self.set_starts_[1:].tolist(), len(self.set_values_)]
        for start, end in zip(self.set_starts_.tolist(), ends, strict=False):
            yield self.set_values_[start:end]

    def _list_members(self) -> BoolArray:
        """Whether each set has each category, shape (sets, categories)."""
        width = int(self.set_values_.max(initial=-1)) + 1
        members = np.zeros((len(self.set_starts_), width), dtype=bool)
        for number, values in enumerate(self.list_sets()):
            members[number, values] = True
        return members


def _is_member(members: BoolArray, sets: IntArray, values: Float64Array) -> BoolArray:
    width = members.shape[1]
    inside = (values > -1) & (values < width)  # false for NaN; -0.5 counts as 0
    codes = np.where(inside, values, 0).astype(int)
    found: BoolArray = inside & members[sets, codes]
    return found


class AdditiveRegressor(RegressorMixin, _AdditiveModel):  # type: ignore[misc]  # as above
    """An additive model that answers numbers."""

    def predict(self, rows: Any) -> Float64Array:
        """Answer numbers, shape (rows,) or (rows, outputs), to a matrix (rows, features)."""
        answers = self.compute(rows)
        return answers[:, 0] if answers.shape[1] == 1 else answers


class AdditiveClassifier(ClassifierMixin, _AdditiveModel):  # type: ignore[misc]  # as above
    """An additive model that answers probabilities.

    Attributes:
        classes_: of two, one output is the probability of the second.
    """

    classes_: Any

    def predict_proba(self, rows: Any) -> Float64Array:
        """Answer probabilities, shape (rows, classes), to a matrix of shape (rows, features)."""
        answers = self.compute(rows)
        return np.hstack([1 - answers, answers]) if answers.shape[1] == 1 else answers

    def predict(self, rows: Any) -> Any:
        """Answer the likeliest class of each row, shape (rows,)."""
        return self.classes_[self.predict_proba(rows).argmax(axis=1)]
