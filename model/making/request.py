"""What a person asks for when they add a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from model.making.columns import Kind

Note = Callable[[str], object]
"""Takes what the person should know of what was found on the way, one sentence or two."""


@dataclass(frozen=True)
class Request:
    """What a person asks for.

    ``features`` are the columns of a model that does not know their names, in its order;
    ``classes`` the names of its classes, in its order; ``kinds`` what columns are where the guess
    would be wrong; ``required`` columns that are always asked for, although it answers without.
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
    required: tuple[str, ...] = ()
    coverage: float = 0.9
    force: bool = False
