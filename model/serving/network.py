"""A network of a table in ONNX as an estimator, behind the steps of its author's other files."""

from typing import Any

import numpy as np
from scipy.sparse import issparse
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from model.contract.arrays import Float64Array, FloatArray
from model.serving.predictors import open_session, run_session

LEAST_SHARE = 1e-12
"""What shares of classes are divided by at least."""


class _Network(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A network with one input, of shape (rows, features), and one output.

    Attributes:
        content_: the ONNX model.
        n_features_in_: the columns that it takes.
    """

    content_: bytes
    n_features_in_: int
    _session: Any = None

    def fit(self, rows: Any, truth: Any = None) -> "_Network":
        """Return the network itself: another library has fitted it."""
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_session"}

    def compute(self, rows: Any) -> Float64Array:
        """Answer a matrix of shape (rows, features): shape (rows, outputs)."""
        if self._session is None:
            self._session = open_session(self.content_)
        session = self._session
        (given,), (made,) = session.get_inputs(), session.get_outputs()
        dtype = np.float64 if given.type == "tensor(double)" else np.float32
        matrix: FloatArray = np.asarray(rows.toarray() if issparse(rows) else rows, dtype=dtype)
        (answers,) = run_session(session, [made.name], given.name, matrix)
        return answers.reshape(len(matrix), -1).astype(np.float64)


class NetworkRegressor(RegressorMixin, _Network):  # type: ignore[misc]  # as above
    """A network that answers numbers."""

    def predict(self, rows: Any) -> Float64Array:
        """Answer numbers, shape (rows,) or (rows, outputs), to a matrix (rows, features)."""
        answers = self.compute(rows)
        return answers[:, 0] if answers.shape[1] == 1 else answers


class NetworkClassifier(ClassifierMixin, _Network):  # type: ignore[misc]  # as above
    """A network that answers probabilities, or their logits.

    Attributes:
        classes_: of two, one output is that of the second.
        link_: what makes probabilities of the outputs: logistic, softmax, or identity, by which
            shares end at 0 and 1, and of more classes than two add up to 1.
    """

    classes_: Any
    link_: str

    def decision_function(self, rows: Any) -> Float64Array:
        """Answer the last class's probability as it is learned, shape (rows,).

        It may leave 0 to 1, and is no signed distance; a Pipeline hands on no method of another
        name.
        """
        answers = self.compute(rows)[:, -1]
        return np.asarray(expit(answers)) if self.link_ == "logistic" else answers

    def predict_proba(self, rows: Any) -> Float64Array:
        """Answer probabilities, shape (rows, classes), to a matrix of shape (rows, features)."""
        answers = self.compute(rows)
        if self.link_ == "softmax":
            return np.asarray(softmax(answers, axis=1))
        answers = expit(answers) if self.link_ == "logistic" else answers.clip(0, 1)
        if answers.shape[1] == 1:
            return np.hstack([1 - answers, answers])
        return np.asarray(answers / answers.sum(axis=1, keepdims=True).clip(LEAST_SHARE))

    def predict(self, rows: Any) -> Any:
        """Answer the likeliest class of each row, shape (rows,)."""
        return self.classes_[self.predict_proba(rows).argmax(axis=1)]
