"""The picture of the rooms: every folder of code as a box, every import as an arrow."""

from collections import defaultdict
from collections.abc import Iterable
from graphlib import TopologicalSorter
from itertools import pairwise

import grimp

WIDTH, HEIGHT = 132, 34
"""Pixels of a box."""

LANE = 18
"""Pixels that an arrow takes in a row that it passes."""

GAP, STEP, MARGIN, HEAD = 16, 88, 24, 4
"""Pixels between boxes of a row, from row to row, around all, and of an arrow's head."""

STYLE = """
  .paper { fill: #ffffff } .box { stroke-width: 1.2 } text { fill: #1f2328 }
  .app { fill: #ddf4ff; stroke: #0969da } .model { fill: #dafbe1; stroke: #1a7f37 }
  .arrow { fill: none; stroke: #6e7781; marker-end: url(#head) } .head { fill: #6e7781 }
  text { font: 12px system-ui, sans-serif; text-anchor: middle }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } text { fill: #e6edf3 }
    .app { fill: #0c2d6b; stroke: #58a6ff } .model { fill: #033a16; stroke: #3fb950 }
    .arrow { stroke: #8b949e } .head { fill: #8b949e }
  }
"""

Imports = dict[str, set[str]]
"""The rooms that each room imports."""

Node = tuple[int, str]
"""A row and what stands in it: a room, or an arrow that passes, as "from>to"."""


def draw_rooms(*packages: str) -> str:
    """An SVG of the rooms of the packages, each above all that it imports.

    Raises:
        CycleError: if rooms import each other in a circle.
    """
    imports = room_imports(*packages)
    row_of = rows_of(imports)
    arrows = arrows_of(direct(imports), row_of)
    place = places_of({(row, room) for room, row in row_of.items()}, arrows)
    half = max(abs(x) for x in place.values()) + WIDTH / 2 + MARGIN
    height = max(row_of.values()) * STEP + HEIGHT + 2 * MARGIN
    parts = [f'<path class="arrow" d="{_line(arrow, place)}"/>' for arrow in arrows]
    for room, row in row_of.items():
        x, y = place[row, room], row * STEP
        parts.append(
            f'<rect class="box {room.partition(".")[0]}" x="{x - WIDTH / 2:.0f}" y="{y}" '
            f'width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
            f'<text x="{x:.0f}" y="{y + HEIGHT / 2 + 4:.0f}">{room}</text>'
        )
    view = f"{-half:.0f} {-MARGIN} {2 * half:.0f} {height}"
    body = "\n".join(parts)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" role="img">
<title>The rooms of the code; an arrow leads from a room to one that it imports</title>
<style>{STYLE}</style>
<marker id="head" refX="3" refY="3" markerWidth="6" markerHeight="6" orient="auto">
<path class="head" d="M0 0L6 3L0 6z"/>
</marker>
<rect class="paper" x="{-half:.0f}" y="{-MARGIN}" width="{2 * half:.0f}" height="{height}"/>
{body}
</svg>
"""


def room_imports(*packages: str) -> Imports:
    """The rooms that each room imports; a room is a folder or a module right below a package.

    Imports for type checkers alone don't count: they are gone when the code runs.
    """
    graph = grimp.build_graph(*packages, exclude_type_checking_imports=True, cache_dir=None)
    imports: Imports = defaultdict(set)
    for module in graph.modules:
        room = room_of(module)
        found = {room_of(other) for other in graph.find_modules_directly_imported_by(module)}
        imports[room] |= found - {room}
    return {room: imports[room] for room in sorted(imports)}


def room_of(module: str) -> str:
    """The room in which a module is."""
    return ".".join(module.split(".")[:2])


def rows_of(imports: Imports) -> dict[str, int]:
    """The row of each room, 0 at the top: right above the highest of those that it imports."""
    level: dict[str, int] = {}
    for room in TopologicalSorter(imports).static_order():
        level[room] = 1 + max((level[target] for target in imports[room]), default=-1)
    top = max(level.values())
    return {room: top - level[room] for room in sorted(level)}


def direct(imports: Imports) -> Imports:
    """The imports that do not follow from others: an arrow for each of all would hide them."""
    reached: Imports = {}
    for room in TopologicalSorter(imports).static_order():
        reached[room] = imports[room].union(*(reached[target] for target in imports[room]))
    return {
        room: targets - set().union(*(reached[target] for target in targets))
        for room, targets in imports.items()
    }


def arrows_of(imports: Imports, row_of: dict[str, int]) -> list[list[Node]]:
    """Each import as the nodes through which its arrow goes, one a row."""
    arrows = []
    for room, targets in imports.items():
        for target in sorted(targets):
            first, last = row_of[room], row_of[target]
            passed = [(row, f"{room}>{target}") for row in range(first + 1, last)]
            arrows.append([(first, room), *passed, (last, target)])
    return arrows


def places_of(rooms: set[Node], arrows: list[list[Node]]) -> dict[Node, float]:
    """The middle of each node in pixels, 0 in the middle of its row.

    Each row is sorted by where its arrows come from or lead to, a few times down and up, so that
    few of them cross.
    """
    above: dict[Node, list[Node]] = defaultdict(list)
    below: dict[Node, list[Node]] = defaultdict(list)
    for arrow in arrows:
        for upper, lower in pairwise(arrow):
            above[lower].append(upper)
            below[upper].append(lower)
    rows: dict[int, list[Node]] = defaultdict(list)
    for node in sorted(rooms.union(*arrows)):
        rows[node[0]].append(node)
    place: dict[Node, float] = {}
    for row in rows.values():
        place |= _spread(row)
    for near, numbers in [(above, sorted(rows)), (below, sorted(rows, reverse=True))] * 3:
        for number in numbers:
            mean = {
                node: sum(place[other] for other in near[node]) / len(near[node])
                if near[node]
                else place[node]
                for node in rows[number]
            }
            place |= _spread(sorted(rows[number], key=lambda node: (mean[node], node)))
    return place


def _spread(row: Iterable[Node]) -> dict[Node, float]:
    """The nodes of a row side by side, in this order."""
    place, x = {}, 0.0
    for node in row:
        width = LANE if ">" in node[1] else WIDTH
        place[node] = x + width / 2
        x += width + GAP
    return {node: middle - (x - GAP) / 2 for node, middle in place.items()}


def _line(arrow: list[Node], place: dict[Node, float]) -> str:
    """The path of an arrow: down from its room, past the boxes of each row, to the other room."""
    x, y = place[arrow[0]], arrow[0][0] * STEP + HEIGHT
    line = f"M{x:.0f} {y}"
    for node in arrow[1:]:
        end, top = place[node], node[0] * STEP
        if node == arrow[-1]:
            top -= HEAD
        bend = (y + top) / 2
        line += f"C{x:.0f} {bend:.0f} {end:.0f} {bend:.0f} {end:.0f} {top}"
        if node != arrow[-1]:
            line += f"V{top + HEIGHT}"
        x, y = end, top + HEIGHT
    return line
