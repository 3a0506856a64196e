"""Models that find unusual rows, from one command to page, API and file."""

import csv
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from flask.testing import FlaskClient
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from app.feedback.outcomes import KeptAnswer
from app.kinds import make_adapter
from app.presentation.submission import Submission
from model import OutlierModel
from tests.app.kinds.conftest import add_without_target
from tests.html import data_of, get_page, post_fragment, post_page, text_of
from tests.loading import load_as
from tests.model.making.conftest import run
from tests.tabular_checks import check_stream

ESTIMATORS: dict[str, Any] = {
    "forest": IsolationForest(n_estimators=50, contamination=0.1, random_state=0),
    "svm": make_pipeline(StandardScaler(), OneClassSVM(nu=0.1)),
    "factor": LocalOutlierFactor(novelty=True),
    "envelope": EllipticEnvelope(random_state=0),
}


def pumps() -> pd.DataFrame:
    """Make readings of pumps, a few of which are far from the others."""
    rng = np.random.default_rng(7)
    heat = rng.normal(60, 5, 300)
    table = pd.DataFrame(
        {"heat_celsius": heat, "pressure_hpa": 1000 + 4 * heat + rng.normal(0, 10, 300)}
    )
    table["noise"] = rng.gamma(3, 2, 300)
    table.loc[:9, "noise"] += 25
    return table.round(2)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return add_without_target(tmp_path_factory.mktemp("models"), ESTIMATORS, pumps(), {})


def to_text(row: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in row.items()}


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")  # asks itself so
@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_page_and_api_answer_as_the_estimator_does(client: FlaskClient, name: str) -> None:
    prefix = "" if name == "forest" else f"/{name}"
    table = pumps()[::12]
    estimator = ESTIMATORS[name]
    scores, answered = estimator.decision_function(table), estimator.predict(table)
    answers = client.post(f"{prefix}/api/predict", json=table.to_dict("records")).get_json()
    assert [answer["unusual"] for answer in answers] == (answered == -1).tolist()
    assert [answer["score"] for answer in answers] == pytest.approx(scores, rel=1e-3, abs=1e-3)
    for place in (0, 5, 20):
        row = to_text(table.iloc[place].to_dict())
        fragment = post_fragment(client, row, path=f"{prefix}/predict-fragment")
        (shown,) = fragment.select("#result data.prediction")
        assert shown["value"] == answers[place]["label"]
        assert post_page(client, row, path=f"{prefix}/").select_one("#result") == (
            fragment.select_one("#result")
        )


def test_how_unusual_a_row_is_counts_the_training_rows_that_are_less_so(
    client: FlaskClient, root: Path
) -> None:
    model, table = load_as(OutlierModel, root / "forest"), pumps()
    scores = ESTIMATORS["forest"].decision_function(table)
    for place in (0, 40, 200):
        answer = client.post("/api/predict", json=table.iloc[place].to_dict()).get_json()
        assert answer["rank"] == pytest.approx(np.mean(scores > scores[place]), abs=0.015)
    assert model.outlier_share == pytest.approx(0.1, abs=0.01)
    far = {"heat_celsius": "60", "pressure_hpa": "1240", "noise": "50"}
    words = text_of(post_fragment(client, far), "#result .range .wide")
    assert words.startswith("It is more unusual than")


@pytest.mark.parametrize(
    ("rank", "words"),
    [
        (0, "Hardly any of the rows is more usual."),
        (0.004, "Hardly any of the rows is more usual."),
        (0.006, "It is more unusual than 1 of 100 rows."),
        (0.994, "It is more unusual than 99 of 100 rows."),
        (0.996, "It is more unusual than over 99 of 100 rows."),
        (1, "It is more unusual than every one of the 300 rows."),
    ],
)
def test_how_unusual_it_is_stands_in_words(root: Path, rank: float, words: str) -> None:
    model = load_as(OutlierModel, root / "forest")
    row = pumps().iloc[0].to_dict()
    (explained,) = model.explain([row])
    explained = explained._replace(prediction=explained.prediction._replace(rank=rank))
    result = make_adapter(model).present(Submission(to_text(row), row, {}, ()), explained)
    assert result.certainty == words


