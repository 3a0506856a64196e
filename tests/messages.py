"""Messages that are spam or not, made of a few words, and models of them."""

from __future__ import annotations

import random
from pathlib import Path

import joblib
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

HAM = (
    *("meeting", "lunch", "tomorrow", "project", "report", "please", "thanks", "review"),
    *("agenda", "home", "dinner", "family", "train", "notes", "draft"),
)
SPAM = (
    *("free", "prize", "winner", "claim", "cash", "urgent", "click", "offer", "credit"),
    *("bonus", "lottery", "cheap", "mobile"),
)
COMMON = (
    *("the", "you", "your", "we", "to", "and", "for", "is", "are", "this", "with", "have"),
    *("now", "today", "it", "on", "in"),
)


def make_messages(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """Make messages with a length and a channel, which say little of whether they are spam."""
    chance = random.Random(seed)  # noqa: S311 (no secret)
    table = []
    for _ in range(rows):
        is_spam = chance.random() < 0.4
        own, other = (SPAM, HAM) if is_spam else (HAM, SPAM)
        words = [
            chance.choice(chance.choices((own, other, COMMON), (5, 1, 6))[0])
            for _ in range(chance.randint(6, 20))
        ]
        end = chance.choice((".", "!", " 🙂", "\n\nBest, Zoë"))
        text = " ".join(words).capitalize() + end
        size, channel = len(text) + chance.randint(0, 9), chance.choice(("sms", "mail", "chat"))
        table.append((text, size, channel, "spam" if is_spam else "ham"))
    return pd.DataFrame(table, columns=["message", "size", "channel", "label"])


def fit_columns(table: pd.DataFrame) -> Pipeline:
    """Fit tf-idf, a number and a choice to a linear model."""
    columns = ColumnTransformer(
        [
            ("words", TfidfVectorizer(), "message"),
            ("size", StandardScaler(), ["size"]),
            ("channel", OneHotEncoder(), ["channel"]),
        ]
    )
    pipeline = Pipeline([("columns", columns), ("model", LogisticRegression())])
    return pipeline.fit(table[["message", "size", "channel"]], table["label"])


def write_messages(folder: Path) -> tuple[Path, Path, Path]:
    """Write the model of columns, its data, and held-out rows."""
    paths = folder / "spam.joblib", folder / "messages.csv", folder / "unseen.csv"
    table = make_messages()
    joblib.dump(fit_columns(table), paths[0])
    table.to_csv(paths[1], index=False)
    make_messages(120, seed=1).to_csv(paths[2], index=False)
    return paths
