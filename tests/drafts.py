"""Data like those of tutorials, with a model for each, from which pages are drafted.

Four are real and ship with scikit-learn; the others are made by code after well-known ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnx
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.ensemble import (
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from model.contract.preprocessing import Preprocessing
from model.making import AddOptions, add_from_files
from tests.messages import write_messages
from tests.models import ModelFiles, penguin_classifier
from tests.shape_pictures import make_network, write_shapes


def _write(folder: Path, file: str, table: pd.DataFrame, target: str, model: Any) -> ModelFiles:
    """Fit the model to three quarters of the rows, and write what a person would have."""
    shuffled = table.sample(frac=1, random_state=0, ignore_index=True)
    most = len(table) * 3 // 4
    training, held_out = shuffled[:most], shuffled[most:]
    model.fit(training.drop(columns=target), training[target])
    joblib.dump(model, folder / "model.joblib")
    training.to_csv(folder / file, index=False)
    held_out.to_csv(folder / "unseen.csv", index=False)
    return ModelFiles(folder / "model.joblib", folder / file, target, folder / "unseen.csv")


def _encode(*choices: str) -> Any:
    return make_column_transformer((OneHotEncoder(), choices), remainder="passthrough")


def tumours(folder: Path) -> ModelFiles:
    """Write thirty measurements of tumours (breast cancer Wisconsin), and a forest."""
    table = load_breast_cancer(as_frame=True).frame
    table["diagnosis"] = table.pop("target").map({0: "malignant", 1: "benign"})
    model = RandomForestClassifier(100, random_state=0)
    return _write(folder, "tumours.csv", table, "diagnosis", model)


def diabetes(folder: Path) -> ModelFiles:
    """Write ten measurements of patients in their own units, some with names that tell nothing."""
    table = load_diabetes(as_frame=True, scaled=False).frame
    table = table.rename(columns={"target": "progression"})
    return _write(
        folder, "diabetes.csv", table, "progression", make_pipeline(StandardScaler(), Ridge())
    )


def wines(folder: Path) -> ModelFiles:
    """Write thirteen measurements of wines of three cultivars."""
    table = load_wine(as_frame=True).frame
    table["cultivar"] = table.pop("target").map({0: "Barolo", 1: "Grignolino", 2: "Barbera"})
    model = make_pipeline(StandardScaler(), LogisticRegression())
    return _write(folder, "wines.csv", table, "cultivar", model)


def bikes(folder: Path) -> ModelFiles:
    """Write how many bikes were rented in an hour, by weather and time."""
    rng = np.random.default_rng(3)
    rows = 1200
    table = pd.DataFrame(
        {
            "season": rng.integers(1, 5, rows),
            "yr": rng.integers(2011, 2013, rows),
            "mnth": rng.integers(1, 13, rows),
            "hr": rng.integers(0, 24, rows),
            "workingday": rng.integers(0, 2, rows),
            "weathersit": rng.choice(["clear", "mist", "rain"], rows, p=[0.6, 0.3, 0.1]),
            "temp_celsius": rng.normal(15, 9, rows).round(1),
            "humidity_pct": rng.integers(20, 100, rows),
            "windspeed_kmh": rng.gamma(2, 6, rows).round(1),
        }
    )
    rush = 120 * np.exp(-((table["hr"] - 17) ** 2) / 8) + 90 * np.exp(-((table["hr"] - 8) ** 2) / 5)
    rented = 60 + 8 * table["temp_celsius"] + rush * (0.6 + 0.4 * table["workingday"])
    rented += 40 * (table["yr"] - 2011) - 60 * (table["weathersit"] == "rain")
    table["count"] = (rented + rng.normal(0, 30, rows)).clip(0).round().astype(int)
    forest = RandomForestRegressor(40, min_samples_leaf=3, random_state=0)
    return _write(folder, "bikes.csv", table, "count", make_pipeline(_encode("weathersit"), forest))


def cars(folder: Path) -> ModelFiles:
    """Write used cars with their prices."""
    rng = np.random.default_rng(4)
    rows = 900
    table = pd.DataFrame(
        {
            "make": rng.choice(["toyota", "bmw", "volvo", "mazda"], rows),
            "fuel_type": rng.choice(["gas", "diesel"], rows),
            "num_of_doors": rng.choice([2, 4], rows),
            "year": rng.integers(1998, 2021, rows),
            "km_driven": rng.gamma(3, 40_000, rows).round(-2).astype(int),
            "horsepower": rng.integers(55, 300, rows),
            "engine_size": rng.integers(900, 4500, rows),
        }
    )
    log_price = 9 + 0.07 * (table["year"] - 2010) - 4e-6 * table["km_driven"]
    log_price += 0.004 * table["horsepower"] + 0.2 * (table["make"] == "bmw")
    price = np.exp(log_price + rng.normal(0, 0.12, rows))
    table["selling_price"] = price.round(-1).astype(int)
    trees = HistGradientBoostingRegressor(max_iter=80)
    model = make_pipeline(_encode("make", "fuel_type"), trees)
    return _write(folder, "cars.csv", table, "selling_price", model)


def loans(folder: Path) -> ModelFiles:
    """Write applications for a loan, and whether each was granted."""
    rng = np.random.default_rng(5)
    rows = 614
    table = pd.DataFrame(
        {
            "Gender": rng.choice(["Male", "Female"], rows),
            "Married": rng.choice(["Yes", "No"], rows),
            "Dependents": rng.choice(["0", "1", "2", "3+"], rows),
            "Education": rng.choice(["Graduate", "Not Graduate"], rows),
            "Self_Employed": rng.choice(["Yes", "No"], rows),
            "ApplicantIncome": rng.gamma(2, 2500, rows).round().astype(int),
            "CoapplicantIncome": rng.gamma(1, 1600, rows).round(),
            "LoanAmount": rng.gamma(4, 36, rows).round(),
            "Loan_Amount_Term": rng.choice([360, 180, 480, 300], rows),
            "Credit_History": rng.choice([0, 1], rows, p=[0.2, 0.8]),
            "Property_Area": rng.choice(["Urban", "Rural", "Semiurban"], rows),
        }
    )
    odds = 2.5 * table["Credit_History"] + 4e-4 * table["ApplicantIncome"]
    odds -= 0.015 * table["LoanAmount"] + 1
    granted = rng.random(rows) < 1 / (1 + np.exp(-odds))
    table["Loan_Status"] = np.where(granted, "Y", "N")
    texts = ["Gender", "Married", "Dependents", "Education", "Self_Employed", "Property_Area"]
    prepare = make_column_transformer((OneHotEncoder(), texts), remainder=StandardScaler())
    model = make_pipeline(prepare, LogisticRegression(max_iter=500))
    return _write(folder, "loans.csv", table, "Loan_Status", model)


def movies(folder: Path) -> ModelFiles:
    """Write films, and what each brought in."""
    rng = np.random.default_rng(6)
    rows = 500
    table = pd.DataFrame(
        {
            "budget_usd": rng.gamma(2, 2e7, rows).round(-5),
            "genre": rng.choice(["drama", "comedy", "action", "horror"], rows),
            "runtime_min": rng.integers(80, 180, rows),
            "release_year": rng.integers(1990, 2024, rows),
            "vote_average": rng.normal(6.4, 0.9, rows).round(1),
            "vote_count": rng.integers(50, 15_000, rows),
            "is_sequel": rng.integers(0, 2, rows),
        }
    )
    revenue = table["budget_usd"] * (1 + 0.6 * (table["vote_average"] - 5))
    table["revenue_usd"] = (revenue * np.exp(rng.normal(0, 0.3, rows))).round(-4)
    forest = RandomForestRegressor(40, min_samples_leaf=4, random_state=0)
    return _write(
        folder, "movies.csv", table, "revenue_usd", make_pipeline(_encode("genre"), forest)
    )


def energy(folder: Path) -> ModelFiles:
    """Write buildings with the energy that heating and cooling them takes, and a line for each."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "wall_area_m2": rng.uniform(200, 420, 600).round(),
            "height_m": rng.choice([3.5, 7.0], 600),
            "glazing_percent": rng.choice([0, 10, 25, 40], 600),
        }
    )
    heat = 0.03 * table["wall_area_m2"] + 2.5 * table["height_m"] + 0.2 * table["glazing_percent"]
    table["heating_load"] = (heat - 8 + rng.normal(0, 1.5, 600)).round(2)
    table["cooling_load"] = (heat * 0.8 + rng.normal(0, 2, 600)).round(2)
    table[:450].to_csv(folder / "energy.csv", index=False)
    table[450:].to_csv(folder / "unseen.csv", index=False)
    targets = ["heating_load", "cooling_load"]
    model = MultiOutputRegressor(Ridge()).fit(
        table[:450].drop(columns=targets), table[:450][targets]
    )
    joblib.dump(model, folder / "model.joblib")
    return ModelFiles(
        folder / "model.joblib", folder / "energy.csv", ",".join(targets), folder / "unseen.csv"
    )


