"""The estimator in a joblib or pickle file, and why it is not served, in words for people."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import joblib

from model.contract.pickles import PickleError, read_pickle
from model.contract.pickles.errors import printable
from model.making.errors import AddError
from model.making.estimator_sources import EstimatorSource, describe_estimator
from model.making.file_contents import name_content
from model.serving.estimators import UnknownNameError, revive

_LIBRARIES = frozenset(
    {
        "_codecs",
        "builtins",
        "collections",
        "copyreg",
        "joblib",
        "numpy",
        "pandas",
        "scipy",
        "sklearn",
    }
)
"""Where the names come from that honest files hold; what is not known of them is named, too."""

_MOST_NAMES = 5


def open_estimator(path: Path, trust: bool) -> EstimatorSource:
    """Open a joblib or pickle file as inert data, and make its estimator from that.

    Args:
        path: the file.
        trust: whether its code may run where it needs a class or function that is not known here.

    Raises:
        AddError: if it is no fitted regressor or classifier, would answer otherwise with the
            installed scikit-learn, or needs code of its own without trust.
    """
    names: frozenset[str] = frozenset()
    releases: frozenset[str] = frozenset()
    try:
        opened = read_pickle(path)
        names, releases = opened.names, opened.versions
        return describe_estimator(revive(opened.root), str(path))
    except UnknownNameError as error:
        if not trust:
            raise AddError(
                f"{path} needs what is not known here: {_list_names(error.path, names)}. Loading "
                "the file runs its code. If you made it, or trust who did, add --trust to the "
                "command."
            ) from error
    except PickleError as error:
        # What this very release saved answers as it did, once its code may run.
        same_release = releases == {version("scikit-learn")}
        if not (trust and same_release):
            content = name_content(path)
            raise AddError(
                f"{path} is {content}, not a joblib or pickle file. Name the file of the fitted "
                "model."
                if content
                else f"{path} cannot be served without its own code. {error} Loading the file runs "
                "its code. If you made it, or trust who did, add --trust to the command."
                if same_release
                else f"{path} cannot be served. {error}"
            ) from error
    return replace(_load_estimator(path), runs_code=True)


def _list_names(path: str, names: Iterable[str]) -> str:
    """The names that are not known, the one that was needed first."""
    foreign = {printable(name) for name in names if name.partition(".")[0] not in _LIBRARIES}
    listed = [path, *sorted(foreign - {path})]
    more = f" and {len(listed) - _MOST_NAMES} more" if len(listed) > _MOST_NAMES else ""
    return ", ".join(listed[:_MOST_NAMES]) + more


def _load_estimator(path: Path) -> EstimatorSource:
    """Load a joblib or pickle file; that runs whatever code is in it.

    Raises:
        AddError: if it is no fitted regressor or classifier, or does not load.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # golden rows show whether it answers as it did
        try:
            fitted = joblib.load(path)
        except ModuleNotFoundError as error:
            raise AddError(
                f"{path} needs the Python module {error.name!r}, which is not installed here. "
                "Install it, or export the model to ONNX and add that file."
            ) from error
        except AttributeError as error:
            raise AddError(
                f"{path} needs code that is not in the file: {error}. Move that code from the "
                "script or notebook into a module that can be imported here, then fit the model "
                "and save it again."
            ) from error
        except Exception as error:  # what joblib raises depends on the file's bytes
            raise AddError(
                f"{path} does not load ({type(error).__name__}). It is damaged, or was saved by "
                "other versions of its libraries. Save it again here."
            ) from error
    return describe_estimator(fitted, str(path))
