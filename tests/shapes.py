"""Models as people keep them: in parts, in several files, with what the author's own code did."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import KNNImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    LabelEncoder,
    MinMaxScaler,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

Reference = Callable[[pd.DataFrame], Any]
"""What the author's own code answers: numbers, or names of classes."""


@dataclass(frozen=True)
class Shape:
    """What a model's author predicted, and how; the files and ``train.csv`` are in a folder."""

    target: str
    reference: Reference


def cars(rows: int = 400, seed: int = 11) -> pd.DataFrame:
    """Make rows like a used cars' list: numbers of different sizes, and texts."""
    rng = np.random.default_rng(seed)
    fuels, brands = ["petrol", "diesel", "hybrid", "electric"], list("FBHACDGE")
    table = pd.DataFrame(
        {
            "fuel": rng.choice(fuels, rows, p=[0.4, 0.35, 0.15, 0.1]),
            "km": rng.integers(0, 250_000, rows),
            "age": rng.integers(0, 20, rows),
            "engine cc": rng.integers(900, 4000, rows),
            "gearbox": rng.choice(["manual", "automatic"], rows),
            "brand": rng.choice([f"brand {name}" for name in brands], rows),
        }
    )
    value = (
        30_000
        + 4_000 * table["fuel"].map({"petrol": 0, "diesel": 1, "hybrid": 3, "electric": 6})
        - 0.05 * table["km"]
        - 900 * table["age"]
        + 3 * table["engine cc"]
        + 2_500 * (table["gearbox"] == "automatic")
        + 1_500 * table["brand"].str[-1].map({name: place for place, name in enumerate(brands)})
    )
    table["price"] = (np.maximum(value, 1500) * np.exp(rng.normal(0, 0.06, rows))).round()
    return table


def crops(rows: int = 450, seed: int = 12) -> pd.DataFrame:
    """Make rows of soils, and which of nine crops suits each."""
    rng = np.random.default_rng(seed)
    names = ["rice", "maize", "grapes", "apple", "mango", "cotton", "coffee", "banana", "lentil"]
    code = rng.integers(0, 9, rows)
    centers = rng.uniform(0, 1, (9, 4))
    values = centers[code] + rng.normal(0, 0.07, (rows, 4))
    table = pd.DataFrame(
        {
            "nitrogen": (values[:, 0] * 120).round(),
            "rain": (values[:, 1] * 250).round(1),
            "ph": (4 + values[:, 2] * 5).round(2),
            "heat": (10 + values[:, 3] * 30).round(1),
        }
    )
    table["crop"] = np.array(names)[code]
    return table


NUMBERS = ["km", "age", "engine cc"]
TEXTS = ["fuel", "gearbox", "brand"]


def _save(folder: Path, data: pd.DataFrame, **parts: Any) -> None:
    data.to_csv(folder / "train.csv", index=False)
    for name, part in parts.items():
        is_json = isinstance(part, str)
        path = folder / f"{name}.{'json' if is_json else 'pkl'}"
        path.write_bytes(part.encode() if is_json else pickle.dumps(part))


def scaler_apart(folder: Path) -> Shape:
    """A scaler in a file of its own."""
    data = cars()
    scaler = StandardScaler().fit(data[NUMBERS])
    model = LinearRegression().fit(scaler.transform(data[NUMBERS]), data["price"])
    _save(folder, data[[*NUMBERS, "price"]], model=model, scaler=scaler)
    return Shape("price", lambda rows: model.predict(scaler.transform(rows[NUMBERS])))


def bundle_with_log(folder: Path) -> Shape:
    """A dict under odd keys: min-max, columns, and a target that was logged."""
    data = cars()
    columns = ["age", "km", "engine cc"]
    scaler = MinMaxScaler().fit(data[columns].to_numpy())
    model = Ridge(0.1).fit(scaler.transform(data[columns].to_numpy()), np.log1p(data["price"]))
    bundle = {"zeta": {"m": model}, "k": scaler, "q7": columns, "fn": "log1p"}
    _save(folder, data[[*NUMBERS, "price"]], bundle=bundle)
    return Shape(
        "price",
        lambda rows: np.expm1(model.predict(scaler.transform(rows[columns].to_numpy()))),
    )


def encoders_in_files(folder: Path) -> Shape:
    """Two label encoders in two files, and an array without names."""
    data = cars()
    columns = ["fuel", "km", "age", "engine cc", "gearbox"]
    one, two = LabelEncoder().fit(data["fuel"]), LabelEncoder().fit(data["gearbox"])

    def encode(rows: pd.DataFrame) -> Any:
        coded = rows[columns].copy()
        coded["fuel"], coded["gearbox"] = (
            one.transform(rows["fuel"]),
            two.transform(rows["gearbox"]),
        )
        return coded.to_numpy()

    model = RandomForestRegressor(20, random_state=0).fit(encode(data), data["price"])
    _save(folder, data[[*columns, "price"]], model=model, le1=one, le2=two)
    return Shape("price", lambda rows: model.predict(encode(rows)))


