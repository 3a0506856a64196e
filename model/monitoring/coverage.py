"""Tests whether ranges still hold as often as was measured, which may be looked at any time.

A range that was set by the k-th of n held-out scores holds a share of later cases that is itself
random: its law is Beta(k, n + 1 - k) (Vovk, "Conditional validity of inductive conformal
predictors", ACML 2012). Outcomes therefore follow a Pólya urn: after t cases of which s were
inside, the next one is inside with probability (k + s) / (n + 1 + t). Sound ranges that were set on
few rows must not be called unsound because they are a little below the aim.

Against these odds one bets that fewer are inside. If the promise holds, the wealth of a bettor who
begins with 1 is ever 25 or more with a probability of at most 4 %, however often one looks (Ville's
inequality; Shafer, "Testing by betting", JRSS A, 2021; Waudby-Smith and Ramdas, "Estimating means
of bounded random variables by betting", JRSS B, 2024). How many will be outside nobody knows, so
the stake is spread over some answers (mixture). No bet is ever on more being inside, and the odds
are never above the promise, so that a coverage above it is no alarm.

The statistic of Shiryaev and Roberts puts a new stake on a change before each case, and finds a
change that comes after a long time in which all was well (Shin, Ramdas and Rinaldo, "E-detectors: a
nonparametric framework for sequential change detection", NEJSDS, 2024).

Probabilities are tested in the same way, by how often the class that was named is right where the
model is sure. There each case has a promise of its own: as much above the promise of all as its
probability is above the mean of those that showed it. Betting on forecasts of probabilities is
that of Henzi and Ziegel ("Valid sequential inference on probability forecast performance",
Biometrika, 2022); that each case has a forecast is why a change of how sure the model is, while it
is right as sure as it says, is no alarm.
"""

from typing import Literal, NamedTuple

import numpy as np

from model.contract.arrays import BoolArray, Float64Array

WEALTH_LIMIT = 25
"""The wealth at which ranges are called unsound: sound ones reach it in 4 % of cases, for ever."""

CHANGE_LIMIT = 300_000
"""The statistic at which a change is. Sound ranges reach it within c cases with a probability of at
most c / 300,000 (Doob's inequality), so that both together accuse them in 5 % of cases, or less,
over 3,000."""

_MISS_ODDS = (1.6, 2.25, 4.0, 9.0)
"""How many times the promised odds of a miss a bettor expects; of 10 % these are 15 to 50 %."""

_STAKES = (0.15, 0.55, 0.2, 0.1)

_BLOCK = 64
"""Cases whose products are taken together: the largest, 9 ** 64, and its inverse are floats."""

_MOST = 1e100
"""More evidence than this makes no difference."""


class Promise(NamedTuple):
    """The share of cases that is promised to be inside, as ``rows`` held-out rows showed it."""

    share: float
    rows: int

    @property
    def rank(self) -> int:
        """The number k of the urn, 1 to ``rows``."""
        exact = round(self.share * (self.rows + 1), 9)  # 0.95 * 20 is above 19 in binary
        return min(max(int(np.ceil(exact)), 1), self.rows)


class Alarm(NamedTuple):
    """That a promise is broken: from the beginning or since a change, and after how many cases."""

    kind: Literal["coverage", "change"]
    cases: int


class Evidence(NamedTuple):
    """The evidence against a promise after each case; both have the shape of the outcomes.

    ``wealth`` is that of a bettor who began with 1, ``change`` the statistic of Shiryaev and
    Roberts.
    """

    wealth: Float64Array
    change: Float64Array


def weigh_evidence(
    inside: BoolArray, promise: Promise, lift: Float64Array | float = 0.0
) -> Evidence:
    """Weigh the evidence against a promise after each case.

    Args:
        inside: whether the truth of each case was inside, shape (..., cases), in the order in which
            they came true.
        promise: the share that was promised.
        lift: by how much more is promised of each case, of the shape of ``inside``.
    """
    net = inside - np.broadcast_to(lift, inside.shape)
    before = np.cumsum(net, axis=-1) - net  # how many were inside before each case
    urn = (promise.rank + before) / (promise.rows + 1 + np.arange(inside.shape[-1]))
    share, least = promise.rank / (promise.rows + 1), 1 / (promise.rows + 1)
    # Rows cannot show that something is more certain than one in their number.
    expected, promised = (
        np.clip(shares + lift, least, 1 - least) for shares in (np.minimum(urn, share), share)
    )
    promised_odds = (1 - promised) / promised
    wealth, change = np.zeros(inside.shape), np.zeros(inside.shape)
    for odds, stake in zip(_MISS_ODDS, _STAKES, strict=True):
        miss = np.maximum(1 - 1 / (1 + odds * promised_odds), 1 - expected)
        factors = np.where(inside, (1 - miss) / expected, miss / (1 - expected))
        with np.errstate(under="ignore"):
            wealth += stake * np.minimum(np.cumprod(factors, axis=-1), _MOST)
            change += stake * _restart(factors)
    return Evidence(wealth, change)


def _restart(factors: Float64Array) -> Float64Array:
    """The wealth of a bettor who puts in 1 before each case, R = (1 + R) * factor, as given."""
    found = np.empty(factors.shape)
    held = np.zeros((*factors.shape[:-1], 1))
    for start in range(0, factors.shape[-1], _BLOCK):
        block = slice(start, start + _BLOCK)
        products = np.cumprod(factors[..., block], axis=-1)
        stakes = np.cumsum(factors[..., block] / products, axis=-1)  # 1 / the product before
        found[..., block] = np.minimum(products * (held + stakes), _MOST)
        held = found[..., block][..., -1:]
    return found


def find_alarm(
    inside: BoolArray, promise: Promise, lift: Float64Array | float = 0.0, tests: int = 1
) -> Alarm | None:
    """Find the first alarm; it stays, whatever comes after it.

    Args:
        inside: whether the truth of each case was inside, shape (cases,), in their order.
        promise: the share that was promised.
        lift: by how much more is promised of each case, shape (cases,).
        tests: how many promises of a model are tested, which share the 5 %.
    """
    if not len(inside):
        return None
    evidence = weigh_evidence(inside, promise, lift)
    broken = evidence.wealth >= WEALTH_LIMIT * tests
    changed = evidence.change >= CHANGE_LIMIT * tests
    if not (either := broken | changed).any():
        return None
    first = int(either.argmax())
    return Alarm("coverage" if broken[first] else "change", first + 1)
