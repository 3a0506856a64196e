"""What adding a model does by the kind of its answer: one file a kind, listed here.

It may import the modules of ``making`` that know nothing of a model's file.
"""

from collections.abc import Sequence

from model.making.errors import AddError
from model.making.kinds.classes import ClassesKind
from model.making.kinds.clusters import ClustersKind
from model.making.kinds.multioutput import MultioutputKind
from model.making.kinds.number import NumberKind
from model.making.kinds.outliers import OutliersKind
from model.making.kinds.output_kind import OutputKind

KINDS: dict[str, type[ClassesKind | NumberKind]] = {
    kind.name: kind
    for kind in (NumberKind, ClassesKind, ClustersKind, OutliersKind, MultioutputKind)
}
"""The kinds of models that a person can add, by the name that a card gives them."""


def choose_kind(kind: OutputKind, targets: Sequence[str]) -> OutputKind:
    """Return the kind of a model that answers so, where the data have these truths.

    Args:
        kind: how its estimator answers.
        targets: the columns with a truth each; none where the data do not have it.

    Raises:
        AddError: if it cannot answer several.
    """
    if len(targets) < 2:
        return kind
    if kind.name != NumberKind.name:
        raise AddError(
            f"--target names {len(targets)} columns, and only a model of numbers answers several. "
            "Name the one that it was fitted to, or fit it anew to one of them."
        )
    return MultioutputKind(tuple(targets))
