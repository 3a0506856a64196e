"""What a pickle holds, as inert data: nothing here is an object of a class that the file names."""

from dataclasses import dataclass, field
from typing import Any, Literal

Container = Literal["pickle", "joblib", "skops"]
Compression = Literal["", "gzip", "zlib", "bz2", "xz", "lzma", "lz4"]


@dataclass(frozen=True, slots=True)
class GlobalName:
    """A class or function that the file names without making anything of it.

    Its path is ``module.name`` as the file says, with today's names of Python's own modules
    (``builtins``, ``copyreg``) and ``numpy.core`` for NumPy 2's ``numpy._core``.
    """

    path: str


@dataclass(eq=False, slots=True)
class Record:
    """An object of a class of the file, or the result of a call that the file asks for.

    Values are None, bool, int, float, complex, str, bytes, bytearray, list, tuple, dict (ordered
    and default ones, too), set, frozenset, slice, NumPy scalars, arrays and dtypes (native byte
    order), ``GlobalName`` and records. The cells of an array of objects are values, too. Values
    may be shared, and may hold themselves. Keys and members of sets are str, bytes, int, float,
    bool or None.
    """

    path: str
    """Of its class, or of the function that makes it, as in ``GlobalName``."""
    args: tuple[object, ...] = ()
    """What it is made with; the values of keyword arguments come last."""
    state: object = None
    """Its attributes, mostly a dict with str as keys; None where it has none."""
    items: list[object] = field(default_factory=list)
    """What is appended to it."""
    pairs: list[tuple[object, object]] = field(default_factory=list)
    """The keys and values that are set in it."""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]

    @property
    def attributes(self) -> dict[Any, Any]:
        """Its attributes by their names; none where its state is something else."""
        return self.state if isinstance(self.state, dict) else {}

    def __repr__(self) -> str:
        return f"<record of {self.path}>"  # its values may hold it, or be of any size


@dataclass(frozen=True, slots=True)
class Opened:
    """A file, read."""

    root: object
    """Its value, of the kinds that ``Record`` lists."""
    names: frozenset[str]
    """The path of every class and function that it names."""
    versions: frozenset[str]
    """The releases of scikit-learn that its estimators say they were saved by."""
    container: Container
    compression: Compression
    more: bool
    """Whether bytes follow the value, such as a second pickle."""
