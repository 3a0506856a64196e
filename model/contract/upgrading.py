"""Rewrites the files of a model's folder in the present format."""

import re
import tomllib
from pathlib import Path

from model.contract.errors import ModelError
from model.contract.files import parse_toml, read_json, read_toml, write_json
from model.contract.formats import CARD_FORMAT, CARD_STEPS, FIELD_KEYS, MANIFEST_STEPS, upgrade


def upgrade_folder(folder: Path) -> None:
    """Rewrite card and manifest; the card keeps its comments and its order.

    Raises:
        ModelError: if a file cannot be read, or the card cannot be rewritten line by line.
    """
    card, manifest = folder / "card.toml", folder / "manifest.json"
    data, text = read_toml(card)
    upgraded = upgrade(data, CARD_STEPS, card)
    figures = upgrade(read_json(manifest), MANIFEST_STEPS, manifest)
    rewritten = text if upgraded is data else _rewrite(text, upgraded.get("kind", ""))
    try:
        same = parse_toml(rewritten) == upgraded
    except tomllib.TOMLDecodeError:  # a field has both names of a key
        same = False
    if not same:
        raise ModelError(f"{card} cannot be rewritten: write each key on a line of its own, once.")
    card.write_text(rewritten, encoding="utf-8")
    write_json(manifest, figures)


def _rewrite(text: str, kind: str) -> str:
    """Change the lines of a card of format 1."""
    lines: list[str] = []
    table, first = "", None
    for line in text.splitlines(keepends=True):
        key = re.match(r"\w+(?=\s*=)", line)
        if header := re.match(r"\[\[?(\w+)\]", line):
            table = header[1]
        elif key and table == "output" and key[0] == "kind":
            continue
        elif key and table == "fields":
            line = FIELD_KEYS.get(key[0], key[0]) + line[key.end() :]
        if first is None and (key or header):
            first = len(lines)
        lines.append(line)
    lines.insert(first or 0, f'format = {CARD_FORMAT}\nkind = "{kind}"\n')
    return "".join(lines)
