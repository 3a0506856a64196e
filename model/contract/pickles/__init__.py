"""Reads pickle, joblib and skops files as inert data.

No class of a file is imported, and none of it runs.
"""

import zipfile
from pathlib import Path

from model.contract.pickles.byte_source import open_source
from model.contract.pickles.errors import PickleError
from model.contract.pickles.labels import read_labels
from model.contract.pickles.limits import Budget, check_values
from model.contract.pickles.opcodes import Unpickler
from model.contract.pickles.records import GlobalName, Opened, Record
from model.contract.pickles.skops_files import SkopsReader, is_skops

__all__ = ["GlobalName", "Opened", "PickleError", "Record", "read_labels", "read_pickle"]


def read_pickle(path: Path) -> Opened:
    """Read a pickle (protocols 0 to 5, of Python 2, too), joblib or skops file, compressed or not.

    Raises:
        PickleError: if it is none, is damaged, or asks for more than a model of its size needs.
    """
    try:
        if _is_archive(path):
            return _read_skops(path)
        with open_source(path) as (source, budget, compression):
            unpickler = Unpickler(source, budget)
            root = unpickler.load()
            check_values(root)
            return Opened(
                root,
                frozenset(unpickler.names),
                frozenset(unpickler.versions),
                "joblib" if unpickler.uses_joblib else "pickle",
                compression,
                source.has_more(),
            )
    except PickleError:
        raise
    except Exception as error:  # what damaged bytes raise depends on where they are damaged
        raise PickleError("The file is damaged, or is no pickle.") from error


def _is_archive(path: Path) -> bool:
    if not path.is_file():  # opening a named pipe waits for who writes to it
        return False
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _read_skops(path: Path) -> Opened:
    with zipfile.ZipFile(path) as archive:
        if not is_skops(archive):
            raise PickleError("The file is a ZIP archive, and no pickle.")
        packed = any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist())
        reader = SkopsReader(archive, Budget(path.stat().st_size, packed))
        root = reader.load()
    check_values(root)
    names, versions = frozenset(reader.names), frozenset(reader.versions)
    return Opened(root, names, versions, "skops", "", False)
