"""What adding a model does by the kind of its answer: one file a kind, listed here.

It may import the modules of ``making`` that know nothing of a model's file.
"""

from model.making.kinds.classes import ClassesKind
from model.making.kinds.number import NumberKind

KINDS: dict[str, type[ClassesKind | NumberKind]] = {
    kind.name: kind for kind in (NumberKind, ClassesKind)
}
"""The kinds of models that a person can add, by the name that a card gives them."""
