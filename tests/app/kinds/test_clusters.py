"""Models of groups, from one command to page, API and file."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from flask.testing import FlaskClient
from sklearn.cluster import DBSCAN, Birch, BisectingKMeans, KMeans
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from app.feedback.outcomes import KeptAnswer
from app.kinds import make_adapter
from app.kinds.clusters import ClusterDetail
from app.presentation.submission import Submission
from model import ClusterModel, ModelError, load_model
from model.contract.manifest import TypicalFact
from tests.app.kinds.conftest import add_without_target
from tests.html import data_of, get_page, post_fragment, post_page, text_of
from tests.loading import load_as
from tests.model.making.conftest import run
from tests.tabular_checks import check_stream

NAMES = ("amber", "birch", "cedar", "dune")
ROWS = 25


def flowers() -> pd.DataFrame:
    table = load_iris(as_frame=True).frame.drop(columns="target")
    return table.rename(columns=lambda name: name.replace(" (cm)", "_cm").replace(" ", "_"))


ESTIMATORS: dict[str, Any] = {
    "kmeans": make_pipeline(StandardScaler(), KMeans(4, random_state=0)),
    "mixture": make_pipeline(StandardScaler(), PCA(2), GaussianMixture(3, random_state=0)),
    "bisecting": BisectingKMeans(3, random_state=0),
    "plain": KMeans(20, n_init=1, random_state=0),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = {"kmeans": ["--clusters", ",".join(NAMES)]}
    return add_without_target(tmp_path_factory.mktemp("models"), ESTIMATORS, flowers(), named)


def rows() -> list[dict[str, str]]:
    return [
        {name: str(value) for name, value in row.items()}
        for row in flowers().sample(ROWS, random_state=3).to_dict("records")
    ]


@pytest.mark.parametrize("name", list(ESTIMATORS))
def test_page_and_api_name_the_group_that_the_estimator_names(
    client: FlaskClient, name: str
) -> None:
    prefix = "" if name == "kmeans" else f"/{name}"
    table = pd.DataFrame(rows()).astype(float)
    numbers = ESTIMATORS[name].predict(table).tolist()
    expected = [NAMES[number] if name == "kmeans" else str(number) for number in numbers]
    answers = client.post(f"{prefix}/api/predict", json=table.to_dict("records")).get_json()
    assert [answer["label"] for answer in answers] == expected
    for row, label in list(zip(rows(), expected, strict=True))[::6]:
        fragment = post_fragment(client, row, path=f"{prefix}/predict-fragment")
        (shown,) = fragment.select("#result data.prediction")
        assert shown["value"] == label
        assert post_page(client, row, path=f"{prefix}/").select_one("#result") == (
            fragment.select_one("#result")
        )


def test_distances_and_how_clearly_are_those_of_the_estimator(client: FlaskClient) -> None:
    table = pd.DataFrame(rows()).astype(float)
    distances = ESTIMATORS["kmeans"].transform(table)
    answers = client.post("/api/predict", json=table.to_dict("records")).get_json()
    for answer, expected in zip(answers, distances, strict=True):
        assert list(answer["distances"]) == list(NAMES)
        assert list(answer["distances"].values()) == pytest.approx(expected, abs=1e-3)
        first, second = np.sort(expected)[:2]
        assert answer["clarity"] == pytest.approx(1 - first / second, abs=1e-3)


def test_the_page_says_how_many_times_as_far_each_other_centre_is(client: FlaskClient) -> None:
    row = rows()[0]
    shares = text_of(post_fragment(client, row), "#result")
    answer = client.post("/api/predict", json={k: float(v) for k, v in row.items()}).get_json()
    nearest, *others = sorted(answer["distances"].values())
    for distance in others:
        assert f"{distance / nearest:.2g} times as far" in shares


@pytest.mark.parametrize(
    ("distances", "words", "bars"),
    [
        ((0, 2, 3, 4), "at the very centre of the group; the next is birch.", [100, 0, 0, 0]),
        ((2, 2.1, 4, 8), "between two groups: birch is nearly as near.", [100, 95.2, 50, 25]),
        ((2, 2.2, 4, 8), "The next group, birch, is 1.1 times as far", [100, 90.9, 50, 25]),
        ((2, 5, 4, 8), "The next group, cedar, is 2 times as far away.", [100, 50, 40, 25]),
    ],
)
def test_how_clearly_it_belongs_there_stands_in_words(
    root: Path, distances: tuple[float, ...], words: str, bars: list[float]
) -> None:
    model = load_as(ClusterModel, root / "kmeans")
    row = flowers().iloc[0].to_dict()
    (explained,) = model.explain([row])
    affinities = tuple(-each for each in distances)
    prediction = explained.prediction._replace(label=NAMES[0], affinities=affinities)
    typed = {name: str(value) for name, value in row.items()}
    result = make_adapter(model).present(
        Submission(typed, row, {}, ()), explained._replace(prediction=prediction)
    )
    assert words in result.certainty
    assert isinstance(result.detail, ClusterDetail)
    assert [share.bar for share in result.detail.shares] == bars


@pytest.mark.parametrize(
    ("path", "listed"),
    [("", list(NAMES)), ("/bisecting", []), ("/plain", [f"Group {place}" for place in range(6)])],
)
def test_without_an_answer_the_groups_keep_their_places(
    client: FlaskClient, path: str, listed: list[str]
) -> None:
    row = rows()[0] | {"petal_width_cm": "much"}
    fragment = post_fragment(client, row, 422, f"{path}/predict-fragment")
    assert [tag.get_text() for tag in fragment.select("#shares span")] == listed
    assert not fragment.select("#result data")


def test_reasons_lead_to_how_clearly_it_belongs_there(client: FlaskClient) -> None:
    for path, subject in (("", "How clearly it is"), ("/mixture", "Probability of")):
        fragment = post_fragment(client, rows()[1], path=f"{path}/predict-fragment")
        assert subject in text_of(fragment, "#why > p:first-of-type")
        scale = "how clearly it belongs to a group: 100% at the centre, 0% at the border, less"
        assert (scale in text_of(fragment, "#result")) == (not path)
        (answer,) = client.post(
            f"{path}/api/predict", json=[{k: float(v) for k, v in rows()[1].items()}]
        ).get_json()
        amount = answer["probability" if path else "clarity"]
        parts = [float(str(tag["value"])) for tag in fragment.select("data.contribution")]
        assert data_of(fragment, "reference") + sum(parts) == pytest.approx(amount, abs=1e-6)


def test_the_page_says_what_is_typical_of_the_group_and_claims_no_accuracy(
    client: FlaskClient, root: Path
) -> None:
    model = load_as(ClusterModel, root / "kmeans")
    assert [profile.cluster for profile in model.manifest.clusters] == list(NAMES)
    assert sum(profile.rows for profile in model.manifest.clusters) == 150
    fragment = post_fragment(client, rows()[0])
    label = text_of(fragment, "#result data.prediction")
    assert text_of(fragment, "#typical-title") == f"Typical of {label}"
    assert len(fragment.select(".typicals > div")) == 3
    about = get_page(client, "/about")
    for page in (fragment, about):
        assert "no accuracy is claimed" in page.get_text()
    assert "right" not in text_of(about, "#measured")


def test_what_was_right_is_one_of_the_groups_and_its_probability_is_kept(root: Path) -> None:
    row = flowers().iloc[0].to_dict()
    for name in ("kmeans", "mixture", "bisecting"):
        model = load_as(ClusterModel, root / name)
        adapter = make_adapter(model)
        field = adapter.make_truth_field()
        assert (field.name, field.noun_phrase) == ("known-truth", "the right group")
        assert field.options == model.card.output.clusters
        (explained,) = model.explain([row])
        label, clarity, _ = explained.prediction
        is_mixture = name == "mixture"
        kept = KeptAnswer(label, probability=clarity if is_mixture else None)
        assert adapter.summarize_answer(explained) == kept
        assert dict(adapter.batch_headings) == {
            "label": "Group",
            **({"probability": "Probability"} if is_mixture else {}),
            **({"clarity": "How clearly"} if name == "kmeans" else {}),
        }


def test_what_is_typical_says_how_many_have_it_and_how_many_of_the_others(root: Path) -> None:
    model = load_as(ClusterModel, root / "kmeans")
    first = model.manifest.clusters[0]
    facts = (
        TypicalFact(field="sepal_length_cm", low=5.5, high=5.5, inside=0.75, outside=0.125),
        TypicalFact(field="sepal_width_cm", low=3, high=3),
        TypicalFact(field="petal_width_cm", low=0.2, high=1.5),
    )
    profiles = (first.model_copy(update={"facts": facts}), *model.manifest.clusters[1:])
    manifest = model.manifest.model_copy(update={"clusters": profiles})
    about = make_adapter(replace(model, manifest=manifest)).about()
    text = str(about).replace("\\xa0", " ")
    assert f"{first.rows} of 150 rows are in this group." in text
    assert "Sepal length 5.5 cm for 75% of them, and for 12% of all others;" in text
    assert "sepal width 3 cm for half of them;" in text
    assert "petal width 0.2 cm to 1.5 cm for half of them" in text


def test_few_rows_of_a_group_are_not_described_one_by_one(root: Path) -> None:
    model = load_as(ClusterModel, root / "plain")
    assert all(profile.facts == () for profile in model.manifest.clusters if profile.rows < 10)


def test_a_file_gets_the_groups_too(client: FlaskClient, root: Path, tmp_path: Path) -> None:
    data, target = root / "data.csv", tmp_path / "out.csv"
    result = run("predict", "kmeans", data, target, "--models", root)
    assert result.exit_code == 0, result.output
    with target.open(newline="") as file:
        answered = list(csv.DictReader(file))
    expected = [NAMES[number] for number in ESTIMATORS["kmeans"].predict(flowers())]
    assert [row["label"] for row in answered] == expected
    assert {"clarity", "distance_amber"} <= set(answered[0])
    page = client.post("/batch", data={"file": (data.open("rb"), data.name)})
    assert "amber" in page.get_data(as_text=True)
    for name in ESTIMATORS:
        prefix = "/" if name == "kmeans" else f"/{name}/"
        check_stream(client, prefix, pd.DataFrame(rows()).astype(float).to_dict("records"))
    assert run("check", "kmeans", "--models", root).exit_code == 0


def test_the_groups_that_a_model_answered_prove_the_order_of_its_columns(
    tmp_path: Path,
) -> None:
    table = flowers()
    model = KMeans(3, n_init=1, random_state=0).fit(table.to_numpy())
    file, labelled = tmp_path / "model.joblib", tmp_path / "labelled.csv"
    joblib.dump(model, file)
    table.assign(species=load_iris().target_names[load_iris().target], found=model.labels_).to_csv(
        labelled, index=False
    )
    add = ("add", file, "--name", "m", "--data", labelled, "--models", tmp_path)
    features = ("--features", ",".join(table.columns))
    found = run(*add, *features, "--target", "found")
    assert "100% of the rows have the same group there" in found.output
    other = run(*add, *features, "--target", "species", "--force")
    assert "groups that it found by itself: 0, 1, 2. Leave --target out" in other.output
    unnamed = run(*add, "--force")
    assert "Name those that it was fitted on" in unnamed.output or "--features" in unnamed.output


@pytest.mark.parametrize(
    ("estimator", "more", "message"),
    [
        (DBSCAN(), (), "has no predict for a new one. Fit a KMeans"),
        (KMeans(1), (), "one group"),
        (KMeans(3, n_init=1), ("--clusters", "a,b"), "names 2, but the model has 3 groups"),
        (KMeans(2, n_init=1), ("--clusters", "a,a"), "names one group twice"),
        (Birch(n_clusters=60, threshold=0.01), (), "has 60 groups, and a page can show 50"),
    ],
)
def test_what_cannot_be_served_is_refused_with_what_to_do(
    root: Path, tmp_path: Path, estimator: Any, more: tuple[str, ...], message: str
) -> None:
    file = tmp_path / "model.joblib"
    joblib.dump(estimator.fit(flowers()), file)
    result = run(
        "add", file, "--name", "m", "--data", root / "data.csv", "--models", tmp_path, *more
    )
    assert result.exit_code != 0
    assert message in " ".join(result.output.split())


def test_a_card_that_names_other_groups_than_the_model_has_is_refused(
    root: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(root / "kmeans", tmp_path / "kmeans")
    card = folder / "card.toml"
    card.write_text(card.read_text().replace('value = "birch"', 'value = "beech"'))
    with pytest.raises(ModelError, match="the clusters must be amber, birch, cedar, dune, in the"):
        load_model(folder)
