"""Why a record is not made into an estimator."""

from model.contract.pickles.errors import PickleError, printable


class UnknownNameError(PickleError):
    """The model needs a class or function that is not of scikit-learn, or not known here.

    Attributes:
        path: its ``module.name`` as the file says.
    """

    def __init__(self, path: str) -> None:
        self.path = printable(path)
        super().__init__(f"It needs {self.path}, which is not known here.")


class MismatchError(Exception):
    """A value is not of the kind that it has to be."""
