"""Print what was measured: `python -m tests.studies.honesty`."""

from __future__ import annotations

from tests.studies.honesty import ranges


def main() -> None:
    """Print the tables."""
    ranges.main()


if __name__ == "__main__":
    main()
