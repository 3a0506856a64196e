"""What adding a model does by the kind of its answer: one file a kind, listed here.

It may import the modules of ``making`` that know nothing of a model's file.
"""

from model.making.kinds.classes import ClassesKind
from model.making.kinds.clusters import ClustersKind
from model.making.kinds.number import NumberKind
from model.making.kinds.outliers import OutliersKind

KINDS: dict[str, type[ClassesKind | NumberKind]] = {
    kind.name: kind for kind in (NumberKind, ClassesKind, ClustersKind, OutliersKind)
}
"""The kinds of models that a person can add, by the name that a card gives them."""
