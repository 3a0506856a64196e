"""Looks up what was measured for a set of known optional facts."""

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from model.contract.manifest import FactGroup

GroupT = TypeVar("GroupT", bound=FactGroup)
"""What was measured for each set."""


class FactGroups(Generic[GroupT]):
    """Groups by the set of known optional facts, or by the number of unknown ones."""

    def __init__(self, groups: Sequence[GroupT], optional: tuple[str, ...]) -> None:
        self._optional = optional
        self._by_set = {frozenset(group.known): group for group in groups}
        self._by_count = {group.unknown: group for group in groups if group.unknown is not None}

    @property
    def by_set(self) -> bool:
        """Whether each set of facts has its own group."""
        return not self._by_count

    def find(self, known: Iterable[str]) -> GroupT:
        """The group of a set of known optional facts.

        Raises:
            KeyError: if the manifest has no such group.
        """
        facts = frozenset(known)
        if self._by_count:
            return self._by_count[len(self._optional) - len(facts)]
        return self._by_set[facts]

    def count_missing(self) -> int:
        """How many groups of the optional facts are missing; 0 in a sound manifest."""
        if self._by_count:
            return len(set(range(len(self._optional) + 1)) - set(self._by_count))
        return int(2 ** len(self._optional)) - len(self._by_set)