def test_what_was_right_is_usual_or_not(root: Path) -> None:
    model = load_as(OutlierModel, root / "forest")
    adapter = make_adapter(model)
    field = adapter.make_truth_field()
    assert field.name == "known-truth"
    assert [option.value for option in field.options] == ["outlier", "inlier"]
    assert [option.label for option in field.options] == ["Unusual", "Not unusual"]
    assert dict(adapter.batch_headings) == {
        "label": model.card.output.label,
        "rank": "More unusual than",
    }
    (explained,) = model.explain([pumps().iloc[0].to_dict()])
    for is_outlier, label in ((True, "outlier"), (False, "inlier")):
        prediction = explained.prediction._replace(is_outlier=is_outlier)
        kept = adapter.summarize_answer(explained._replace(prediction=prediction))
        assert kept == KeptAnswer(label)


def test_without_an_answer_the_limit_keeps_its_place(client: FlaskClient) -> None:
    fragment = post_fragment(client, to_text(pumps().iloc[2].to_dict()) | {"noise": "x"}, 422)
    assert "The model calls 10.0% of the rows unusual." in fragment.select("#result")[0].get_text()
    assert not fragment.select("#result data")


def test_the_facts_that_make_it_so_add_up(client: FlaskClient) -> None:
    row = to_text(pumps().iloc[2].to_dict())
    fragment = post_fragment(client, row)
    assert text_of(fragment, "#result data.prediction") == "Unusual"
    parts = {
        str(tag["data-field"]): float(str(tag["value"]))
        for tag in fragment.select("data.contribution")
    }
    answer = client.post("/api/predict", json=pumps().iloc[2].to_dict()).get_json()
    total = data_of(fragment, "reference") + sum(parts.values())
    assert total == pytest.approx(answer["rank"], abs=1e-6)
    assert max(parts, key=parts.__getitem__) == "noise"


def test_pages_and_files_say_it_and_claim_no_accuracy(
    client: FlaskClient, root: Path, tmp_path: Path
) -> None:
    data, target = root / "data.csv", tmp_path / "out.csv"
    get_page(client, "/")
    assert "no accuracy is claimed" in get_page(client, "/about").get_text()
    assert run("predict", "svm", data, target, "--models", root).exit_code == 0
    with target.open(newline="") as file:
        answered = [row["label"] for row in csv.DictReader(file)]
    expected = np.where(ESTIMATORS["svm"].predict(pumps()) == -1, "outlier", "inlier")
    assert answered == expected.tolist()
    page = client.post("/batch", data={"file": (data.open("rb"), data.name)})
    assert "Not unusual" in page.get_data(as_text=True)
    check_stream(client, "/", pumps().sample(25, random_state=1).to_dict("records"))
    assert run("check", "forest", "--models", root).exit_code == 0


@pytest.mark.parametrize(
    ("estimator", "more", "message"),
    [
        (LocalOutlierFactor(), (), "novelty=True"),
        (
            IsolationForest(n_estimators=5),
            ("--target", "noise"),
            "has no target. Leave --target out",
        ),
        (IsolationForest(n_estimators=5), ("--clusters", "a,b"), "says whether a row is unusual"),
    ],
)
def test_what_cannot_be_served_is_refused_with_what_to_do(
    root: Path, tmp_path: Path, estimator: Any, more: tuple[str, ...], message: str
) -> None:
    file, table = tmp_path / "model.joblib", pumps()
    joblib.dump(estimator.fit(table.drop(columns="noise") if "--target" in more else table), file)
    result = run(
        "add", file, "--name", "m", "--data", root / "data.csv", "--models", tmp_path, *more
    )
    assert result.exit_code != 0
    assert message in " ".join(result.output.split())
