"""Reads pickle and joblib files as inert data: no class of a file is imported, none of it runs."""

from __future__ import annotations

from pathlib import Path

from model.contract.pickles.byte_source import open_source
from model.contract.pickles.errors import PickleError
from model.contract.pickles.limits import check_values
from model.contract.pickles.opcodes import Unpickler
from model.contract.pickles.records import GlobalName, Opened, Record

__all__ = ["GlobalName", "Opened", "PickleError", "Record", "read_pickle"]


def read_pickle(path: Path) -> Opened:
    """Read a pickle (protocols 0 to 5, of Python 2, too) or joblib file, compressed or not.

    Raises:
        PickleError: if it is none, is damaged, or asks for more than a model of its size needs.
    """
    try:
        with open_source(path) as (source, budget, compression):
            unpickler = Unpickler(source, budget)
            root = unpickler.load()
            check_values(root)
            return Opened(
                root,
                frozenset(unpickler.names),
                frozenset(unpickler.versions),
                unpickler.protocol,
                "joblib" if unpickler.uses_joblib else "pickle",
                compression,
                source.has_more(),
            )
    except PickleError:
        raise
    except Exception as error:  # what damaged bytes raise depends on where they are damaged
        raise PickleError("The file is damaged, or is no pickle.") from error
