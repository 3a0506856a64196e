"""Print what was measured: `python -m tests.studies.honesty`."""

from tests.studies.honesty import probabilities, ranges

if __name__ == "__main__":
    ranges.main()
    probabilities.main()
