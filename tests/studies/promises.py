"""How often sound ranges are accused, and how soon others are found: ``docs/feedback.md``.

python -m tests.studies.promises
"""

from collections.abc import Sequence

import numpy as np

from model.contract.arrays import BoolArray, Float64Array
from model.contract.manifest import ReliabilityBin
from model.monitoring.coverage import CHANGE_LIMIT, WEALTH_LIMIT, Promise, weigh_evidence
from model.monitoring.stability import find_limit
from model.monitoring.sureness import find_sure_promise, judge_sureness

PATHS = 4000
CASES = 3000
SHARE = 0.9


def draw(shares: object, cases: int, seed: int, paths: int = PATHS) -> BoolArray:
    """Draw whether each case is inside, shape (paths, cases), by the coverage of each path."""
    wide = np.broadcast_to(np.asarray(shares, dtype=float), paths)[:, None]
    inside: BoolArray = np.random.default_rng(seed).random((paths, cases)) < wide
    return inside


def draw_sound(promise: Promise, seed: int, paths: int = PATHS) -> BoolArray:
    """Draw for ranges with the coverage that being set on so many rows gives them by chance."""
    law = promise.rank, promise.rows + 1 - promise.rank
    return draw(np.random.default_rng(seed).beta(*law, paths), CASES, seed + 1, paths)


def share_alarmed(inside: BoolArray, promise: Promise, first: int = 0) -> float:
    """Return the share of paths with an alarm from a case on."""
    wealth, change = weigh_evidence(inside, promise)
    alarmed = (wealth >= WEALTH_LIMIT) | (change >= CHANGE_LIMIT)
    return float(alarmed[:, first:].any(axis=-1).mean())


def share_accused_by_z(inside: BoolArray) -> float:
    """Return the share of paths that a one-sided z-test of 5 % at each look accuses."""
    looks = np.arange(1, inside.shape[1] + 1)
    z = (np.cumsum(inside, axis=1) / looks - SHARE) / np.sqrt(SHARE * (1 - SHARE) / looks)
    return float((z[:, 29:] < -1.645).any(axis=1).mean())


def draw_sureness(rng: np.random.Generator, cases: int) -> Float64Array:
    """Draw how sure a model of two classes is of the one that it names, shape (cases,)."""
    sure: Float64Array = 1 / (1 + np.exp(-np.abs(rng.normal(0, 2, cases))))
    return sure


def share_too_sure(
    rows: int, cases: int, times: float = 1.0, worse: float = 0.0, paths: int = 1000
) -> float:
    """Return the share of paths in which probabilities are called too sure.

    On its held-out rows each model is right as often as it says.

    Args:
        rows: held-out rows.
        cases: later cases of a path.
        times: the odds of being right that it says later are those of before to this power, while
            it is right as often as before.
        worse: the share of later cases in which it names the wrong class instead of the right one.
        paths: models.
    """
    rng, called = np.random.default_rng(11), 0
    for _ in range(paths):
        held_out = np.sort(draw_sureness(rng, rows))
        right = rng.random(rows) < held_out
        bins = [
            ReliabilityBin(
                probability=held_out[part].mean(), right=right[part].mean(), rows=len(part)
            )
            for part in np.array_split(np.arange(rows), 10)
        ]
        promise = find_sure_promise(bins)
        assert promise is not None
        true = draw_sureness(rng, cases)
        said = 1 / (1 + ((1 - true) / true) ** times)
        found = judge_sureness(said, rng.random(cases) < true * (1 - worse), promise, 100, 2)
        called += found is not None and found.alarm is not None
    return called / paths


def print_row(name: str, shares: Sequence[float]) -> None:
    """Print shares in percent."""
    print(f"{name:58}", *(f"{share:7.1%}" for share in shares))


def main() -> None:
    """Print the figures."""
    promises = [Promise(SHARE, rows) for rows in (100, 300, 500, 2000)]
    print(f"{PATHS} paths, {SHARE:.0%} promised, ranges set on 100, 300, 500, 2,000 rows")
    sound = [draw_sound(promise, 1) for promise in promises]
    print_row(
        f"sound, accused within {CASES:,} cases",
        [share_alarmed(inside, promise) for inside, promise in zip(sound, promises, strict=True)],
    )
    certain = Promise(SHARE, 10**9)
    print_row(
        "the same, if rows are taken for infinitely many",
        [share_alarmed(inside, certain) for inside in sound],
    )
    print_row("the same, by a z-test at each look", [share_accused_by_z(one) for one in sound])
    for share in (0.85, 0.8, 0.7):
        for cases in (100, 300):
            found = draw(share, cases, 2)
            print_row(
                f"true coverage {share:.0%}, found within {cases} cases",
                [share_alarmed(found, promise) for promise in promises],
            )
    for share in (0.8, 0.7):
        changed = np.concatenate([draw(SHARE, 1000, 3), draw(share, 300, 4)], axis=1)
        print_row(
            f"{share:.0%} after 1,000 cases of 90 %, found within 300 more",
            [share_alarmed(changed, promise, 1000) for promise in promises],
        )
    sizes = (100, 300, 500, 2000)
    print_row(
        f"sure as often as right, called too sure within {CASES:,}",
        [share_too_sure(rows, CASES) for rows in sizes],
    )
    for times, worse, cases in ((2.0, 0.0, 300), (1.5, 0.0, 1000), (1.0, 0.1, 300)):
        print_row(
            f"odds to the power {times:g}, {worse:.0%} more wrong, found within {cases:,} cases",
            [share_too_sure(rows, cases, times, worse) for rows in sizes],
        )
    trained = [9500] * 10 + [0]
    limits = ", ".join(f"{find_limit(trained, asked):.3f}" for asked in (100, 300, 1000, 10_000))
    print(f"limit of the index for 100, 300, 1,000 and 10,000 forms: {limits}")


if __name__ == "__main__":
    main()