def _write_rows(folder: Path, table: pd.DataFrame, model: Any, *classes: str) -> ModelFiles:
    """Fit a model to rows without a target, and write what a person would have."""
    joblib.dump(model.fit(table), folder / "model.joblib")
    table.to_csv(folder / f"{folder.name}.csv", index=False)
    file = folder / f"{folder.name}.csv"
    return ModelFiles(folder / "model.joblib", file, "", classes=classes)


def flowers(folder: Path) -> ModelFiles:
    """Write measurements of irises without their species, and three groups of them."""
    table = load_iris(as_frame=True).frame.drop(columns="target")
    table.columns = ["sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm"]
    model = make_pipeline(StandardScaler(), KMeans(3, random_state=0))
    return _write_rows(folder, table, model, "amber", "birch", "cedar")


def pumps(folder: Path) -> ModelFiles:
    """Write readings of pumps, a few of which are far from the others, and what finds them."""
    rng = np.random.default_rng(7)
    heat = rng.normal(60, 5, 400)
    table = pd.DataFrame({"heat_celsius": heat, "noise_db": 40 + rng.gamma(3, 2, 400)})
    table["pressure_hpa"] = 1000 + 4 * heat + rng.normal(0, 10, 400)
    table.loc[:9, "noise_db"] += 25
    return _write_rows(folder, table.round(1), IsolationForest(contamination=0.05, random_state=0))


