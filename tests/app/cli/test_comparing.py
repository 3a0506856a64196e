"""``model check --against``: a new model beside the one that is served, on the same rows."""

from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from click.testing import Result
from sklearn.linear_model import LogisticRegression, Ridge

from app.cli import comparing
from model.contract.tables import TableError
from model.monitoring.cases import Case, CaseFile
from model.monitoring.comparison import bootstrap_difference, compare_cases, pair_cases
from tests.model.making.conftest import run


def flats(seed: int, rows: int) -> pd.DataFrame:
    """Make flats whose rent depends on two facts, and whether they were let at once."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"size_m2": rng.uniform(30, 120, rows), "floor": rng.integers(0, 9, rows)})
    table["rent"] = 9 * table["size_m2"] + 60 * table["floor"] + rng.normal(0, 40, rows)
    chance = 1 / (1 + np.exp((table["rent"] - 900) / 120))
    table["let"] = np.where(rng.random(rows) < chance, "soon", "late")
    return table.round(1)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models that know one fact or both, for the rent and for whether a flat was let at once."""
    root, files = tmp_path_factory.mktemp("models"), tmp_path_factory.mktemp("files")
    flats(0, 200).to_csv(files / "flats.csv", index=False)
    flats(1, 150).to_csv(files / "held.csv", index=False)
    flats(2, 400).to_csv(root / "unseen.csv", index=False)
    for target, estimator in (("rent", Ridge()), ("let", LogisticRegression(max_iter=1000))):
        for name, facts in (("old", ["size_m2"]), ("new", ["size_m2", "floor"])):
            file = files / f"{name}-{target}.joblib"
            joblib.dump(estimator.fit(flats(0, 200)[facts], flats(0, 200)[target]), file)
            result = run(
                "add", file, "--name", file.stem, "--data", files / "flats.csv",
                "--target", target, "--holdout", files / "held.csv", "--models", root,
            )  # fmt: skip
            assert result.exit_code == 0, result.output
    return root


def compare(root: Path, new: str, old: str, target: str, data: str = "unseen.csv") -> Result:
    given = ("--data", root / data, "--target", target, "--models", root)
    return run("check", new, "--against", old, *given)


@pytest.mark.parametrize(
    ("target", "measures", "verdict"),
    [
        (
            "rent",
            ["Off on average by", "Half the time off by less than", "Ranges that held",
             "Typical width of the range"],
            "is off by less than",
        ),
        ("let", ["Right", "Log loss"], "has better probabilities than"),
    ],
)  # fmt: skip
def test_each_measure_stands_beside_that_of_before(
    root: Path, target: str, measures: list[str], verdict: str
) -> None:
    better = compare(root, f"new-{target}", f"old-{target}", target)
    assert better.exit_code == 0, better.output
    assert "on the 400 rows that both answer" in better.stdout
    lines = [line.strip() for line in better.stdout.splitlines() if " → " in line][1:]
    assert [line.partition(":")[0] for line in lines] == measures
    assert all("with 95% confidence" in line for line in lines)
    assert f"new-{target} {verdict} old-{target}, by more than chance" in better.stdout
    assert "keeps no training rows" in better.stdout

    worse = compare(root, f"old-{target}", f"new-{target}", target)
    assert worse.exit_code == 4
    assert f"keep new-{target}." in worse.stderr


def test_a_model_is_as_good_as_itself_and_its_own_rows_are_known(root: Path) -> None:
    (root / "trained.csv").write_bytes(flats(0, 200).to_csv(index=False).encode())
    result = compare(root, "new-rent", "new-rent", "rent", "trained.csv")
    assert result.exit_code == 0, result.output
    assert "trained.csv is what new-rent was made with." in result.stdout
    assert "Which of the two is off by less these rows do not tell" in result.stdout
    assert "(difference 0; with 95% confidence 0 to 0)" in result.stdout


def test_what_cannot_be_compared_is_refused_in_words(root: Path) -> None:
    assert run("check", "new-rent", "--against", "old-rent", "--models", root).exit_code == 2
    assert compare(root, "new-rent", "gone", "rent").exit_code == 1
    other = compare(root, "new-rent", "old-let", "rent")
    assert other.exit_code == 1
    assert "The model answers" in other.stderr
    pictures = run(
        "check", "house-price", "--against", "chest-xray", "--data",
        "model/house_price/sales.csv", "--target", "price",
    )  # fmt: skip
    assert "chest-xray takes pictures" in pictures.stderr


def test_a_library_that_is_missing_is_named_whatever_is_compared(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lack_a_library(*_: object) -> None:
        raise ModuleNotFoundError(name="pandas")

    monkeypatch.setattr(comparing, "make_adapter", lack_a_library)
    result = compare(root, "new-rent", "old-rent", "rent")
    assert result.exit_code == 1
    assert "Comparing models needs pandas, which is not installed." in result.stderr


def make_case(value: float, truth: float, share: float | None = None) -> Case:
    return Case("", {}, value, None, None, None, truth, None, share)


def test_the_interval_is_that_of_paired_rows() -> None:
    rng = np.random.default_rng(3)
    hard = rng.exponential(1000, 300)  # what is hard about a row is so for both
    pairs = [(make_case(one, 0.0), make_case(one - 5 + 3 * rng.normal(), 0.0)) for one in hard + 50]
    measure = compare_cases(pairs)[0]
    assert measure.is_better
    assert -6 < measure.low < measure.new - measure.old < measure.high < -4


def test_equal_models_are_told_apart_in_one_of_twenty_files() -> None:
    rng = np.random.default_rng(0)
    told = 0
    for _ in range(100):
        old, new = rng.normal(0, 1, (2, 40)) ** 2
        low, high = bootstrap_difference(old, new, np.mean)
        told += low > 0 or high < 0
    assert told <= 12


def test_rows_pair_by_their_place_in_the_file_and_by_their_truth() -> None:
    first, second = make_case(1.0, 5.0), make_case(2.0, 6.0)
    old = CaseFile([first, second], rows=3, left_out={2: "no truth"})
    new = CaseFile([second], rows=3, left_out={1: "no size", 2: "no truth"})
    assert pair_cases(old, new) == [(second, second)]
    with pytest.raises(TableError, match="No row has an answer of both"):
        pair_cases(CaseFile([first], rows=2, left_out={2: ""}),
                   CaseFile([first], rows=2, left_out={1: ""}))  # fmt: skip
    with pytest.raises(TableError, match=r"the truth in row 1 is 5\.0 for one and 6\.0 for"):
        pair_cases(CaseFile([first], rows=1), CaseFile([second], rows=1))
