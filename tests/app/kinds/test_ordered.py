"""Classes that are steps of a scale, and risks, from one command to page, API and file."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sklearn.linear_model import LinearRegression, LogisticRegression

from app import create_app
from app.config import Settings
from model import load_model
from model.contract.errors import ModelError
from model.serving.ordinal import LikelyRanges
from tests.html import data_of, get_page, post_fragment, text_of
from tests.model.making.conftest import run

FACTS = ["alcohol", "acidity"]
TARGETS = {"stars": "stars", "words": "body", "codes": "region", "risk": "returned"}


def wines() -> pd.DataFrame:
    """Make wines with stars, a word for their body, a region and whether they came back."""
    rng = np.random.default_rng(5)
    table = pd.DataFrame(
        {"alcohol": rng.normal(11, 1.2, 900), "acidity": rng.normal(0.5, 0.2, 900)}
    ).round(2)
    latent = table["alcohol"] - 11 - 2 * (table["acidity"] - 0.5) + rng.normal(0, 0.8, 900)
    table["stars"] = np.digitize(latent, [-1.5, -0.5, 0.5, 1.5]) + 1
    table["body"] = np.array(["low", "medium", "high"])[np.digitize(latent, [-0.8, 0.8])]
    table["region"] = np.digitize(latent, [-0.8, 0.8])
    table["returned"] = np.where(latent < -0.5, "yes", "no")
    return table


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of each target; of the stars 300 rows are held out."""
    root, table = tmp_path_factory.mktemp("models"), wines()
    for name, target in TARGETS.items():
        columns = [*FACTS, target]
        (root / "data" / name).mkdir(parents=True)
        table[:300][columns].to_csv(root / "data" / name / "wines.csv", index=False)
        table[300:600][columns].to_csv(root / "data" / name / "unseen.csv", index=False)
        model = LogisticRegression(max_iter=1000).fit(table[:300][FACTS], table[:300][target])
        joblib.dump(model, root / f"{name}.joblib")
        options = (
            ("--holdout", root / "data" / name / "unseen.csv") if name in ("stars", "risk") else ()
        )
        risk = ("--risk", "Yes") if name == "risk" else ()
        result = add(root, name, *options, *risk)
        assert result.exit_code == 0, result.output
        (root / f"{name}.txt").write_text(" ".join(result.output.split()))
    return root


def add(root: Path, name: str, *options: Any) -> Any:
    data = ("--data", root / "data" / name / "wines.csv", "--target", TARGETS[name])
    return run("add", root / f"{name}.joblib", "--name", name, *data, *options, "--models", root)


@pytest.fixture(scope="module")
def app(root: Path) -> Flask:
    return create_app(Settings(models=tuple(TARGETS), ratelimit="off"), models=root)


def test_a_page_shows_steps_in_their_order_with_the_range_of_the_likely_ones(
    client: FlaskClient,
) -> None:
    row = {"alcohol": "11.1", "acidity": "0.5"}
    soup = post_fragment(client, row)
    answer = client.post("/api/predict", json=row).get_json()
    bars = soup.select("#shares li")
    assert [str(tag["data-label"]) for tag in soup.select("#shares data")] == list("12345")
    best = max(range(5), key=lambda place: answer["probabilities"][str(place + 1)])
    assert [len(bar.select("rect.up")) for bar in bars] == [int(n == best) for n in range(5)]
    likely = answer["likely"]
    said = text_of(soup, "#result .range .wide")
    assert said.startswith(f"Most likely {answer['label']}, and between {likely['low']} and ")
    assert text_of(soup, "#result .range .narrow").startswith(f"{likely['low']} to ")
    assert "it was right or one step off" in soup.get_text()
    assert text_of(get_page(client, "/"), "h1") == "How many stars for this wine?"
    assert "grows from the most probable one" in get_page(client, "/about").get_text()


def test_ranges_hold_as_often_as_they_say_on_rows_that_nobody_has_seen(
    client: FlaskClient, root: Path, tmp_path: Path
) -> None:
    table = wines()[600:]
    answers = client.post("/api/predict", json=table[FACTS].to_dict("records")).get_json()
    pairs = list(zip(answers, table["stars"], strict=True))
    inside = [int(a["likely"]["low"]) <= s <= int(a["likely"]["high"]) for a, s in pairs]
    assert np.mean(inside) >= 0.86
    assert np.mean([a["label"] == str(s) for a, s in pairs]) < np.mean(inside) - 0.1
    assert all(a["likely"]["low"] <= a["label"] <= a["likely"]["high"] for a, _ in pairs)
    coverage = {a["likely"]["coverage"] for a in answers if not a["warnings"]}
    assert len(coverage) == 1
    assert min(coverage) >= 0.86
    lines = table[FACTS].to_json(orient="records", lines=True)
    streamed = client.post("/api/predict", data=lines, content_type="application/x-ndjson")
    likely = [json.loads(line)["likely"] for line in streamed.text.splitlines()]
    assert likely == [answer["likely"] for answer in answers]
    table[FACTS].to_csv(tmp_path / "in.csv", index=False)
    target = tmp_path / "out.csv"
    assert run("predict", "stars", tmp_path / "in.csv", target, "--models", root).exit_code == 0
    with target.open(newline="") as file:
        written = list(csv.DictReader(file))
    ends = [(row["label"], row["likely_low"], row["likely_high"]) for row in written]
    assert ends == [(a["label"], a["likely"]["low"], a["likely"]["high"]) for a in answers]
    page = client.post("/batch", data={"file": ((tmp_path / "in.csv").open("rb"), "in.csv")})
    assert ">From<" in page.get_data(as_text=True)