def encoders_in_dict(folder: Path) -> Shape:
    """Label encoders in a dict by column; the target has one, too."""
    data = crops().assign(soil=lambda table: np.where(table["ph"] > 6.5, "lime", "sand"))
    encoders = {name: LabelEncoder().fit(data[name]) for name in ("soil", "crop")}
    columns = ["soil", "nitrogen", "rain", "ph", "heat"]

    def encode(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[columns].assign(soil=encoders["soil"].transform(rows["soil"]))

    model = RandomForestClassifier(20, random_state=0)
    model.fit(encode(data), encoders["crop"].transform(data["crop"]))
    _save(folder, data[[*columns, "crop"]], model=model, encoders=encoders)
    return Shape(
        "crop",
        lambda rows: encoders["crop"].inverse_transform(model.predict(encode(rows))),
    )


def dummies_with_list(folder: Path) -> Shape:
    """Dummies without their first levels, and the columns in a JSON file."""
    data = cars()

    def encode(rows: pd.DataFrame) -> pd.DataFrame:
        return pd.get_dummies(rows[[*NUMBERS, *TEXTS]], drop_first=True)

    columns = list(encode(data).columns)
    model = Ridge().fit(encode(data).astype(float).to_numpy(), data["price"])
    _save(folder, data, model=model, columns=json.dumps(columns))

    def reference(rows: pd.DataFrame) -> Any:
        dummies = pd.get_dummies(rows[[*NUMBERS, *TEXTS]]).reindex(columns=columns, fill_value=0)
        return model.predict(dummies.astype(float).to_numpy())

    return Shape("price", reference)


def log_target(folder: Path) -> Shape:
    """A target that was logged, of which no file tells."""
    data = cars()
    model = LinearRegression().fit(data[NUMBERS], np.log1p(data["price"]))
    _save(folder, data[[*NUMBERS, "price"]], model=model)
    return Shape(
        "price",
        lambda rows: np.expm1(model.predict(rows[NUMBERS])),
    )


def forest_after_scaler(folder: Path) -> Shape:
    """A forest that was fitted to scaled numbers, whose file names no column."""
    data = cars()
    scaler = StandardScaler().fit(data[NUMBERS].to_numpy())
    model = RandomForestRegressor(20, random_state=0)
    model.fit(scaler.transform(data[NUMBERS].to_numpy()), data["price"])
    _save(folder, data[[*NUMBERS, "price"]], scaler=scaler, model=model)
    return Shape("price", lambda rows: model.predict(scaler.transform(rows[NUMBERS].to_numpy())))


def codes_by_hand(folder: Path) -> Shape:
    """Dicts of codes that somebody wrote: neither by alphabet nor from 0."""
    data = cars()
    codes = {
        "fuel": {"petrol": 1, "diesel": 2, "hybrid": 4, "electric": 8},
        "gearbox": {"manual": 0, "automatic": 1},
    }
    columns = ["km", "fuel", "gearbox", "age"]

    def encode(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[columns].assign(**{name: rows[name].map(codes[name]) for name in codes})

    model = LinearRegression().fit(encode(data), data["price"])
    _save(folder, data[[*columns, "price"]], model=model, maps=json.dumps(codes))
    return Shape("price", lambda rows: model.predict(encode(rows)))


def plain_array(folder: Path) -> Shape:
    """An array of the columns between a number of the row and the target."""
    data = cars()[[*NUMBERS, "price"]]
    model = RandomForestRegressor(20, random_state=0).fit(
        data.iloc[:, :3].to_numpy(), data["price"]
    )
    _save(folder, data, model=model)
    return Shape("price", lambda rows: model.predict(rows[NUMBERS].to_numpy()))


def two_scalers(folder: Path) -> Shape:
    """Two scalers one after the other, and nine classes whose numbers a dict names."""
    data = crops()
    columns = ["nitrogen", "rain", "ph", "heat"]
    names = {name: place + 1 for place, name in enumerate(data["crop"].unique())}
    first = MinMaxScaler().fit(data[columns])
    second = StandardScaler().fit(first.transform(data[columns]))

    def scale(rows: pd.DataFrame) -> Any:
        return second.transform(first.transform(rows[columns]))

    model = KNeighborsClassifier(3).fit(scale(data), data["crop"].map(names))
    _save(folder, data, standscaler=second, minmaxscaler=first, model=model, dictionary=names)
    back = {code: name for name, code in names.items()}
    return Shape("crop", lambda rows: [back[code] for code in model.predict(scale(rows))])


def search_with_dummies(folder: Path) -> Shape:
    """A search around a pipeline that was fitted to dummies with their names."""
    data = cars()
    dummies = pd.get_dummies(data[[*NUMBERS, *TEXTS]])
    search = GridSearchCV(make_pipeline(RobustScaler(), Ridge()), {"ridge__alpha": [0.1, 1]}, cv=2)
    search.fit(dummies, data["price"])
    _save(folder, data, model=search)

    def reference(rows: pd.DataFrame) -> Any:
        made = pd.get_dummies(rows[[*NUMBERS, *TEXTS]])
        return search.predict(made.reindex(columns=dummies.columns, fill_value=0))

    return Shape("price", reference)


def one_hot_apart(folder: Path) -> Shape:
    """A one-hot encoder of the texts in its own file, its columns after the scaled numbers."""
    data = crops().assign(soil=lambda table: np.where(table["ph"] > 6.5, "lime", "sand"))
    numbers = ["nitrogen", "rain", "ph", "heat"]
    encoder = OneHotEncoder(sparse_output=False).fit(data[["soil"]])
    scaler = StandardScaler().fit(data[numbers])

    def encode(rows: pd.DataFrame) -> Any:
        return np.hstack([scaler.transform(rows[numbers]), encoder.transform(rows[["soil"]])])

    model = LogisticRegression(C=20, max_iter=500).fit(encode(data), data["crop"])
    _save(folder, data, model=model, ohe=encoder, scaler=scaler)
    return Shape("crop", lambda rows: model.predict(encode(rows)))


def scaled_target(folder: Path) -> Shape:
    """A scaler for the inputs and one for the target."""
    data = cars()
    inputs, outputs = StandardScaler().fit(data[NUMBERS]), StandardScaler()
    scaled = outputs.fit_transform(data[["price"]]).ravel()
    model = Ridge().fit(inputs.transform(data[NUMBERS]), scaled)
    _save(folder, data[[*NUMBERS, "price"]], model=model, sx=inputs, sy=outputs)

    def reference(rows: pd.DataFrame) -> Any:
        answers = model.predict(inputs.transform(rows[NUMBERS]))
        return outputs.inverse_transform(answers.reshape(-1, 1)).ravel()

    return Shape("price", reference)


def transformer_apart(folder: Path) -> Shape:
    """A ColumnTransformer in a file of its own, fitted to an array with texts."""
    data = cars()
    columns = ["km", "age", "fuel", "gearbox"]
    data = data[[*columns, "price"]]
    encoder = ColumnTransformer([("texts", OneHotEncoder(), [2, 3])], remainder="passthrough")
    encoder.fit(data[columns].to_numpy())
    model = LinearRegression().fit(encoder.transform(data[columns].to_numpy()), data["price"])
    _save(folder, data, model=model, ct=encoder)
    return Shape("price", lambda rows: model.predict(encoder.transform(rows[columns].to_numpy())))


def scaler_of_the_table(folder: Path) -> Shape:
    """A scaler that was fitted to the whole table, with the target among its columns."""
    data = cars()[["km", "price", "age", "engine cc"]]
    scaler = MinMaxScaler().fit(data.to_numpy())
    scaled = scaler.transform(data.to_numpy())
    model = LinearRegression().fit(np.delete(scaled, 1, axis=1), scaled[:, 1])
    _save(folder, data, model=model, scaler=scaler)

    def reference(rows: pd.DataFrame) -> Any:
        answers = model.predict(np.delete(scaler.transform(rows.to_numpy()), 1, axis=1))
        return (answers - scaler.min_[1]) / scaler.scale_[1]

    return Shape("price", reference)


def target_encoder_apart(folder: Path) -> Shape:
    """A target encoder of the texts in its own file."""
    data = cars()
    texts = ["brand", "fuel"]
    encoder = TargetEncoder(target_type="continuous", random_state=0)
    encoder.fit(data[texts], data["price"])

    def encode(rows: pd.DataFrame) -> Any:
        encoded = encoder.transform(rows[texts])
        return rows[["brand", "km", "fuel", "age"]].assign(
            **dict(zip(texts, encoded.T, strict=True))
        )

    model = Ridge().fit(encode(data), data["price"])
    _save(folder, data, model=model, te=encoder)
    return Shape("price", lambda rows: model.predict(encode(rows)))


def imputer_of_the_numbers(folder: Path) -> Shape:
    """An imputer of the numbers in its own file, their columns before those of the values."""
    data = cars()[["gearbox", "km", "age", "price"]]
    data.loc[::9, "km"] = np.nan
    imputer = KNNImputer(n_neighbors=5).fit(data[["km", "age"]])
    encoder = OneHotEncoder(sparse_output=False).fit(data[["gearbox"]])

    def encode(rows: pd.DataFrame) -> Any:
        numbers = imputer.transform(rows[["km", "age"]])
        return np.hstack([numbers, encoder.transform(rows[["gearbox"]])])

    model = LinearRegression().fit(encode(data), data["price"])
    _save(folder, data, model=model, imputer=imputer, ohe=encoder)
    return Shape("price", lambda rows: model.predict(encode(rows)))


SHAPES: dict[str, Callable[[Path], Shape]] = {
    function.__name__: function
    for function in (
        scaler_apart, bundle_with_log, encoders_in_files, encoders_in_dict, dummies_with_list,
        log_target, forest_after_scaler, codes_by_hand, plain_array, two_scalers,
        search_with_dummies, one_hot_apart, scaled_target, transformer_apart, scaler_of_the_table,
        target_encoder_apart, imputer_of_the_numbers,
    )
}  # fmt: skip
"""The commonest shapes."""
