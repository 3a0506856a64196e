"""The error of a model that cannot be served, and sentences that several of its messages share."""

from collections.abc import Callable

MAKE_AGAIN = "Make the model again: `model draft`, which keeps the card, or `make train`."
OR_MAKE_AGAIN = "Or make the model again: `model draft`, which keeps the card, or `make train`."
KEEP_CLASSES = (
    "The values of the classes, and their order, must stay as they were when the model was made; "
    "you may change their labels."
)


class ModelError(Exception):
    """The model cannot be served; each of the ``problems`` says which line to change."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def run_checks(*checks: Callable[[], object]) -> None:
    """Run every check, even after one has failed.

    Raises:
        ModelError: with the problems of all.
    """
    problems: list[str] = []
    for check in checks:
        try:
            check()
        except ModelError as error:
            problems += error.problems
    if problems:
        raise ModelError(*problems)
