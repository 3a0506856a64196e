"""Line numbers in a card."""

import re


def find_line(text: str, loc: tuple[int | str, ...]) -> int | None:
    """The line of a TOML text on which ``loc`` (table, index, key) stands, counted from 1.

    Knows the layout of a card: top-level keys, tables, and arrays of tables. Anything deeper gets
    the line of its table; None means that the text has no such table.
    """
    table = str(loc[0]) if loc else ""
    index = loc[1] if len(loc) > 1 and isinstance(loc[1], int) else None
    keys = [str(part) for part in loc if not isinstance(part, int)]
    header = re.compile(rf"^\[\[?{re.escape(table)}\]?\]")
    tables, start, at_top = -1, None, True
    for number, line in enumerate(text.splitlines(), start=1):
        if start is not None and line.startswith("["):
            break
        if header.match(line):
            tables += 1
            if index is None or tables == index:
                start = number
        elif (start is not None or (at_top and len(keys) == 1)) and re.match(
            rf"^{re.escape(keys[-1])}\s*=", line
        ):
            return number
        at_top = at_top and not line.startswith("[")
    return start