def reviews(folder: Path) -> ModelFiles:
    """Write stays in hotels with the stars that guests gave, and a forest."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {
            "nights": rng.integers(1, 15, 900),
            "price_per_night": rng.gamma(8, 15, 900).round(),
            "minutes_to_centre": rng.integers(2, 60, 900),
            "breakfast": rng.choice(["yes", "no"], 900),
        }
    )
    liked = 4.6 - 0.04 * table["minutes_to_centre"] + 0.5 * (table["breakfast"] == "yes")
    table["stars"] = (liked + rng.normal(0, 0.6, 900)).round().clip(1, 5).astype(int)
    forest = RandomForestClassifier(100, min_samples_leaf=5, random_state=0)
    return _write(
        folder, "reviews.csv", table, "stars", make_pipeline(_encode("breakfast"), forest)
    )


def refusals(folder: Path) -> ModelFiles:
    """Write the applications for a loan again: here the answer is how likely a refusal is."""
    return replace(loans(folder), risk="N")


def messages(folder: Path) -> ModelFiles:
    """Write messages that are spam or not, each with a size and a channel, and a linear model."""
    path, data, held_out = write_messages(folder)
    return ModelFiles(path, data, "label", held_out)


def shapes(folder: Path) -> ModelFiles:
    """Write drawn pictures of three shapes, and a small network of them."""
    seen = Preprocessing(width=48, height=48, colour="RGB", scale="unit")
    data, held_out = write_shapes(folder / "train", 60, 1), write_shapes(folder / "held", 30, 2)
    onnx.save(make_network(data, seen), folder / "shapes.onnx")
    return ModelFiles(folder / "shapes.onnx", data, "", held_out, publish_rows=True)


DRAFTS: dict[str, Callable[[Path], ModelFiles]] = {
    "tumours": tumours,
    "diabetes": diabetes,
    "wines": wines,
    "penguins": penguin_classifier,
    "bikes": bikes,
    "cars": cars,
    "loans": loans,
    "movies": movies,
    "energy": energy,
    "flowers": flowers,
    "pumps": pumps,
    "reviews": reviews,
    "refusals": refusals,
    "messages": messages,
    "shapes": shapes,
}
"""What writes the files of each, by the model's name."""


def add_draft(given: ModelFiles, name: str, root: Path) -> None:
    """Add a model as the command does, without a word, and say yes to all that it asks."""
    options = AddOptions(
        (given.path,),
        name,
        given.data,
        given.target,
        str(given.holdout) if given.holdout else None,
        classes=given.classes,
        publish_rows=given.publish_rows,
        risk=given.risk,
    )
    add_from_files(options, root, lambda _: None, lambda _: True)
