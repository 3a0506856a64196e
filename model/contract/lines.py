"""Where in the text of a card something stands."""

import re


def line_of(text: str, loc: tuple[int | str, ...]) -> int | None:
    """The line of a TOML text on which ``loc`` (table, index, key) stands, counted from 1.

    Knows the layout of a card: top-level keys, tables, and arrays of tables; anything finer gets
    the line of its table.
    """
    table = str(loc[0]) if loc else ""
    index = loc[1] if len(loc) > 1 and isinstance(loc[1], int) else None
    keys = [str(part) for part in loc if not isinstance(part, int)]
    header = re.compile(rf"^\[\[?{re.escape(table)}\]?\]")
    seen, start, at_top = -1, None, True
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        if header.match(line):
            seen += 1
            if index is None or seen == index:
                start = number
        elif start is not None and line.startswith("["):
            break
        elif (start is not None or (at_top and len(keys) == 1)) and re.match(
            rf"^{re.escape(keys[-1])}\s*=", line
        ):
            return number
        at_top = at_top and not line.startswith("[")
    return start