def test_rows_that_have_no_range_for_their_facts_are_answered_in_files_and_lines(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where too few rows with these facts were held out."""
    monkeypatch.setattr(LikelyRanges, "find", lambda _, rows, groups: [None] * len(groups))
    rows = wines()[600:605][FACTS]
    answers = client.post("/api/predict", json=rows.to_dict("records")).get_json()
    assert all(answer.get("likely") is None for answer in answers)
    lines = rows.to_json(orient="records", lines=True)
    streamed = client.post("/api/predict", data=lines, content_type="application/x-ndjson")
    labels = [json.loads(line)["label"] for line in streamed.text.splitlines()]
    assert labels == [answer["label"] for answer in answers]
    file = {"file": (io.BytesIO(rows.to_csv(index=False).encode()), "in.csv")}
    written = csv.DictReader(client.post("/batch/answers.csv", data=file).text.splitlines())
    assert [(row["label"], row["likely_low"], row["error"]) for row in written] == [
        (label, "", "") for label in labels
    ]


def test_known_words_are_put_in_order_and_codes_from_0_are_not(
    client: FlaskClient, root: Path, tmp_path: Path
) -> None:
    soup = post_fragment(
        client, {"alcohol": "12", "acidity": "0.5"}, path="/words/predict-fragment"
    )
    shown = [str(tag["data-label"]) for tag in soup.select("#shares data")]
    assert shown == ["low", "medium", "high"]
    assert "low, medium or high?" in text_of(get_page(client, "/words/"), "h1")
    assert "from low to high, and stand in that order" in (root / "words.txt").read_text()
    assert "--order 0,1,2" in (root / "codes.txt").read_text()
    assert "order" not in (root / "codes" / "card.toml").read_text().split("[output]")[1]
    assert add(root, "words", "--order", "no", "--force").exit_code == 0
    assert "\norder" not in (root / "words" / "card.toml").read_text()
    result = add(root, "codes", "--order", "0,2", "--force")
    assert "--order must name each class once" in result.output


def test_an_order_that_was_not_measured_is_refused_with_the_line(root: Path) -> None:
    card = root / "stars" / "card.toml"
    text = card.read_text()
    wrong = re.sub(r"order = \[[^]]*\]", 'order = ["2", "1", "3", "4", "5"]', text)
    try:
        card.write_text(wrong)
        with pytest.raises(ModelError, match="was measured for the order 1, 2, 3, 4, 5"):
            load_model(root / "stars")
    finally:
        card.write_text(text)


def test_a_risk_is_drafted_by_an_option(client: FlaskClient, root: Path) -> None:
    row = {"alcohol": "10", "acidity": "0.5"}
    answer = client.post("/risk/api/predict", json=row).get_json()
    assert answer["risk"] == answer["probabilities"]["yes"]
    soup = post_fragment(client, row, path="/risk/predict-fragment")
    assert data_of(soup, "prediction") == pytest.approx(answer["risk"])
    assert text_of(get_page(client, "/risk/"), "h1") == "How likely is Returned?"
    assert add(root, "risk", "--risk", "maybe", "--force").exit_code == 1


def test_a_risk_of_a_no_says_so(root: Path, tmp_path: Path) -> None:
    data = ("--data", root / "data" / "risk" / "wines.csv", "--target", "returned")
    named = ("--name", "kept", "--risk", "no", "--models", tmp_path)
    assert run("add", root / "risk.joblib", *data, *named).exit_code == 0
    card = (tmp_path / "kept" / "card.toml").read_text()
    assert 'title = "How likely is it that Returned is No?"' in card


def test_order_and_risk_of_a_number_are_refused(root: Path, tmp_path: Path) -> None:
    table = wines()[:300]
    table[FACTS].to_csv(tmp_path / "wines.csv", index=False)
    model = LinearRegression().fit(table[["alcohol"]], table["acidity"])
    joblib.dump(model, tmp_path / "model.joblib")
    given = ("--data", tmp_path / "wines.csv", "--target", "acidity", "--models", root)
    result = run("add", tmp_path / "model.joblib", "--name", "line", *given, "--risk", "yes")
    assert "It answers with a number." in result.output
