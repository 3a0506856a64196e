"""Why what is in a joblib or pickle file is not served, in words, and loading it with its code."""

import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import joblib

from model.contract.formatting import list_some
from model.contract.pickles import Opened, PickleError
from model.contract.pickles.errors import printable
from model.making.errors import AddError
from model.making.sources.estimator_sources import advise_on_new_rows
from model.making.sources.file_contents import advise_content, name_content
from model.serving.code_files import import_code
from model.serving.estimators import UnknownNameError
from model.serving.libraries.statsmodels_results import A_SERIES

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

_EXPORTS = {
    "xgboost": "onnxmltools.convert_xgboost",
    "lightgbm": "onnxmltools.convert_lightgbm",
    "catboost": "save_model('model.onnx', format='onnx')",
    "torch": "torch.onnx.export",
    "keras": "model.export('model.onnx', format='onnx')",
}
"""How models are exported whose pickles hold what only their own library can read."""

_INSIDE = {
    "flaml": "automl.model.estimator",
    "sklearn2pmml": "sklearn.pipeline.Pipeline(pipeline.steps)",
    "sklearn_genetic": "search.best_estimator_",
}
"""Where the model of scikit-learn, XGBoost or LightGBM is in what a library saves around it."""

_SERIES = ("neuralprophet.", "pmdarima.", "prophet.", "sktime.forecasting.", "statsforecast.")
"""What begins the names of models that forecast a series."""

_MOST_NAMES = 5


def refuse_file(path: Path, error: PickleError, opened: Opened | None) -> AddError:
    """Say why there is no estimator in a file, or in a part of it, and what to do.

    Args:
        path: the file.
        error: why it was not read, or the part was not made.
        opened: what was read, if anything was.
    """
    if opened is not None and isinstance(error, UnknownNameError):
        return AddError(
            f"{path} needs what is not known here: {_list_names(error.path, opened.names)}. "
            f"{advise(error.path)}"
        )
    if content := name_content(path):
        advice = advise_content(content) or "Name the file of the fitted model."
        return AddError(f"{path} is {content}, not a joblib or pickle file. {advice}")
    # What this very release saved answers as it did, once its code may run.
    if opened is not None and opened.versions == {version("scikit-learn")}:
        return AddError(
            f"{path} cannot be served without its own code. {error} Loading the file runs its "
            "code. If you made it, or trust who did, add --trust to the command."
        )
    return AddError(f"{path} cannot be served. {error}")


def advise(path: str) -> str:
    """Say how a model can be added that needs a class or function that is not known here.

    Args:
        path: its ``module.name``, as the file says.
    """
    library = path.partition(".")[0]
    name = path.rpartition(".")[2]
    if library in ("sklearn", "hdbscan") and (advice := advise_on_new_rows(name)):
        return advice
    if path.startswith(_SERIES):
        return A_SERIES
    if library == "pycaret":
        return (
            "PyCaret's steps run only beside its own, older scikit-learn. Fit the model that it "
            "chose anew in a Pipeline of scikit-learn, and add that."
        )
    if where := _INSIDE.get(library):
        return (
            f"Save the fitted model inside it, joblib.dump({where}, 'model.joblib'), and add that: "
            "the data show whether it does without what stands around it."
        )
    if path.endswith("<lambda>"):
        return (
            "A lambda has no name by which another process could find it, so --trust does not help "
            "either. Write it as a function with a name into a Python file, fit and save the model "
            "with that function, and add it with --trust --module FILE.py. Or fit without this "
            "step, and write what it computes as --derive, like --derive 'area = log1p(area)'."
        )
    installed = library in sys.modules or find_spec(library) is not None
    if library in _EXPORTS and not installed:
        return f"Export it to ONNX by {_EXPORTS[library]}, and name that file instead."
    code = "Name the Python file with this code by --module FILE.py"
    need = ""
    if library == "__main__":
        need = f" {code}."
    elif not installed:
        need = f" {code}, or install {library}."
    return (
        "Loading the file runs its code. If you made it, or trust who did, add --trust to the "
        f"command.{need}"
    )


