"""The figures of a soak, each with its goal."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A measured figure; ``met`` says whether it meets its goal."""

    name: str
    measured: str
    goal: str
    met: bool


def make_share(
    name: str, part: int, whole: int, limit: float, reasons: Mapping[str, int] | None = None
) -> Figure:
    """Make the figure for ``part`` of ``whole`` requests; at most the share ``limit`` is allowed.

    A run without any request proves nothing and does not meet its goal. ``reasons`` counts what
    became of the others.
    """
    goal = "none" if limit == 0 else f"at most {limit:.0%}"
    measured = f"{part:,} of {whole:,}" + (f" ({part / whole:.2%})" if part else "")
    if part and reasons:
        measured += ": " + ", ".join(f"{number} {word}" for word, number in reasons.items())
    return Figure(name, measured, goal, whole > 0 and part <= limit * whole)


def format_table(figures: list[Figure]) -> str:
    """Format the figures as a Markdown table."""
    lines = ["| case | measured | goal | |", "|---|---|---|---|"]
    lines += [
        f"| {f.name} | {f.measured} | {f.goal} | {'ok' if f.met else 'FAIL'} |" for f in figures
    ]
    return "\n".join(lines)
