"""From a prediction to its explanation: contributions, what-if and similar rows."""

from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from app.presentation.contributions import ContributionsPresenter, ContributionsView
from app.presentation.phrases import cache_phrases
from app.presentation.scales import Scale, format_exact
from app.presentation.texts import TextView, WordsPresenter
from app.presentation.what_if import WhatIfPresenter, WhatIfView
from model import Card, Features
from model.contract import formatting
from model.serving.served_model import Explained, Neighbor

MAX_DIFFERENCES = 3
"""Differences of a similar row that are named."""

MAX_PRINTED = 40
"""Facts that a printed page lists."""

MAX_OBSERVED = 4096
"""Observed values whose words are kept."""

MAX_SUMMARY = 3
"""Facts that a title names."""


class NeighborView(NamedTuple):
    """A similar row: what was observed (``value`` for programs), when, and how it differs.

    ``year`` is "" where the data do not say when.
    """

    value: str
    text: str
    year: str
    differences: str


class ExplanationView(NamedTuple):
    """Everything below the prediction that explains it.

    ``contributions`` and ``what_if`` are None where the model gives a class without a probability:
    there is no amount to divide, or the only feature is a text. ``facts`` lists the known features
    for a printed page, and ``texts`` what is known of the words of each text.
    """

    contributions: ContributionsView | None
    what_if: WhatIfView | None
    neighbors: tuple[NeighborView, ...]
    out_of_distribution: bool
    facts: str
    texts: tuple[TextView, ...] = ()


class ExplanationPresenter:
    """Puts the explanations of one model's predictions into words and coordinates."""

    def __init__(
        self,
        card: Card,
        reference: Features,
        scale: Scale,
        directions: Mapping[str, int],
        prefix: str = "",
    ) -> None:
        """Keep what is needed; see ``ContributionsPresenter`` and ``WhatIfPresenter``."""
        self._card = card
        self._reference = reference
        self._scale = scale
        self._phrases = cache_phrases(card, reference)
        self._contributions = ContributionsPresenter(card, scale, self._phrases, directions)
        self._words = WordsPresenter(card, scale)
        # All that a single text contributes is the answer itself; its words say more.
        self._is_text_alone = all(field.is_text for field in card.fields)
        self._what_if = WhatIfPresenter(card, reference, scale, self._phrases, prefix)
        self._format_observed = lru_cache(MAX_OBSERVED)(
            lambda value: (format_exact(value), scale.format_observed(value))
        )

    def present(
        self,
        explained: Explained[Any],
        features: Features,
        value: float | None,
        subject: str = "",
        total_label: str = "",
    ) -> ExplanationView:
        """Present the explanation of a prediction.

        Args:
            explained: the prediction with its contributions, what-if and similar rows.
            features: the row.
            value: what the contributions lead to, unrounded; None for a class without a
                probability.
            subject: what the contributions measure; "" for the output itself.
            total_label: what stands at their end; "" for this case.
        """
        contributions = what_if_view = None
        given = {
            name: known for name in self._card.form_names if (known := features[name]) is not None
        }
        if value is not None and explained.shapley is not None and not self._is_text_alone:
            rounded = self._scale.round(value)
            text = self._scale.format(rounded)
            contributions = self._contributions.present(
                explained.shapley, given, self._reference, (rounded, text), subject, total_label
            )
            if explained.ice_curve is not None:
                what_if_view = self._what_if.present(
                    explained.ice_curve, features, (value, text), subject
                )
        return ExplanationView(
            contributions=contributions,
            what_if=what_if_view,
            neighbors=tuple([self._present_neighbor(row, given) for row in explained.neighbors]),
            out_of_distribution=explained.out_of_distribution,
            facts=self._list_facts(given),
            texts=tuple(
                [self._words.present(reasons, subject, total_label) for reasons in explained.texts]
            ),
        )

    def _list_facts(self, given: Features) -> str:
        """List the facts as a printed page does: a page of hundreds is for nobody."""
        named = islice(given.items(), MAX_PRINTED)
        facts = [self._phrases[name].fact(known) for name, known in named]
        if more := len(given) - len(facts):
            count = formatting.format_number(more, self._card.locale)
            facts.append(f"and {count} more, which are in the address")
        return formatting.end_sentence(", ".join(facts))

    def summarize(self, features: Features) -> str:
        """Name the first facts of a row, and count the others: "3 beds and 5 more facts"."""
        given = [name for name in self._card.form_names if features.get(name) is not None]
        named = given[: MAX_SUMMARY if len(given) > MAX_SUMMARY + 1 else None]
        text = ", ".join(["".join(self._phrases[name].reason(features[name])) for name in named])
        if more := len(given) - len(named):
            text += f" and {formatting.format_number(more, self._card.locale)} more facts"
        return text

    def _present_neighbor(self, neighbor: Neighbor, given: Features) -> NeighborView:
        differences = []
        for name, own in given.items():
            other = neighbor.features[name]
            if own != other:
                differences.append(self._phrases[name].difference(own, other))
        if len(differences) > MAX_DIFFERENCES:
            more = formatting.format_number(len(differences) - MAX_DIFFERENCES, self._card.locale)
            differences[MAX_DIFFERENCES:] = [f"and {more} more"]
        value, text = self._format_observed(neighbor.target)
        return NeighborView(
            value,
            text,
            str(neighbor.year) if neighbor.year else "",
            ", ".join(differences) or "the same in every fact that is given",
        )
