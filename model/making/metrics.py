"""Figures of a model as its manifest keeps them."""

from model.contract.manifest import Metric

FOLDS = 10
"""Parts of the held-out rows for cross-validation over them."""


def make_metric(name: str, label: str, value: float) -> Metric:
    """Make a figure in the answer's unit or in none, with six significant digits."""
    return Metric(name=name, label=label, value=round_digits(value), share=False)


def make_share(name: str, label: str, value: float) -> Metric:
    """Make a figure that is a share, 0 to 1, with four decimals."""
    return Metric(name=name, label=label, value=round(value, 4))


def round_digits(value: float) -> float:
    """Round to six significant digits."""
    return float(f"{value:.6g}")
