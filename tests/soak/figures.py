"""What a soak measured: each figure beside its goal."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured figure; ``held`` says whether it keeps its goal."""

    what: str
    seen: str
    goal: str
    held: bool


def share(
    what: str, part: int, whole: int, most: float, why: Mapping[str, int] | None = None
) -> Figure:
    """``part`` of ``whole`` requests, of which at most the share ``most`` is allowed.

    A run without any request proves nothing and does not hold. ``why`` counts the words for what
    became of the others.
    """
    goal = "none" if most == 0 else f"at most {most:.0%}"
    seen = f"{part:,} of {whole:,}" + (f" ({part / whole:.2%})" if part else "")
    if part and why:
        seen += ": " + ", ".join(f"{number} {word}" for word, number in why.items())
    return Figure(what, seen, goal, whole > 0 and part <= most * whole)


def table(figures: list[Figure]) -> str:
    """The figures as Markdown."""
    lines = ["| under | seen | goal | |", "|---|---|---|---|"]
    lines += [f"| {f.what} | {f.seen} | {f.goal} | {'ok' if f.held else 'FAIL'} |" for f in figures]
    return "\n".join(lines)
