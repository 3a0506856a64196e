"""What a file of XGBoost says, whatever its form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from model.serving.libraries.trees import AnyArray, TreeArrays


@dataclass
class XGBoostModel:
    """A booster: its trees or coefficients, and what its file says of its columns and answers.

    ``base`` is a margin where ``base_is_margin``. ``groups`` is what each tree adds to, ``ends`` is
    the number of trees after each round. ``targets`` is how many numbers it was fitted to for each
    row.
    """

    objective: str
    base: list[float]
    outputs: int
    features: int
    targets: int = 1
    base_is_margin: bool = False
    trees: list[TreeArrays] = field(default_factory=list)
    groups: Sequence[int] = ()
    ends: Sequence[int] = ()
    coefficients: AnyArray | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    names: Sequence[str] = ()
    categories: Mapping[int, Sequence[Any]] = field(default_factory=dict)
    version: tuple[int, ...] = (0,)
