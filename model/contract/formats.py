"""The formats of card and manifest: earlier ones are read, with a message that says how to upgrade.

Format 1 has no ``format``. Its card has other names for some keys of a field, and says its kind in
``output.kind``, or by its field where that is a picture. A manifest of format 2 has an interval of
one width for all predictions, and a bare temperature.
"""

import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from model.contract.errors import ModelError

FIELD_KEYS = {
    "because": "reason_text",
    "compared": "comparison_text",
    "more": "larger_text",
    "less": "smaller_text",
    "none": "zero_text",
    "article": "determiner",
    "counted": "count_text",
}
"""Keys of a field: the name in format 1, and the name in format 2."""

_KINDS = {"number": "number", "class": "classes"}
"""The card's kind by the ``output.kind`` of format 1."""

_logger = logging.getLogger(__name__)

Data = dict[str, Any]
"""A parsed card or manifest."""


def _upgrade_card_1(card: Data) -> Data:
    made, fields, output = {"format": 2, **card}, card.get("fields"), card.get("output")
    if isinstance(output, dict) and "kind" in output:
        made["kind"] = _KINDS.get(str(output["kind"]), "")
        made["output"] = {key: value for key, value in output.items() if key != "kind"}
    if isinstance(fields, list):
        made["fields"] = _rename_keys(fields, FIELD_KEYS)
        if any(isinstance(field, dict) and field.get("kind") == "image" for field in fields):
            made["kind"] = "pictures"
    return made


def _upgrade_manifest_1(manifest: Data) -> Data:
    made: Data = {"format": 2, **_rename_keys(manifest, {"support": "ood_thresholds"})}
    if "golden" in made:
        made["golden"] = _rename_keys(made["golden"], {"strangeness": "ood_score"})
    if isinstance(calibration := made.get("calibration"), dict):
        groups = _rename_keys(calibration.get("groups"), {"support": "ood_threshold"})
        made["calibration"] = {**calibration, "groups": groups}
    return made


def _upgrade_manifest_2(manifest: Data) -> Data:
    made: Data = {**manifest, "format": 3}
    if isinstance(calibration := made.get("calibration"), dict):
        groups = calibration.get("groups")
        if isinstance(groups, list):
            groups = [_make_one_knot(group) for group in groups]
        made["calibration"] = {**calibration, "groups": groups}
    if (temperature := made.pop("temperature", None)) is not None:
        made["probabilities"] = {"temperature": temperature}
    return made


def _make_one_knot(group: Any) -> Any:
    """Write the same ends for all predictions as those at one of them."""
    if not isinstance(group, dict) or not isinstance(group.get("low"), int | float):
        return group
    others = {key: value for key, value in group.items() if key not in ("low", "high")}
    return {**others, "knots": [0.0], "lows": [-group["low"]], "highs": [group.get("high")]}


def _rename_keys(found: Any, names: dict[str, str]) -> Any:
    """Rename the keys of a table, or of each in a list; a key that is there twice is refused."""
    if isinstance(found, list):
        return [_rename_keys(item, names) for item in found]
    if not isinstance(found, dict):
        return found
    return {
        key if names.get(key) in found else names.get(key, key): value
        for key, value in found.items()
    }


CARD_STEPS: dict[int, Callable[[Data], Data]] = {1: _upgrade_card_1}
"""Makes a card of the next format, by the format it has."""

MANIFEST_STEPS: dict[int, Callable[[Data], Data]] = {
    1: _upgrade_manifest_1,
    2: _upgrade_manifest_2,
}
"""The same for a manifest."""

CARD_FORMAT = max(CARD_STEPS) + 1
"""The present format of a card."""


def upgrade(data: Any, steps: dict[int, Callable[[Data], Data]], path: Path) -> Any:
    """Bring a parsed card or manifest into the present format.

    It logs once for each folder that this is deprecated, and which command rewrites the files.

    Args:
        data: the parsed file.
        steps: ``CARD_STEPS`` or ``MANIFEST_STEPS``.
        path: the file, for the messages.

    Raises:
        ModelError: for a format that is not known.
    """
    present = max(steps) + 1
    if not isinstance(data, dict) or data.get("format", 1) == present:
        return data
    number = data.get("format", 1)
    if not isinstance(number, int) or number not in steps:
        raise ModelError(f"{path}: format must be {present} or less, not {number!r}.")
    _log_once(
        f"{path.parent} has files in format {number}, which is deprecated. Rewrite them: "
        f"flask --app wsgi model upgrade {path.parent.name.replace('_', '-')}"
    )
    while number < present:
        data, number = steps[number](data), number + 1
    return data


@cache
def _log_once(message: str) -> None:
    _logger.warning(message)
