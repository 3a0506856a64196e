"""CPU of an answer to 3, 30 and 200 facts, all of them given.

    python -m tests.benchmarks.facts

Three apps, each with a model of trees, answer in this process, in turns; the tenth of the turns
that costs least counts.
"""

import gc
import statistics
import tempfile
import time
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import joblib
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from werkzeug.test import EnvironBuilder

from app import create_app
from app.config import Settings
from app.http.application import Application
from model.making import AddOptions, add_from_files

FACTS = (3, 30, 200)
ROWS, LEARNED = 2400, 1800
TURNS = 40
REQUESTS = 20


_POST: dict[str, Any] = EnvironBuilder(
    "/predict-fragment",
    method="POST",
    content_type="application/x-www-form-urlencoded",
    headers=[("Accept-Encoding", "gzip")],
).get_environ()


class Subject(NamedTuple):
    """An app with one model, and forms to post to it."""

    app: Application
    bodies: list[bytes]

    def answer(self, number: int) -> None:
        """Answer one of the forms."""
        body = self.bodies[number % len(self.bodies)]
        environ = _POST | {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
        statuses: list[str] = []
        b"".join(self.app(_POST | environ, lambda status, *_: statuses.append(status)))  # type: ignore[arg-type]  # nothing is written
        assert statuses[0].startswith("200"), statuses


def main() -> None:
    """Add the models, measure them in turns, and print a Markdown table."""
    with tempfile.TemporaryDirectory() as temporary:
        subjects = {facts: add_model(Path(temporary), facts) for facts in FACTS}
    gc.collect()
    gc.freeze()  # as the server does
    seconds: dict[int, list[float]] = {facts: [] for facts in FACTS}
    for turn in range(-TURNS // 4, TURNS):
        for facts, subject in subjects.items():
            started = time.process_time()
            for number in range(REQUESTS):
                subject.answer((turn + TURNS) * REQUESTS + number)
            if turn >= 0:
                seconds[facts].append((time.process_time() - started) / REQUESTS)
    least = {facts: statistics.quantiles(found, n=10)[0] for facts, found in seconds.items()}
    print("| facts given | CPU of a request, µs | times three facts |\n|---|---|---|")
    for facts, found in least.items():
        print(f"| {facts} | {found * 1e6:,.0f} | {found / least[FACTS[0]]:.2f} |")


def add_model(folder: Path, facts: int) -> Subject:
    """Add a model of numbers that go together, of which up to twenty matter."""
    rng = np.random.default_rng(facts)
    causes = rng.normal(size=(ROWS, 5)) @ rng.normal(size=(5, facts))
    table = pd.DataFrame(
        np.round(10 + causes + rng.normal(size=(ROWS, facts)), 2),
        columns=[f"m{number}" for number in range(facts)],
    )
    table["y"] = np.round(table.iloc[:, :20].sum(axis=1) + rng.normal(size=ROWS), 1)
    learned, unseen = table[:LEARNED], table[LEARNED:]
    model = HistGradientBoostingRegressor(random_state=0)
    model.fit(learned.drop(columns="y"), learned["y"])
    path, name = folder / f"of{facts}.joblib", f"of{facts}"
    joblib.dump(model, path)
    learned.to_csv(folder / f"{name}.csv", index=False)
    unseen.to_csv(folder / f"{name}-unseen.csv", index=False)
    options = AddOptions(
        (path,), name, folder / f"{name}.csv", "y", str(folder / f"{name}-unseen.csv")
    )
    add_from_files(options, folder, lambda _: None, lambda _: True)
    bodies = [urlencode(row).encode() for row in unseen.drop(columns="y").to_dict("records")]
    return Subject(create_app(Settings(models=(name,), ratelimit="off"), models=folder), bodies)


if __name__ == "__main__":
    main()
