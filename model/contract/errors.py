"""What is wrong with a model, in words that say how to fix it."""

from collections.abc import Callable

AGAIN = "Make the model again: `make train`, or `model add` with --force."


AGAIN_OR = "Or make the model again: `make train`, or `model add` with --force."
"""What mends whatever no line of a card can."""


class ModelError(Exception):
    """The model cannot be served; says for each of the ``problems`` which line to change."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


CLASSES = (
    "The values of the classes, and their order, must stay as they were when the model was made; "
    "their labels are yours."
)
"""What holds for the classes of a card."""


def gather(*checks: Callable[[], object]) -> None:
    """Run every check, also where one before it fails.

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