@contextmanager
def find_in(path: Path, names: Iterable[str]) -> Iterator[None]:
    """Let what a file names, and a Python file defines, be found where it is looked for.

    Args:
        path: the Python file; importing it runs its code.
        names: each ``module.name`` that the file of the model needs, such as
            ``__main__.Own`` where a notebook saved it.

    Raises:
        AddError: if the Python file cannot be imported.
    """
    if path.suffix != ".py":
        raise AddError(f"--module {path}: name a Python file, which ends in .py.")
    try:
        code = import_code(path)
    except ModuleNotFoundError as error:
        raise AddError(
            f"--module {path} needs the Python module {error.name!r}, which is not installed here. "
            "Install it, or put its code into the same file."
        ) from error
    except (Exception, SystemExit) as error:  # what it raises is up to who wrote it
        raise AddError(
            f"--module {path} does not run: {type(error).__name__}: {printable(str(error))}. It "
            "must hold the classes and functions only that the model needs."
        ) from error
    with ExitStack() as stack:  # `patch` puts back what was there
        for where, _, name in (each.rpartition(".") for each in names):
            found = getattr(code, name, None)
            if getattr(found, "__module__", None) == code.__name__:
                stack.enter_context(
                    patch.object(_import_or_make(where, stack), name, found, create=True)
                )
        yield


def _import_or_make(name: str, stack: ExitStack) -> ModuleType:
    """Import a module; an empty one takes the place of each that is not there, for a while.

    What is really imported stays: imported again, its classes would be others, which nothing saves.
    """
    try:
        return import_module(name)
    except ImportError:
        parent = name.rpartition(".")[0]
        if parent:
            _import_or_make(parent, stack)
        stack.callback(sys.modules.pop, name, None)
        return sys.modules.setdefault(name, ModuleType(name))


def _list_names(path: str, names: Iterable[str]) -> str:
    """The names that are not known, the one that was needed first."""
    foreign = {printable(name) for name in names if name.partition(".")[0] not in _LIBRARIES}
    listed = [path, *sorted(foreign - {path})]
    return list_some(listed, _MOST_NAMES)


def find_other_release(releases: Iterable[str]) -> str:
    """Find a release of scikit-learn that saved a file and is not installed; "" for none."""
    return next((each for each in sorted(releases) if each != version("scikit-learn")), "")


def load_file(path: Path, releases: Iterable[str] = ()) -> Any:
    """Load a joblib or pickle file; that runs whatever code is in it.

    Args:
        path: the file.
        releases: those of scikit-learn that saved what is in it.

    Raises:
        AddError: if it does not load.
    """
    other = find_other_release(releases)
    with warnings.catch_warnings(action="ignore"):  # golden rows show whether it answers as it did
        try:
            return joblib.load(path)
        except (ModuleNotFoundError, AttributeError) as error:
            if other and _is_of_sklearn(error):
                raise AddError(
                    f"{path} was saved by scikit-learn {other}, and {version('scikit-learn')} is "
                    "installed. A file with code of its own loads only with the release that saved "
                    "it. Fit and save it again with the installed one. Or save it without that "
                    "code, and write what the code computes as --derive."
                ) from error
            if isinstance(error, ModuleNotFoundError):
                raise AddError(
                    f"{path} needs the Python module {error.name!r}, which is not installed here. "
                    "Install it, name the Python file with its code by --module, or export the "
                    "model to ONNX and add that file."
                ) from error
            raise AddError(
                f"{path} needs code that is not in the file: {error}. Copy that code from the "
                "script or notebook into a Python file, and name it by --module."
            ) from error
        except Exception as error:  # what joblib raises depends on the file's bytes
            raise AddError(
                f"{path} does not load ({type(error).__name__}). It is damaged, or was saved by "
                "other versions of its libraries. Save it again here."
            ) from error


def _is_of_sklearn(error: ModuleNotFoundError | AttributeError) -> bool:
    """Whether scikit-learn lacks what a file needs."""
    if isinstance(error, AttributeError):
        return "module 'sklearn" in str(error)
    # its compiled losses name themselves without the package around them
    return str(error.name).partition(".")[0] in ("sklearn", "_loss")
