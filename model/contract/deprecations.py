"""Old names of a card's keys: still read, with a message that gives the new name."""

import logging
from functools import cache
from pathlib import Path
from typing import Any

from model.contract.errors import ModelError
from model.contract.lines import find_line

FIELD_KEYS = {
    "because": "reason_text",
    "compared": "comparison_text",
    "more": "larger_text",
    "less": "smaller_text",
    "none": "zero_text",
    "article": "determiner",
    "counted": "count_text",
}
"""Keys of a field: the old name, and the new one."""

_logger = logging.getLogger(__name__)


def rename_old_keys(data: dict[str, Any], path: Path, text: str) -> None:
    """Give the fields of a card that was just parsed the new names of their keys.

    Logs a warning for each old name. A process logs each warning once, because a command reads the
    same card several times.

    Args:
        data: the parsed card, changed in place.
        path: its file, for the messages.
        text: its text, for the line numbers.

    Raises:
        ModelError: if a field has both names of a key.
    """
    fields = data.get("fields")
    problems = []
    for index, field in enumerate(fields if isinstance(fields, list) else []):
        for old in sorted(FIELD_KEYS.keys() & field) if isinstance(field, dict) else []:
            new = FIELD_KEYS[old]
            where = f"{path}, line {find_line(text, ('fields', index, old))}"
            if new in field:
                problems.append(f"{where}: {old} is the old name of {new}. Remove one of the two.")
                continue
            field[new] = field.pop(old)
            _log_once(f"{where}: {old} is deprecated. Write {new} instead.")
    if problems:
        raise ModelError(*problems)


@cache
def _log_once(message: str) -> None:
    _logger.warning(message)
